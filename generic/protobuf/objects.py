"""ObjectDecoder: reads objects of the kinds some tables know. Held by Resources, called by `generic/endpoints`.

Made once for all built-in kinds (`kubeapi/protobuf`) and once for what DELETE is sent (`generic/endpoints/delete.py`).
"""

from pathlib import Path

from generic.meta.gvk import GroupVersionKind
from generic.protobuf import messages
from generic.protobuf.definitions import Definitions
from generic.types import JSONObject

META = Path(__file__).with_name("meta.json")
"""The types all API groups share: metadata, selectors, DeleteOptions."""

DELETE_OPTIONS = GroupVersionKind("meta.k8s.io", "v1", "DeleteOptions")


class ObjectDecoder:
    """The kinds of these tables, each a file in the format of `definitions.py`. Loads nothing before it is used."""

    def __init__(self, *tables: Path) -> None:
        self.definitions = Definitions(tables)

    def decode(self, gvk: GroupVersionKind, content: bytes) -> JSONObject:
        """The object an Envelope holds, apiVersion and kind filled in. Raises ValueError with one line."""
        try:
            name = self.definitions.type_of(gvk)
        except KeyError:
            raise ValueError(f'no kind "{gvk.kind}" of {gvk.api_version} is known in protobuf') from None
        return {"apiVersion": gvk.api_version, "kind": gvk.kind, **messages.decode(self.definitions, name, content)}
