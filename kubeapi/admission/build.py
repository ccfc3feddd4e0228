"""The admission plugins of the main server. Called by `kubeapi/server.py`; who runs when says `order.py`."""

from collections.abc import Mapping

from generic.admission.interface import AdmissionPlugin
from generic.authorization.interface import Authorizer
from generic.client.rest import Client
from generic.meta.gvk import GroupResource
from generic.storage.cacher import Cacher
from kubeapi.admission.certificates import (
    CertificateApproval,
    CertificateSigning,
    CertificateSubjectRestriction,
    ClusterTrustBundleAttest,
)
from kubeapi.admission.default_classes import DefaultIngressClass, DefaultStorageClass
from kubeapi.admission.default_tolerations import DefaultTolerationSeconds
from kubeapi.admission.limit_ranger import LimitRanger
from kubeapi.admission.namespace_lifecycle import NamespaceLifecycle
from kubeapi.admission.pod_resize import PodResizeValidator
from kubeapi.admission.pod_security import PodSecurity
from kubeapi.admission.pod_topology import PodTopologyLabels
from kubeapi.admission.priority import Priority
from kubeapi.admission.resource_quota import ResourceQuota
from kubeapi.admission.runtime_class import RuntimeClass
from kubeapi.admission.service_account import ServiceAccount
from kubeapi.admission.storage import PersistentVolumeClaimResize, StorageObjectInUseProtection
from kubeapi.admission.taint_nodes import TaintNodesByCondition
from kubeapi.serviceaccounts.lookup import Lookup

_STORAGE_CLASSES = GroupResource("storage.k8s.io", "storageclasses")


def plugins(
    caches: Mapping[GroupResource, Cacher], lookup: Lookup, client: Client, *, authorizer: Authorizer, version: str
) -> list[AdmissionPlugin]:
    """All of Kubernetes' own, in any order. `client` is the server's, for what a plugin writes.

    `version`: the minor version of Kubernetes that is served, such as `1.34`.
    """
    return [
        NamespaceLifecycle(caches[GroupResource("", "namespaces")]),
        LimitRanger(caches[GroupResource("", "limitranges")]),
        ServiceAccount(lookup),
        TaintNodesByCondition(),
        PodSecurity(caches[GroupResource("", "namespaces")], caches[GroupResource("", "pods")], version=version),
        Priority(caches[GroupResource("scheduling.k8s.io", "priorityclasses")]),
        DefaultTolerationSeconds(),
        DefaultStorageClass(caches[_STORAGE_CLASSES]),
        StorageObjectInUseProtection(),
        PersistentVolumeClaimResize(caches[_STORAGE_CLASSES]),
        RuntimeClass(caches[GroupResource("node.k8s.io", "runtimeclasses")]),
        CertificateApproval(authorizer),
        CertificateSigning(authorizer),
        ClusterTrustBundleAttest(authorizer),
        CertificateSubjectRestriction(),
        DefaultIngressClass(caches[GroupResource("networking.k8s.io", "ingressclasses")]),
        PodTopologyLabels(caches[GroupResource("", "nodes")]),
        PodResizeValidator(caches[GroupResource("", "nodes")]),
        ResourceQuota(caches[GroupResource("", "resourcequotas")], client),
    ]
