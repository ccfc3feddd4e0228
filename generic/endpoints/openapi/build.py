"""From the resources of a group-version to its OpenAPI v3 document.

Called by the servers, which publish it with `GenericServer.publish_openapi` whenever they install or uninstall. Read
by `kubectl explain` (kinds by the GET operations of their paths), by `kubectl apply` (which verbs take
fieldValidation) and by server-side apply clients (list types of the components). Mirrors
`apiserver/pkg/endpoints/installer.go` and `kube-openapi/pkg/builder3`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from generic.endpoints import patch
from generic.endpoints.openapi import shared
from generic.endpoints.openapi.known_types import KnownTypes
from generic.endpoints.openapi.v3 import Document
from generic.meta.gvk import GroupVersion, GroupVersionKind
from generic.protobuf import envelope
from generic.registry import rest
from generic.registry.rest import InstalledResource, Subresource
from generic.schema import common
from generic.schema.object_schema import UNNAMED, ObjectSchema
from generic.types import JSONObject

GVK = "x-kubernetes-group-version-kind"

_ON_COLLECTION = {
    "list": ("get", "list"),
    "create": ("post", "post"),
    "deletecollection": ("delete", "deletecollection"),
}
_ON_OBJECT = {
    "get": ("get", "get"),
    "update": ("put", "put"),
    "patch": ("patch", "patch"),
    "delete": ("delete", "delete"),
}
"""From verbs to HTTP methods and x-kubernetes-action."""

_NAMES = {
    "list": "list",
    "post": "create",
    "deletecollection": "deleteCollection",
    "get": "read",
    "put": "replace",
    "patch": "patch",
    "delete": "delete",
    "connect": "connect",
}


_NO_TYPES = KnownTypes()


def document(
    group_version: GroupVersion, resources: Callable[[], Sequence[InstalledResource]], types: KnownTypes = _NO_TYPES
) -> Document:
    """The document of a group-version, made when first asked for; publish a new one when resources come or go."""
    return Document(lambda: build(group_version, resources(), types))


def build(
    group_version: GroupVersion, resources: Sequence[InstalledResource], types: KnownTypes = _NO_TYPES
) -> JSONObject:
    """The document of a group-version with these resources. `types` are described as they describe themselves."""
    known: dict[str, JSONObject] = {}
    for name in (common.OBJECT_META, *shared.COMPONENTS):
        types.add_to(known, name)
    components: dict[str, JSONObject] = {**shared.COMPONENTS, **known}
    paths: dict[str, JSONObject] = {}
    for installed in resources:
        _Describer(group_version, installed, components, types=types).describe(paths)
    return {
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": "unversioned"},
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "BearerToken": {
                    "type": "apiKey",
                    "name": "authorization",
                    "in": "header",
                    "description": "Bearer Token authentication",
                }
            },
        },
    }


def component_name(gvk: GroupVersionKind) -> str:
    """The name of a kind's component where nobody gave it one: `com.example.v1.Widget`, as CRDs have."""
    return ".".join((*reversed(gvk.group.split(".")), gvk.version, gvk.kind))


class _Describer:
    """One resource on its way into a document."""

    def __init__(
        self,
        group_version: GroupVersion,
        installed: InstalledResource,
        components: dict[str, JSONObject],
        *,
        types: KnownTypes,
    ) -> None:
        self._version = group_version
        self._installed = installed
        self._resource = installed.resource
        self._components = components
        self._types = types
        self._tag = f"{_words(group_version.group or 'core')[0].lower()}{_words(group_version.group or 'core')[1:]}"

    def describe(self, paths: dict[str, JSONObject]) -> None:
        """Add the paths of the resource and its subresources, and the components they speak of."""
        resource = self._resource
        name = self._add_component(resource.schema, resource.gvk)
        root = self._version.path
        base = f"{root}/namespaces/{{namespace}}" if resource.namespaced else root
        collection, verbs = f"{base}/{resource.gvr.resource}", set(self._installed.verbs())
        # A list is described even where it cannot be had: whoever decodes one needs its kind.
        list_name = self._add_list(name)

        self._add(paths, collection, self._operations(verbs, _ON_COLLECTION, name, list_name))
        self._add(paths, f"{collection}/{{name}}", self._operations(verbs, _ON_OBJECT, name, list_name))
        if resource.namespaced and "list" in verbs:
            operations = self._operations({"list"}, _ON_COLLECTION, name, list_name, everywhere=True)
            self._add(paths, f"{root}/{resource.gvr.resource}", operations)
        for sub, entry in self._installed.subresources.items():
            self._add(paths, f"{collection}/{{name}}/{sub}", self._of_subresource(sub, entry, name))

    def _of_subresource(self, sub: str, entry: Subresource, parent: str) -> dict[str, JSONObject]:
        if isinstance(entry.storage, rest.Connecter):
            return {
                method.lower(): self._connect(method, sub, entry.gvk)
                for method in sorted(entry.storage.connect_methods)
            }
        name = self._add_component(entry.schema, entry.gvk) if entry.schema is not None else parent
        verbs = set(rest.verbs_of(entry.storage))
        kinds = {**_ON_OBJECT, "create": _ON_COLLECTION["create"]}
        return self._operations(verbs, kinds, name, name, sub=sub, gvk=entry.gvk)

    # Paths.

    def _add(self, paths: dict[str, JSONObject], path: str, operations: Mapping[str, JSONObject]) -> None:
        if not operations:
            return
        parameters = [shared.PRETTY]
        if "{namespace}" in path:
            parameters.append(shared.in_path("namespace", "Namespace of the object."))
        if "{name}" in path:
            parameters.append(shared.in_path("name", f"Name of the {self._resource.kind}."))
        paths[path] = {**operations, "parameters": parameters}

    def _operations(
        self,
        verbs: Iterable[str],
        kinds: Mapping[str, tuple[str, str]],
        name: str,
        list_name: str,
        *,
        sub: str = "",
        gvk: GroupVersionKind | None = None,
        everywhere: bool = False,
    ) -> dict[str, JSONObject]:
        made: dict[str, JSONObject] = {}
        for verb in verbs:
            if verb in kinds:
                method, action = kinds[verb]
                answer = list_name if action == "list" else name
                made[method] = {
                    **self._head(action, sub, gvk or self._resource.gvk, everywhere=everywhere),
                    "parameters": list(shared.PARAMETERS.get(action, ())),
                    **self._body(action, name),
                    "responses": self._responses(action, answer),
                }
        return made

    def _head(self, action: str, sub: str, gvk: GroupVersionKind, *, everywhere: bool = False) -> JSONObject:
        kind, version = self._resource.kind, self._version
        scope = "Namespaced" if self._resource.namespaced and not everywhere else ""
        where = "ForAllNamespaces" if everywhere else ""
        group = _words(version.group or "core")
        identity = f"{_NAMES[action]}{group}{version.version.capitalize()}{scope}{kind}{sub.capitalize()}{where}"
        return {
            "operationId": identity,
            "description": f"{_NAMES[action]} {kind}{f' {sub}' if sub else ''}",
            "tags": [f"{self._tag}_{version.version}"],
            "x-kubernetes-action": action,
            GVK: {"group": gvk.group, "kind": gvk.kind, "version": gvk.version},
        }

    def _connect(self, method: str, sub: str, gvk: GroupVersionKind) -> JSONObject:
        head = self._head("connect", sub, gvk)
        answers = {"200": {"description": "OK", "content": {"*/*": {"schema": {"type": "string"}}}}}
        return {**head, "operationId": f"{head['operationId']}{method.capitalize()}", "responses": answers}

    def _body(self, action: str, name: str) -> JSONObject:
        if action in ("post", "put"):
            return {"requestBody": {"required": True, "content": shared.content(name, ("*/*",))}}
        if action == "patch":
            types = patch.accepted_types(self._resource)
            return {"requestBody": {"required": True, "content": shared.content(shared.PATCH, types)}}
        if action in ("delete", "deletecollection"):
            return {"requestBody": {"content": shared.content(shared.DELETE_OPTIONS, ("*/*",))}}
        return {}

    def _responses(self, action: str, name: str) -> JSONObject:
        own_object = action == "delete" and self._resource.strategy.returns_deleted_object
        if action == "deletecollection" or (action == "delete" and not own_object):
            name = shared.STATUS
        media_types: Sequence[str] = shared.LIST_MEDIA_TYPES if action == "list" else shared.MEDIA_TYPES
        if self._resource.protobuf is None:
            media_types = tuple(one for one in media_types if not one.startswith(envelope.MEDIA_TYPE))
        codes = {
            "post": ("200", "201", "202"),
            "put": ("200", "201"),
            "patch": ("200", "201"),
            "delete": ("200", "202"),
        }
        answers: dict[str, Any] = {
            code: {"description": _REASONS[code], "content": shared.content(name, media_types)}
            for code in codes.get(action, ("200",))
        }
        return {**answers, "401": {"description": "Unauthorized"}}

    # Components.

    def _add_component(self, schema: ObjectSchema, gvk: GroupVersionKind) -> str:
        """The component of a kind and all it reaches; returns its name."""
        known = self._types.name_of(gvk)
        if known is not None:
            self._types.add_to(self._components, known)
            return known
        root, reached = schema.openapi()
        name = component_name(gvk) if root == UNNAMED else root
        for reached_name, component in reached.items():
            # What all kinds share is there already, in the words of `types`.
            if not reached_name.startswith(f"{common.META}.") or reached_name not in self._components:
                self._components[name if reached_name == root else reached_name] = component
        self._components[name] = {**reached[root], GVK: _with_kind(reached[root].get(GVK) or (), gvk)}
        return name

    def _add_list(self, item: str) -> str:
        name = f"{item.removesuffix(self._resource.kind)}{self._resource.list_kind}"
        gvk = self._resource.group_version.with_kind(self._resource.list_kind)
        if self._types.name_of(gvk) == name:
            self._types.add_to(self._components, name)
            return name
        self._components[name] = {
            "type": "object",
            "description": f"{self._resource.list_kind} is a list of {self._resource.kind}.",
            "required": ["items"],
            "properties": {
                **common.TYPE_PROPERTIES,
                "metadata": {"allOf": [shared.reference(common.LIST_META)], "description": "Standard list metadata."},
                "items": {"type": "array", "items": shared.reference(item), "description": "The objects."},
            },
            GVK: _with_kind((), gvk),
        }
        return name


_REASONS = {"200": "OK", "201": "Created", "202": "Accepted"}


def _with_kind(known: Sequence[JSONObject], gvk: GroupVersionKind) -> list[JSONObject]:
    own = {"group": gvk.group, "kind": gvk.kind, "version": gvk.version}
    return [*known, *([] if own in known else [own])]


def _words(group: str) -> str:
    """A group as it stands in names of operations: `rbac.authorization.k8s.io` is RbacAuthorization."""
    return "".join(part[:1].upper() + part[1:] for part in group.removesuffix(".k8s.io").split("."))
