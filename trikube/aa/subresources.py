"""REST storage of the subresources an author writes with `@aa.subresource`: a kind of its own, on top of its parent.

Made by `install.py`, called by the endpoints. Mirrors `apiserver-runtime/pkg/builder/resource/resourcerest` and its
ArbitrarySubResource.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
import pydantic
from pydantic import BaseModel

from generic.meta import errors, fields
from generic.meta.gvk import GroupVersionKind
from generic.patching.apply.managers import Author
from generic.registry.options import GetOptions, WriteOptions
from generic.registry.rest import Transform, Written
from generic.registry.store import Store
from generic.request.context import RequestContext
from generic.schema.object_schema import ObjectSchema
from generic.storage.objects import StoredObject
from generic.types import JSONObject
from trikube.aa import applying, calling
from trikube.aa.applying import Claims, PartShape
from trikube.aa.context import Context
from trikube.aa.hooks import ResourceHooks, merge
from trikube.aa.markers import Verb
from trikube.aa.resource import Resource

Action = Callable[..., Any]
_KEPT = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")


@dataclass(frozen=True, slots=True)
class Part:
    """A subresource: the kind it speaks, the model of that kind, and what answers which verb.

    An action of `get` takes (parent, ctx), of `update` and `create` (parent, ctx, body). `claims`: where it is known
    what an applied part says of its object.
    """

    name: str
    gvk: GroupVersionKind
    model: type[BaseModel]
    actions: Mapping[Verb, Action]
    schema: ObjectSchema
    claims: Claims | None = None


class _Storage:
    """What the verbs share."""

    def __init__(self, part: Part, hooks: ResourceHooks, parents: Store) -> None:
        self.part = part
        self.hooks = hooks
        self.parents = parents
        self.shape = PartShape(part.schema)

    async def run(self, verb: Verb, *arguments: Any) -> Any:
        kind = self.hooks.cls.definition.gvk.kind
        return await calling.call(f"{verb} of {kind}/{self.part.name}", self.part.actions[verb], *arguments)

    async def shown(self, parent: Resource, context: Context) -> JSONObject:
        return self.object_of(await self.run("get", parent, context), parent)

    def object_of(self, found: Any, parent: Resource) -> JSONObject:
        """What an action returned, as an object with its parent's identity. None stands for the parent itself."""
        if found is None:
            found = parent
        if isinstance(found, Resource):
            return found.to_object()
        if not isinstance(found, BaseModel):
            what = f"{self.hooks.cls.__name__}/{self.part.name}"
            raise errors.internal_error(f"{what} answered with a {type(found).__name__}, not with an aa.Model")
        gvk = self.part.gvk if isinstance(found, self.part.model) else self._beside(type(found))
        metadata = parent.metadata.to_json()
        body = found.model_dump(mode="json", by_alias=True, exclude_none=True)
        head = {"kind": gvk.kind, "apiVersion": gvk.api_version}
        return {**head, "metadata": {key: metadata[key] for key in _KEPT if key in metadata}, **body}

    def body_of(self, obj: JSONObject, name: str) -> BaseModel:
        """Raises StatusError, 422."""
        members = {key: value for key, value in obj.items() if key not in ("apiVersion", "kind", "metadata")}
        try:
            return self.part.model.model_validate(members)
        except pydantic.ValidationError as error:
            problem = error.errors(include_url=False)[0]
            path = ".".join(map(str, problem["loc"])) or self.part.name
            found = [fields.invalid(path, str(problem["input"]), problem["msg"].removeprefix("Value error, "))]
            raise errors.invalid(self.part.gvk.group_kind, name, found) from None

    def parent_of(self, obj: JSONObject | None, name: str) -> Resource:
        """Raises StatusError, 404 and, where what is stored does not fit the class, 500."""
        if obj is None:
            raise errors.not_found(self.parents.resource.group_resource, name)
        found = self.hooks.parse(obj)
        if found is None:
            raise errors.internal_error(f'the stored object "{name}" does not fit {self.hooks.cls.__name__}')
        return found

    def _beside(self, model: type[BaseModel]) -> GroupVersionKind:
        return self.hooks.cls.definition.group_version.with_kind(model.__name__)


class _Get(_Storage):
    async def get(self, request: RequestContext, namespace: str, name: str, options: GetOptions) -> StoredObject:
        found = await self.parents.get(request, namespace, name, options)
        parent = self.parent_of(await in_version(self.parents, found), name)
        return _stored(found, await self.shown(parent, self.hooks.context(request)))


class _Update(_Get):
    async def update(
        self, request: RequestContext, namespace: str, name: str, transform: Transform, options: WriteOptions
    ) -> Written:
        context = self.hooks.context(request, dry_run=options.dry_run)
        configuration = transform.configuration

        async def apply(obj: JSONObject | None) -> JSONObject:
            parent = self.parent_of(obj, name)
            assert obj is not None
            shown = await self.shown(parent, context)
            wanted = await transform.apply(shown if configuration is None else self.shape.merged(shown, configuration))
            before = parent.to_object()
            await self.run("update", parent, context, self.body_of(wanted, name))
            merge(obj, before, parent.to_object())
            for key in ("resourceVersion", "uid"):
                # What the client pinned is for the Store to compare; unpinned, it goes on top of the newest object.
                obj["metadata"].pop(key, None)
                if wanted["metadata"].get(key):
                    obj["metadata"][key] = wanted["metadata"][key]
            return obj

        claims = None
        if configuration is not None:
            claims = await self._claims(request, namespace, name, configuration, options)
        written = await self.parents.update(request, namespace, name, Transform(apply, configuration=claims), options)
        parent = self.parent_of(await in_version(self.parents, written.object), name)
        return Written(_stored(written.object, await self.shown(parent, context)), created=False)

    async def _claims(
        self, request: RequestContext, namespace: str, name: str, configuration: JSONObject, options: WriteOptions
    ) -> JSONObject:
        """What an applied part says of the object: found by trying it, where nobody knows."""
        if self.part.claims is not None:
            return self.part.claims(configuration, self.hooks.cls.definition.gvk)
        before = await in_version(self.parents, await self.parents.get(request, namespace, name, GetOptions()))
        parent, context = self.parent_of(before, name), self.hooks.context(request, dry_run=True)
        wanted, first = self.shape.merged(await self.shown(parent, context), configuration), parent.to_object()
        await self.run("update", parent, context, self.body_of(wanted, name))
        after = {**before, "metadata": {**before["metadata"]}}
        merge(after, first, parent.to_object())
        author = Author(options.field_manager, str(self.parents.resource.group_version), self.part.name)
        return applying.changed(self.parents, before, after, author)


class _Create(_Storage):
    async def create_named(
        self, request: RequestContext, namespace: str, name: str, obj: JSONObject, options: WriteOptions
    ) -> StoredObject:
        context = self.hooks.context(request, dry_run=options.dry_run)
        body = self.body_of(obj, name)
        answers: list[Any] = []

        async def apply(parent_obj: JSONObject | None) -> JSONObject:
            parent = self.parent_of(parent_obj, name)
            assert parent_obj is not None
            before = parent.to_object()
            answers[:] = [await self.run("create", parent, context, body)]
            merge(parent_obj, before, parent.to_object())
            parent_obj["metadata"].pop("resourceVersion", None)
            return parent_obj

        written = await self.parents.update(request, namespace, name, Transform(apply), options)
        parent = self.parent_of(await in_version(self.parents, written.object), name)
        return _stored(written.object, self.object_of(answers[0], parent))


class _GetCreate(_Get, _Create):
    pass


class _UpdateCreate(_Update, _Create):
    pass


def storage(part: Part, hooks: ResourceHooks, parents: Store) -> object:
    """With the capabilities of the verbs the part has; `parents` stores what its actions change."""
    made: type[_Storage]
    if "update" in part.actions:
        made = _UpdateCreate if "create" in part.actions else _Update
    elif "get" in part.actions:
        made = _GetCreate if "create" in part.actions else _Get
    else:
        made = _Create
    return made(part, hooks, parents)


async def in_version(store: Store, stored: StoredObject) -> JSONObject:
    """The object decoded, in the version the store serves."""
    obj, resource = stored.decoded(), store.resource
    if resource.converter is None or obj["apiVersion"] == str(resource.group_version):
        return obj
    return (await resource.converter.convert([obj], resource.group_version))[0]


def _stored(parent: StoredObject, obj: JSONObject) -> StoredObject:
    return StoredObject(
        key=parent.key, namespace=parent.namespace, name=parent.name, revision=parent.revision, raw=orjson.dumps(obj)
    )
