"""Server-side apply to an author's own subresources: what the applied part says of the object underneath.

Called by `subresources.py`. Objects alone keep managedFields, and what an author's `update` makes of a part only that
method knows. So it is tried on a copy first: an applier owns, by name of the subresource, what its configuration
changes in the object, for as long as that stays. Mirrors what `ScaleHandler` of
`apimachinery/pkg/util/managedfields/scalehandler.go` does for scale, whose path is known.
"""

from collections.abc import Callable
from functools import cached_property

from generic.meta.gvk import GroupVersionKind
from generic.patching.apply import comparing, managers, merging, tracking
from generic.patching.apply.field_sets import SELF, FieldSet, union
from generic.patching.apply.managers import Author
from generic.patching.apply.shapes import Shape, Shapes
from generic.registry.store import Store
from generic.schema.object_schema import ObjectSchema
from generic.types import JSONObject

Claims = Callable[[JSONObject, GroupVersionKind], JSONObject]
"""From an applied part to what it says of the object, whose kind is given."""

_HEAD = ("apiVersion", "kind", "metadata")


class PartShape:
    """How the kind of a subresource merges; found out at the first apply."""

    def __init__(self, schema: ObjectSchema) -> None:
        self._schema = schema

    @cached_property
    def _shape(self) -> Shape:
        root, definitions, go = self._schema.source()
        return Shapes(definitions, go=go).compile(root)

    def merged(self, shown: JSONObject, configuration: JSONObject) -> JSONObject:
        """The part as it is, with what is applied. Raises StatusError on a configuration that does not fit."""
        nobody = Author("", shown["apiVersion"])
        # Nobody owns members of a part, so that nobody can be in conflict here.
        made = tracking.apply(self._shape, shown, configuration, nobody, force=True)
        made["metadata"].pop("managedFields", None)
        return made


def changed(store: Store, before: JSONObject, after: JSONObject, author: Author) -> JSONObject:
    """What an applier says of an object that its configuration brings from one state to another.

    What it owned already by the same way it says again, if it is still there.
    """
    shape = store.resource.shape
    held: FieldSet = {}
    for entry in managers.held(before["metadata"]):
        if managers.identity(entry) == author.identity("Apply"):
            held = entry["fieldsV1"]
    old, new = _body(before), _body(after)
    touched, _ = comparing.compare(shape, old, new)
    left = merging.remove(shape, new, _but(comparing.everything(shape, new), union(touched, held)))
    head = {key: after[key] for key in ("apiVersion", "kind")}
    return {**head, "metadata": {"name": after["metadata"]["name"]}, **left}


def _but(fields: FieldSet, wanted: FieldSet) -> FieldSet:
    """All fields that are neither wanted nor on the way to one that is."""
    made: FieldSet = {}
    for key, inside in fields.items():
        if key not in wanted:
            made[key] = inside
        elif wanted[key] and (left := _but(inside, wanted[key])):
            made[key] = left
    return {key: inside for key, inside in made.items() if key != SELF}


def _body(obj: JSONObject) -> JSONObject:
    return {key: value for key, value in obj.items() if key not in _HEAD}
