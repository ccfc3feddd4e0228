"""The kinds of resource.k8s.io/v1, dynamic resource allocation. Mirrors `pkg/registry/resource/rest`."""

from functools import partial

from generic.meta.gvk import GroupVersion
from kubeapi.resources.columns import policy as columns
from kubeapi.resources.kinds import STATUS, BuiltinKind, text_at
from kubeapi.resources.strategies import platform as strategies

_kind = partial(BuiltinKind, GroupVersion("resource.k8s.io", "v1"))

KINDS: tuple[BuiltinKind, ...] = (
    _kind(
        "DeviceClass",
        "deviceclasses",
        namespaced=False,
        strategy=strategies.DEVICE,
        columns=columns.NAME_AND_AGE,
    ),
    _kind(
        "DeviceTaintRule",
        "devicetaintrules",
        namespaced=False,
        strategy=strategies.WORKLOAD,
        columns=columns.NAME_AND_AGE,
        subresources=STATUS,
    ),
    _kind(
        "ResourceClaim",
        "resourceclaims",
        namespaced=True,
        strategy=strategies.RESOURCE_CLAIM,
        columns=columns.RESOURCE_CLAIM,
        subresources=STATUS,
    ),
    _kind(
        "ResourceClaimTemplate",
        "resourceclaimtemplates",
        namespaced=True,
        strategy=strategies.RESOURCE_CLAIM_TEMPLATE,
        columns=columns.NAME_AND_AGE,
    ),
    _kind(
        "ResourceSlice",
        "resourceslices",
        namespaced=False,
        strategy=strategies.DEVICE,
        columns=columns.RESOURCE_SLICE,
        selectable_fields={
            "spec.nodeName": text_at("spec", "nodeName"),
            "spec.driver": text_at("spec", "driver"),
        },
    ),
)
