"""The kinds of storage.k8s.io/v1 and storagemigration.k8s.io/v1.

Mirrors `pkg/registry/{storage,storagemigration}/rest`.
"""

from functools import partial

from generic.meta.gvk import GroupVersion
from kubeapi.resources.columns import cluster as columns
from kubeapi.resources.columns import policy
from kubeapi.resources.kinds import STATUS, BuiltinKind
from kubeapi.resources.strategies import platform as strategies

_kind = partial(BuiltinKind, GroupVersion("storage.k8s.io", "v1"))
_cluster = partial(_kind, namespaced=False)

KINDS: tuple[BuiltinKind, ...] = (
    _cluster("CSIDriver", "csidrivers", strategy=strategies.CSI_DRIVER, columns=columns.CSI_DRIVER),
    _cluster("CSINode", "csinodes", strategy=strategies.CSI_NODE, columns=columns.CSI_NODE, subresources=STATUS),
    _kind("CSIStorageCapacity", "csistoragecapacities", namespaced=True, strategy=strategies.CSI_STORAGE_CAPACITY),
    _cluster(
        "StorageClass",
        "storageclasses",
        short_names=("sc",),
        strategy=strategies.STORAGE_CLASS,
        columns=columns.STORAGE_CLASS,
    ),
    _cluster(
        "VolumeAttachment",
        "volumeattachments",
        strategy=strategies.VOLUME_ATTACHMENT,
        columns=columns.VOLUME_ATTACHMENT,
        subresources=STATUS,
    ),
    _cluster(
        "VolumeAttributesClass",
        "volumeattributesclasses",
        short_names=("vac",),
        strategy=strategies.VOLUME_ATTRIBUTES_CLASS,
        columns=columns.VOLUME_ATTRIBUTES_CLASS,
    ),
    BuiltinKind(
        GroupVersion("storagemigration.k8s.io", "v1"),
        "StorageVersionMigration",
        "storageversionmigrations",
        namespaced=False,
        strategy=strategies.STORAGE_VERSION_MIGRATION,
        columns=policy.STORAGE_VERSION_MIGRATION,
        subresources=STATUS,
    ),
)
