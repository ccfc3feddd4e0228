"""From the names of a kind's subresources to their storage.

Called by `kubeapi/server.py` for every Store it makes. Mirrors the storage maps of `pkg/registry/*/rest`.
"""

from generic.admission.interface import AdmissionChain
from generic.registry.rest import Subresource
from generic.registry.store import StatusStore, Store
from kubeapi.resources.approval_storage import Approval
from kubeapi.resources.kinds import BuiltinKind
from kubeapi.resources.namespace_storage import NamespaceFinalize
from kubeapi.resources.scale_storage import SCALE, ScaleStore
from kubeapi.schemas import Schemas


def build(kind: BuiltinKind, store: Store, *, admission: AdmissionChain, schemas: Schemas) -> dict[str, Subresource]:
    """The storage of every subresource the table names. Raises KeyError for one that nobody implements."""
    made: dict[str, Subresource] = {}
    for name in sorted(kind.subresources):
        if name == "scale":
            made[name] = Subresource(ScaleStore(store, admission=admission), SCALE, schemas.object_schema(SCALE))
        else:
            made[name] = Subresource(_OF_SAME_KIND[name](store, admission=admission), kind.gvk)
    return made


_OF_SAME_KIND = {"status": StatusStore, "finalize": NamespaceFinalize, "approval": Approval}
