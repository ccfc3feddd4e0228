"""Resource: a kind as an AA author writes it, a pydantic model with hooks.

Subclassed by authors; served by `install.py`. Mirrors `apiserver-runtime/pkg/builder/resource` (`resource.Object`
and its optional interfaces).
"""

from collections.abc import AsyncIterator, Awaitable, Iterable, Sequence
from typing import Any, ClassVar, Self, TypeAlias

from pydantic import Field

from generic.meta.fields import FieldError
from generic.meta.gvk import GroupVersionKind
from generic.schema.object_schema import ObjectSchema
from generic.types import JSONObject
from trikube.aa import markers, schemas
from trikube.aa.context import Context
from trikube.aa.definition import Definition, DefinitionError, PathColumn, Scale, plural_of
from trikube.aa.model import Metadata, Model

Findings: TypeAlias = Iterable[FieldError] | None
"""What is wrong, each with its path (`aa.fields`); None and nothing mean that all is well."""

AsyncFindings: TypeAlias = Awaitable[Findings] | AsyncIterator[FieldError]

_HEAD = ("apiVersion", "kind")


class Resource(Model):
    """A kind: `class Cat(aa.Resource, group="animal.demo.io", version="v1alpha1"): spec: CatSpec`.

    Hooks are plain methods, which run in a worker thread, or async ones; `default`, columns and conversions are quick
    and plain. What a hook changes in `self` is what is stored. A class without a group is a base for others.
    """

    definition: ClassVar[Definition]
    schema_: ClassVar[ObjectSchema]
    hub: ClassVar["type[Resource] | None"] = None

    metadata: Metadata = Field(default_factory=Metadata)

    def __init_subclass__(
        cls,
        *,
        group: str = "",
        version: str = "",
        kind: str = "",
        namespaced: bool = True,
        plural: str = "",
        singular: str = "",
        short_names: Sequence[str] = (),
        categories: Sequence[str] = (),
        columns: Sequence[PathColumn | tuple[str, str] | tuple[str, str, str]] = (),
        selectable_fields: Sequence[str] = (),
        subresources: Sequence[str] | None = None,
        scale: Scale | None = None,
        hub: "type[Resource] | None" = None,
        **config: Any,
    ) -> None:
        """`subresources`: of status and scale; by default status, if there is such a member.

        `kind`: the class's name if not given. `hub`: the version that is stored, which this one converts to and from.
        """
        super().__init_subclass__()
        # Pydantic has taken those of its own.
        for unknown in config:
            raise DefinitionError(f"{cls.__name__}: {unknown}= is none of the keywords of a resource")

    @classmethod
    def __pydantic_init_subclass__(cls, **given: Any) -> None:
        super().__pydantic_init_subclass__()
        if not given.get("group"):
            if given:
                raise DefinitionError(f"{cls.__name__}: group= is missing, such as animal.demo.io")
            return
        cls.hub = given.pop("hub", None)
        cls.definition = _definition(cls, **given)
        cls.definition.check()
        markers.check(cls)
        _check_model(cls)
        cls.schema_ = ObjectSchema.of_model(cls, package=cls.definition.package)

    # Hooks.

    def default(self) -> None:
        """Fill in what the types' own defaults cannot say. Plain and quick: it runs while the object is decoded."""

    def prepare_for_create(self, ctx: Context) -> Awaitable[None] | None:
        """Set or drop what a client may not choose."""
        return None

    def prepare_for_update(self, ctx: Context, old: Self) -> Awaitable[None] | None:
        """Keep what an update may not change."""
        return None

    def validate_create(self, ctx: Context) -> Findings | AsyncFindings:
        """What is wrong with a new object beyond its types."""
        return None

    def validate_update(self, ctx: Context, old: Self) -> Findings | AsyncFindings:
        """What is wrong with a change; by default what would be wrong with a new object."""
        return self.validate_create(ctx)

    def validate_status_update(self, ctx: Context, old: Self) -> Findings | AsyncFindings:
        """What is wrong with a change of the status."""
        return None

    def validate_delete(self, ctx: Context) -> Findings | AsyncFindings:
        """Why it must not be deleted."""
        return None

    def answer(self, ctx: Context) -> Awaitable[None] | None:
        """For kinds with `storage=aa.NOT_STORED`: fill in what the client asked for."""
        return None

    def convert_to_hub(self) -> "Resource":
        """This object in the hub's version; metadata is carried over for you."""
        raise NotImplementedError

    @classmethod
    def convert_from_hub(cls, hub: Any) -> Self:
        """An object of the hub's version in this one."""
        raise NotImplementedError

    # Between objects and JSON.

    @classmethod
    def from_object(cls, obj: JSONObject) -> Self:
        """Raises pydantic.ValidationError."""
        return cls.model_validate({key: value for key, value in obj.items() if key not in _HEAD})

    def to_object(self) -> JSONObject:
        """With apiVersion and kind, as it stands on the wire."""
        gvk = self.definition.gvk
        return {"apiVersion": gvk.api_version, "kind": gvk.kind, **self.to_json(), "metadata": self.metadata.to_json()}


def _definition(
    cls: type[Resource],
    *,
    group: str,
    version: str = "",
    kind: str = "",
    namespaced: bool = True,
    plural: str = "",
    singular: str = "",
    columns: Sequence[PathColumn | tuple[str, str] | tuple[str, str, str]] = (),
    subresources: Sequence[str] | None = None,
    scale: Scale | None = None,
    **names: Any,
) -> Definition:
    kind = kind or cls.__name__
    for keyword, several in {**names, "subresources": subresources}.items():
        if isinstance(several, str):
            raise DefinitionError(f"{kind}: {keyword}= takes several, such as ({several!r},)")
    if subresources is None:
        subresources = [*(["status"] if "status" in cls.model_fields else []), *(["scale"] if scale else [])]
    unknown = sorted(set(subresources) - {"status", "scale"})
    if unknown:
        raise DefinitionError(f"{kind}: subresources= takes status and scale; @aa.subresource({unknown[0]!r}) the rest")
    return Definition(
        gvk=GroupVersionKind(group, version, kind),
        plural=plural or plural_of(kind),
        singular=singular or kind.lower(),
        namespaced=namespaced,
        columns=tuple(_column(kind, each) for each in columns),
        status="status" in subresources,
        scale=(scale or Scale()) if "scale" in subresources else None,
        **names,
    )


def _column(kind: str, given: object) -> PathColumn:
    if isinstance(given, PathColumn):
        return given
    if isinstance(given, tuple | list) and len(given) in (2, 3) and all(isinstance(each, str) for each in given):
        return PathColumn(*given)
    raise DefinitionError(f"{kind}: columns= takes several (name, JSONPath) or (name, JSONPath, type), not {given!r}")


def _check_model(cls: type[Resource]) -> None:
    """Raises DefinitionError if types, hooks or versions cannot be served as they are."""
    kind, status = cls.definition.gvk.kind, cls.model_fields.get("status")
    taken = sorted({field.alias or name for name, field in cls.model_fields.items()} & set(_HEAD))
    if taken:
        raise DefinitionError(f"{kind}: a member cannot be called {taken[0]}, every object has that")
    metadata = cls.model_fields["metadata"].annotation
    if not isinstance(metadata, type) or not issubclass(metadata, Metadata):
        raise DefinitionError(f"{kind}: metadata is every object's, not a member of its own")
    if cls.definition.status and (status is None or status.is_required()):
        raise DefinitionError(f"{kind}: it has a status subresource, so it needs a member status with a default")
    if markers.is_async(cls.default):
        raise DefinitionError(f"{kind}.default must be a plain method: it runs while the object is decoded")
    if cls.hub is not None:
        _check_hub(cls, cls.hub)
    if cls.__pydantic_complete__:
        check_schema(cls)


def check_schema(cls: type[Resource]) -> None:
    """Raises DefinitionError if the types make no schema. What a class is made of may be written below it."""
    kind = cls.definition.gvk.kind
    try:
        cls.model_rebuild()
        found = cls.model_json_schema(by_alias=True)
    except Exception as error:
        raise DefinitionError(f"{kind} cannot be a schema: {schemas.why(error)}") from None
    problem = schemas.problem(found)
    if problem:
        raise DefinitionError(f"{kind} cannot be a schema: {problem}")


def _check_hub(cls: type[Resource], hub: type[Resource]) -> None:
    own, stored = cls.definition, hub.definition
    if hub.hub is not None:
        raise DefinitionError(f"{cls.__name__}: {hub.__name__} is no hub, it has one itself")
    same = ("plural", "namespaced")
    if any(getattr(own, name) != getattr(stored, name) for name in same) or own.gvk.kind != stored.gvk.kind:
        raise DefinitionError(f"{cls.__name__}: kind, plural and namespaced must be those of its hub {hub.__name__}")
    if own.gvk.group != stored.gvk.group or own.gvk.version == stored.gvk.version:
        raise DefinitionError(f"{cls.__name__}: it must be another version of the group of its hub {hub.__name__}")
    for name in ("convert_to_hub", "convert_from_hub"):
        if getattr(cls, name).__qualname__.startswith("Resource."):
            raise DefinitionError(f"{cls.__name__}: it has a hub, so it needs {name}")
