"""Shape: how a value merges and who can own which part of it. Compiled as far as objects reach into it.

`Shapes.of(source)` makes the shape of a kind from OpenAPI definitions, models or structural schemas alike; the walks
of this folder ask it. Mirrors `kube-openapi/pkg/schemaconv` and `structured-merge-diff/schema`.
"""

from collections.abc import Mapping
from typing import Any, Literal

from generic.types import JSONObject

Kind = Literal["leaf", "map", "list-map", "set", "deduced"]
"""leaf: owned as a whole, whatever it is. map: structs too. deduced: a map if it is one, else a leaf."""

_LIST_TYPE = "x-kubernetes-list-type"
_MAP_TYPE = "x-kubernetes-map-type"
_STRATEGY = "x-kubernetes-patch-strategy"
_PRESERVE = "x-kubernetes-preserve-unknown-fields"
_EMBEDDED = "x-kubernetes-embedded-resource"
_OBJECT_META = {"$ref": "#/$defs/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"}
_TEXT = {"type": "string"}
_MOST_REFERENCES = 32

_KEY_DEFAULTS = {
    ("ContainerPort", "protocol"): "TCP",
    ("ServicePort", "protocol"): "TCP",
    ("LocalObjectReference", "name"): "",
}
"""Defaults of members that are keys of lists. The definitions we have carry none."""

_SECTIONS = frozenset({"metadata", "spec", "status"})
_EMBEDDED_STRUCTS = frozenset({
    ("ReplicaSetSpec", "template"),
    ("DeploymentSpec", "strategy"),
    ("DaemonSetSpec", "updateStrategy"),
    ("StatefulSetSpec", "updateStrategy"),
    ("PersistentVolumeClaimSpec", "resources"),
    ("Container", "resources"),
    ("EphemeralContainer", "resources"),
    ("ServiceStatus", "loadBalancer"),
    ("IngressStatus", "loadBalancer"),
    ("Event", "source"),
    ("Event", "regarding"),
})
"""Optional structs that Go holds by value."""


class Shape:
    """`scalar`: the type a leaf must have in an applied configuration; empty if it may have any.

    `always`: Go has it whatever JSON says, a struct held by value or a list that is never left out, so that nobody owns
    its being there. `closed`: a map that takes no members but those it names.
    """

    __slots__ = (
        "_item",
        "_made",
        "_members",
        "_more",
        "_required",
        "_shapes",
        "always",
        "defaults",
        "keys",
        "kind",
        "name",
        "scalar",
    )

    def __init__(self, shapes: "Shapes", kind: Kind, *, name: str = "", scalar: str = "") -> None:
        self.kind: Kind = kind
        self.name = name
        self.scalar = scalar
        self.always = False
        self.keys: tuple[str, ...] = ()
        self.defaults: dict[str, Any] = {}
        self._shapes = shapes
        self._members: Mapping[str, JSONObject] = {}
        self._required: frozenset[str] = frozenset()
        self._more: JSONObject | None = None
        self._made: dict[str, Shape] = {}
        self._item: Shape | None = None

    def names(self, member: str) -> bool:
        """Whether a map names this member, as structs do."""
        return member in self._members

    @property
    def closed(self) -> bool:
        return self.kind == "map" and self._more is None

    def member(self, name: str) -> "Shape":
        """The shape of a member of a map; of one it does not know, whatever it is."""
        made = self._made.get(name)
        if made is None:
            schema = self._members.get(name)
            if schema is None:
                return self.item
            made = self._shapes.compile(schema)
            made.always = self._shapes.go and made.kind != "leaf" and self._is_always_there(name, schema)
            self._made[name] = made
        return made

    @property
    def item(self) -> "Shape":
        """The shape of the items of a list, or of the members of a map it does not name."""
        if self._item is None:
            self._item = self._shapes.deduced if self._more is None else self._shapes.compile(self._more)
        return self._item

    def _is_always_there(self, name: str, schema: JSONObject) -> bool:
        if name in self._required:
            return True
        return bool(_reference(schema)) and (name in _SECTIONS or (self.name, name) in _EMBEDDED_STRUCTS)


class Shapes:
    """Makes shapes of schemas that refer to each other. `go`: the schemas describe types of Go."""

    def __init__(self, definitions: Mapping[str, JSONObject], *, go: bool) -> None:
        self._definitions = definitions
        self.go = go
        self.deduced = Shape(self, "deduced")
        self._atomic = Shape(self, "leaf")

    def compile(self, schema: JSONObject) -> Shape:
        """A new shape of a schema; nothing below it is looked at yet."""
        schema, name = self._resolved(schema)
        if schema.get("x-kubernetes-int-or-string") or name in ("Quantity", "IntOrString"):
            return Shape(self, "leaf", name=name)
        kind = _type_of(schema)
        if kind == "array":
            return self._list(schema)
        if kind in _SCALARS:
            return Shape(self, "leaf", scalar=_SCALARS[kind])
        if kind == "object" or schema.get("properties") or schema.get(_EMBEDDED):
            return self._map(schema, name)
        return self._atomic if _alternatives(schema) or "enum" in schema or "const" in schema else self.deduced

    def _map(self, schema: JSONObject, name: str) -> Shape:
        if schema.get(_MAP_TYPE) == "atomic":
            return Shape(self, "leaf", scalar="map")
        made = Shape(self, "map", name=name)
        made._members = schema.get("properties") or {}
        if schema.get(_EMBEDDED):
            made._members = {**made._members, "apiVersion": _TEXT, "kind": _TEXT, "metadata": _OBJECT_META}
        made._required = frozenset(schema.get("required") or ())
        more = schema.get("additionalProperties")
        if schema.get(_PRESERVE) or more is True:
            made._item = self.deduced
            made._more = {}
        elif isinstance(more, dict):
            made._more = more
        elif self.go and not made._members:
            # Raw JSON: what is in it is one thing each.
            made._item, made._more = self._atomic, {}
        return made

    def _list(self, schema: JSONObject) -> Shape:
        relation, keys = _relation(schema)
        if relation == "atomic":
            return Shape(self, "leaf", scalar="list")
        made = Shape(self, "list-map" if relation == "map" else "set")
        made._more = schema.get("items") or {}
        if relation == "map":
            made.keys = keys
            item, name = self._resolved(made._more)
            members = item.get("properties") or {}
            for key in keys:
                default = _KEY_DEFAULTS.get((name, key), (members.get(key) or {}).get("default"))
                if default is not None:
                    made.defaults[key] = default
        return made

    def _resolved(self, schema: JSONObject) -> tuple[JSONObject, str]:
        """The schema with its references followed, and the last part of the name of what it refers to.

        What stands beside a reference about merging counts more than what it refers to.
        """
        name = ""
        for _ in range(_MOST_REFERENCES):
            reference = _reference(schema)
            if not reference:
                break
            beside = {key: value for key, value in schema.items() if key.startswith("x-kubernetes-")}
            target = reference.rpartition("/")[2]
            name = target.rpartition(".")[2]
            schema = {**(self._definitions.get(target) or {}), **beside}
        return _inner(schema), name


def _relation(schema: JSONObject) -> tuple[str, tuple[str, ...]]:
    """How a list merges: atomic, set or map, and by which keys."""
    stated = schema.get(_LIST_TYPE)
    if stated is not None:
        return str(stated), tuple(schema.get("x-kubernetes-list-map-keys") or ())
    if "merge" in (schema.get(_STRATEGY) or "").split(","):
        key = schema.get("x-kubernetes-patch-merge-key")
        return ("map", (key,)) if key else ("set", ())
    return "atomic", ()


def _reference(schema: JSONObject) -> str:
    """The reference a schema is, with or without words beside it; empty if it is none."""
    found = schema.get("$ref")
    if found is None:
        parts = [part for part in _alternatives(schema) if part.get("type") != "null"]
        found = parts[0].get("$ref") if len(parts) == 1 else None
    return found or ""


def _inner(schema: JSONObject) -> JSONObject:
    """Without what only says that null is allowed too."""
    parts = [part for part in _alternatives(schema) if part.get("type") != "null"]
    return {**parts[0], **schema} if len(parts) == 1 and "type" not in schema else schema


def _alternatives(schema: JSONObject) -> list[JSONObject]:
    found: Any = schema.get("allOf") or schema.get("anyOf") or schema.get("oneOf") or ()
    return [part for part in found if isinstance(part, dict)]


def _type_of(schema: JSONObject) -> Any:
    kind = schema.get("type")
    if isinstance(kind, list):
        kinds = [one for one in kind if one != "null"]
        return kinds[0] if len(kinds) == 1 else None
    return kind


_SCALARS = {"string": "string", "integer": "numeric", "number": "numeric", "boolean": "boolean"}
