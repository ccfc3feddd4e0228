"""ObjectSchema: what the shape of a kind says of its objects. Compiled when first used.

Held by every Resource; called by `generic/endpoints/decoding.py` (decode_errors, unknown_fields, prune, default),
the write path of `generic/registry` (validate) and `generic/endpoints/openapi` (openapi). Three sources make one:
OpenAPI definitions of built-ins, pydantic models, and the structural schemas of CRDs.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol, Self, cast

from generic.meta.fields import FieldError
from generic.schema import common, components, structural, typed
from generic.schema.go_words import Place
from generic.schema.nodes import Node, Refusal
from generic.types import JSONObject

_TOO_DEEP = "exceeded max depth"
"""Kinds that contain themselves (JSON schemas in CRDs) can be deeper than our stack is."""

_REPEATED = "FieldValueDuplicate"
"""What lists of type set and map say of an item that is there twice; nothing else does."""

UNNAMED = "Object"
"""The component of a structural schema that got no name."""

Components = tuple[str, Mapping[str, JSONObject]]


class Source(NamedTuple):
    """What a schema was made of: the root, and what it and others refer to. `go`: it describes a type of Go."""

    root: JSONObject
    definitions: Mapping[str, JSONObject]
    go: bool


_CHECKED_ELSEWHERE = frozenset({"apiVersion", "kind", "metadata"})
_UNCHECKED_IN_GO = _CHECKED_ELSEWHERE | {"status"}
"""Of a Go type's status nothing is required: controllers write it, zero is as good as missing."""


class Model(Protocol):
    """What is needed of the class of a pydantic model. Named so, that who has no models need not load pydantic."""

    def model_json_schema(self, *, by_alias: bool) -> dict[str, Any]: ...


class ObjectSchema:
    """The schema of one kind in one version. All methods take a whole decoded object of that kind."""

    __slots__ = ("_components", "_describe", "_made", "_make", "_source", "_struct_name", "_unchecked")

    def __init__(
        self,
        make: Callable[[], Node],
        describe: Callable[[], Components],
        source: Callable[[], Source],
        *,
        struct_name: str,
        unchecked: frozenset[str] = _CHECKED_ELSEWHERE,
    ) -> None:
        self._make = make
        self._made: Node | None = None
        self._describe = describe
        self._components: Components | None = None
        self._source = source
        self._struct_name = struct_name
        self._unchecked = unchecked

    @classmethod
    def of(cls, definitions: Mapping[str, JSONObject] | typed.Definitions, name: str) -> Self:
        """A definition in a mapping of OpenAPI definitions that refer to each other by `$ref`.

        Give several kinds one `typed.Definitions` to share what is compiled. Raises KeyError if there is none.
        """
        held = definitions if isinstance(definitions, typed.Definitions) else typed.Definitions(definitions)
        if name not in held.raw:
            raise KeyError(name)
        return cls(
            lambda: held.node(name),
            lambda: (name, components.reached(held.raw, name)),
            lambda: Source({"$ref": f"{components.PREFIX}{name}"}, held.raw, go=True),
            struct_name=name.rpartition(".")[2],
            unchecked=_UNCHECKED_IN_GO,
        )

    @classmethod
    def of_model(cls, model: type[Any], *, package: str = "") -> Self:
        """A pydantic model, its fields by alias. metadata is ObjectMeta, whatever the model says. See `of_models`."""
        return cls.of_models(lambda: cast(Model, model), model.__name__, package=package)

    @classmethod
    def of_models(cls, load: Callable[[], Model], name: str, *, package: str = "") -> Self:
        """The pydantic model of that name, which `load` gives when first needed: pydantic is slow to load.

        `package`: prefix of the names of its components, such as `io.k8s.sample-apiserver.pkg.apis.wardle.v1alpha1`;
        its last part is what Go would call the package.
        """
        prefix = f"{package}." if package else ""
        go_package = package.rpartition(".")[2] or "v1"

        def make() -> Node:
            schema, definitions = _model_schema(load())
            held = typed.Definitions(definitions, go_package=go_package, defaults_and_rules=True)
            return held.anonymous_root(name, schema, common.object_fields())

        def describe() -> Components:
            schema, definitions = _model_schema(load())
            raw = {f"{prefix}{name}": _prefixed(found, prefix) for name, found in definitions.items()}
            return _described(f"{prefix}{name}", _prefixed(schema, prefix), raw)

        def source() -> Source:
            schema, definitions = _model_schema(load())
            return Source(_with_metadata(schema), {**definitions, **common.DEFINITIONS}, go=True)

        return cls(make, describe, source, struct_name=name)

    @classmethod
    def structural(cls, schema: JSONObject, *, name: str = UNNAMED) -> Self:
        """The `openAPIV3Schema` of a CRD version. `name`: of its component, such as `com.example.v1.Widget`."""
        return cls(
            lambda: structural.root(schema),
            lambda: _described(name, schema, {}),
            lambda: Source(_with_metadata(schema), common.DEFINITIONS, go=False),
            struct_name=name.rpartition(".")[2],
        )

    @property
    def _root(self) -> Node:
        if self._made is None:
            self._made = self._make()
        return self._made

    def decode_errors(self, obj: JSONObject) -> str:
        """The first value of a type that Go could not decode, in Go's words; empty if all is well."""
        root = self._root
        saved: list[str] = []
        try:
            if root.fits(obj):
                return ""
            root.decode(obj, Place(self._struct_name), saved)
        except Refusal as refused:
            return str(refused)
        except RecursionError:
            return _TOO_DEEP
        return saved[0] if saved else ""

    def unknown_fields(self, obj: JSONObject) -> list[str]:
        """Paths of fields the schema does not know, in the object's order."""
        root = self._root
        found: list[str] = []
        if not root.fits(obj):
            root.unknown(obj, "", found)
        return found

    def prune(self, obj: JSONObject) -> None:
        """Drop unknown fields, in place. For Go types also what decoding and encoding again would change: nulls go
        (in lists and maps they become zero), quantities and times are written in their one form."""
        self._root.prune(obj)

    def default(self, obj: JSONObject) -> None:
        """Fill in the schema's defaults, in place."""
        self._root.fill(obj)

    def empty(self) -> JSONObject:
        """What Go makes of nothing at all: zeros all the way down; an empty object for schemas that are not Go's."""
        made: JSONObject = {}
        if self._unchecked is _UNCHECKED_IN_GO:
            self._root.fill(made)
        return made

    def validate(self, obj: JSONObject, old: JSONObject | None = None) -> list[FieldError]:
        """Everything wrong with the object, apiVersion, kind and metadata of the root aside.

        `old`: what it was before the change; where it was like this already, structural schemas let it be.
        """
        found: list[FieldError] = []
        self._root.validate(obj, "", found)
        if found and old is not None and self._root.judged:
            found = self._new_problems(obj, old)
        return [problem for problem in found if problem.field.partition(".")[0] not in self._unchecked]

    def source(self) -> Source:
        """The schema as data, for whoever reads more out of it than this class does; made anew each time."""
        return self._source()

    def _new_problems(self, obj: JSONObject, old: JSONObject) -> list[FieldError]:
        found: list[FieldError] = []
        self._root.validate_change(obj, old, "", found)
        if any(problem.type == _REPEATED for problem in found):
            before: list[FieldError] = []
            self._root.validate(old, "", before)
            if any(problem.type == _REPEATED for problem in before):
                # Where items were repeated already, they may be repeated anywhere.
                return [problem for problem in found if problem.type != _REPEATED]
        return found

    def openapi(self) -> Components:
        """The name of the root component, and all components it reaches, for an OpenAPI v3 document."""
        if self._components is None:
            self._components = self._describe()
        return self._components


def _model_schema(model: Model) -> tuple[JSONObject, dict[str, JSONObject]]:
    schema: dict[str, Any] = model.model_json_schema(by_alias=True)
    definitions = schema.pop("$defs", {})
    if "$ref" in schema:
        # A model that refers to itself stands among the definitions.
        schema = definitions[schema["$ref"].rpartition("/")[2]]
    return schema, definitions


def _prefixed(value: Any, prefix: str) -> Any:
    """The schema with its references renamed."""
    if isinstance(value, dict):
        renamed = {key: _prefixed(inside, prefix) for key, inside in value.items()}
        if isinstance(value.get("$ref"), str):
            renamed["$ref"] = f"{components.PREFIX}{prefix}{value['$ref'].rpartition('/')[2]}"
        return renamed
    return [_prefixed(item, prefix) for item in value] if isinstance(value, list) else value


def _described(name: str, schema: JSONObject, definitions: Mapping[str, JSONObject]) -> Components:
    """The components of a root that has apiVersion, kind and metadata whether its schema says so or not."""
    raw = {**definitions, **common.DEFINITIONS, name: _with_metadata(schema)}
    return name, components.reached(raw, name)


def _with_metadata(schema: JSONObject) -> JSONObject:
    """The schema of a root, with the members that every root has."""
    metadata = {"$ref": f"{components.PREFIX}{common.OBJECT_META}", "description": "Standard object's metadata."}
    members = {**(schema.get("properties") or {}), **common.TYPE_PROPERTIES, "metadata": metadata}
    return {**schema, "type": "object", "properties": members}
