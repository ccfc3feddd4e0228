"""Where each built-in kind stands in storage: by its plural alone, some by the names of older days.

Handed to the Backings by `trikube/controlplane.py`, so that an etcd of ours reads like one of Kubernetes. Mirrors
`ResourcePrefix` of `apiserver/pkg/server/storage/storage_factory.go` and the special prefixes of
`pkg/kubeapiserver/default_storage_factory_builder.go`.
"""

from collections.abc import Mapping

from generic.meta.gvk import GroupResource
from kubeapi import resources

_OF_OLD = {
    GroupResource("", "replicationcontrollers"): "controllers",
    GroupResource("", "endpoints"): "services/endpoints",
    GroupResource("", "services"): "services/specs",
    GroupResource("", "nodes"): "minions",
    GroupResource("networking.k8s.io", "ingresses"): "ingress",
}


def key_paths() -> Mapping[GroupResource, str]:
    """What stands between the prefix and the namespace or name in the keys of each kind."""
    kinds = (kind.gvr.group_resource for kind in resources.all_kinds())
    return {stored: _OF_OLD.get(stored, stored.resource) for stored in kinds}
