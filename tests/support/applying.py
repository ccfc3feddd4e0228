"""Objects that several managers own, without a server: what tests of server-side apply are about."""

from dataclasses import dataclass, field
from functools import cache
from typing import Any

import orjson
import pydantic

from generic.meta.gvk import GroupVersion
from generic.patching.apply import tracking
from generic.patching.apply.field_sets import FieldSet
from generic.patching.apply.managers import Author
from generic.patching.apply.shapes import Shape, Shapes
from generic.patching.apply.tracking import ALL, Owned
from generic.schema.object_schema import ObjectSchema
from generic.types import JSONObject
from tests.support import kubeapi


@cache
def builtin(api_version: str, kind: str) -> Shape:
    return _shape(kubeapi.schemas().object_schema(GroupVersion.parse(api_version).with_kind(kind)))


def custom(schema: JSONObject) -> Shape:
    """The shape of a custom resource whose spec is this."""
    return _shape(ObjectSchema.structural({"type": "object", "properties": {"spec": schema}}))


def model(kind: type[pydantic.BaseModel]) -> Shape:
    """The shape of a kind an aggregated server describes by a model."""
    return _shape(ObjectSchema.of_model(kind))


def _shape(schema: ObjectSchema) -> Shape:
    root, definitions, go = schema.source()
    return Shapes(definitions, go=go).compile(root)


def copied(obj: JSONObject) -> JSONObject:
    made: JSONObject = orjson.loads(orjson.dumps(obj))
    return made


@dataclass
class Held:
    """An object as a server would hold it. Writers name themselves; everybody writes in one version."""

    shape: Shape
    stored: JSONObject | None = None
    api_version: str = "v1"
    owned: Owned = field(default=ALL)

    def create(self, manager: str, **content: Any) -> JSONObject:
        obj: JSONObject = {"apiVersion": self.api_version, "kind": "Kind", "metadata": {"name": "it"}, **content}
        tracking.track_create(self.shape, obj, self._author(manager), self.owned)
        obj["metadata"]["uid"] = "1"
        self.stored = copied(obj)
        return self.stored

    def update(self, manager: str, **content: Any) -> JSONObject:
        """Replace all but metadata, or metadata too if it is given."""
        assert self.stored is not None
        obj = copied({"apiVersion": self.api_version, "kind": "Kind", "metadata": self.stored["metadata"], **content})
        tracking.track_update(self.shape, self.stored, obj, self._author(manager), self.owned)
        tracking.settle_times(self.stored, obj)
        self.stored = copied(obj)
        return self.stored

    def apply(self, manager: str, *, force: bool = False, **content: Any) -> JSONObject:
        """Raises StatusError."""
        config: JSONObject = {"apiVersion": self.api_version, "kind": "Kind", "metadata": {"name": "it"}, **content}
        before = None if self.stored is None else copied(self.stored)
        author = self._author(manager)
        obj = tracking.apply(self.shape, self.stored, config, author, force=force, owned=self.owned)
        assert self.stored == before, "the stored object was changed in place"
        obj["metadata"].setdefault("uid", "1")
        if before is not None:
            tracking.settle_times(before, obj)
        self.stored = copied(obj)
        return self.stored

    @property
    def content(self) -> JSONObject:
        """The object without its type and metadata."""
        assert self.stored is not None
        return {key: value for key, value in self.stored.items() if key not in ("apiVersion", "kind", "metadata")}

    @property
    def owners(self) -> dict[str, FieldSet]:
        """The sets of the managers by their names."""
        assert self.stored is not None
        entries = self.stored["metadata"].get("managedFields") or []
        return {entry["manager"]: entry["fieldsV1"] for entry in entries}

    def _author(self, manager: str) -> Author:
        return Author(manager, self.api_version)
