"""From a resource request to its verb handler, by method and by what the storage can do.

Called by GenericServer once it has found the resource. Mirrors the route table that
`apiserver/pkg/endpoints/installer.go` builds.
"""

from collections.abc import Awaitable, Callable

from generic.endpoints import delete, installed, read, representation, watch, write
from generic.endpoints.installed import EndpointRequest
from generic.meta import errors
from generic.registry import rest
from generic.registry.rest import InstalledResource
from generic.request.context import RequestContext
from generic.types import Receive, Scope, Send

_PARTS_WITH_SUBRESOURCE = 3
_OF_ALL_NAMESPACES = ("list", "watch")


async def serve(
    scope: Scope, receive: Receive, send: Send, *, context: RequestContext, target: InstalledResource
) -> None:
    """Answer a request for `target`, whose path is `in_scope`.

    Raises StatusError: 404 for an unknown subresource, 405 for a verb it lacks.
    """
    info = context.info
    if target.resource.deprecation_warning:
        context.warn(target.resource.deprecation_warning)
        context.annotate("k8s.io/deprecated", "true")
    subresource = None
    if info.subresource:
        subresource = target.subresources.get(info.subresource)
        if subresource is None or not info.name:
            raise _missing(target)
    request = installed.make(scope, receive, send, context=context, installed=target, subresource=subresource)
    storage = request.storage
    if rest.connects(storage):
        if scope["method"] not in storage.connect_methods:
            raise _not_allowed(target, context)
        await storage.connect(context, request.namespace, request.name, scope, receive, send)
        return
    if len(info.parts) > _PARTS_WITH_SUBRESOURCE:
        raise _missing(target)
    await _by_verb(request)


def in_scope(context: RequestContext, target: InstalledResource) -> bool:
    """Whether the path is one of the resource's: with a namespace if its objects are in one, without if not.

    That of all namespaces at once is for lists and watches; whoever is in scope with another verb is not allowed it.
    """
    return bool(context.info.namespace) == target.resource.namespaced or _crosses_namespaces(context, target)


async def _by_verb(request: EndpointRequest) -> None:
    handler = _handler(request)
    if request.scope["method"] == "HEAD" and not request.resource.lenient_types:
        # No route is for it; custom resources have no routes.
        handler = None
    if handler is None:
        raise _not_allowed(request.installed, request.context)
    if handler is not watch.watch:
        includes = request.query.get("includeObject", ("",))[0]
        is_list = handler in (read.list_, delete.delete_collection)
        representation.accept_or_refuse(request.resource, request.header(b"accept"), includes, is_list=is_list)
    await handler(request)


def _handler(request: EndpointRequest) -> Callable[[EndpointRequest], Awaitable[None]] | None:
    """None: the storage has nothing for this verb."""
    storage = request.storage
    if request.resource.namespaced and not request.namespace and request.context.info.verb not in _OF_ALL_NAMESPACES:
        return None
    match request.context.info.verb:
        case "get" if rest.offers(storage, rest.Getter):
            return read.get
        case "list" if rest.offers(storage, rest.Lister):
            return read.list_
        case "watch" if rest.offers(storage, rest.Watcher):
            return watch.watch
        case "create" if rest.offers(storage, rest.NamedCreater) and request.name:
            return write.create_named
        case "create" if rest.offers(storage, rest.Creater) and not request.name:
            return write.create
        case "update" if rest.offers(storage, rest.Updater) and request.name:
            return write.update
        case "patch" if rest.offers(storage, rest.Updater) and request.name:
            return write.patch_
        case "delete" if rest.offers(storage, rest.Deleter):
            return delete.delete
        case "deletecollection" if rest.offers(storage, rest.CollectionDeleter):
            return delete.delete_collection
        case _:
            return None


def _crosses_namespaces(context: RequestContext, target: InstalledResource) -> bool:
    """Lists and watches of a namespaced resource over all namespaces; a Namespace itself is "in" itself."""
    if not target.resource.namespaced:
        return target.resource.group_resource == ("", "namespaces") and context.info.name == context.info.namespace
    if "namespaces" in context.info.path.split("/")[:5]:
        return False
    if context.info.verb in _OF_ALL_NAMESPACES:
        return True
    # There is such a route, so other methods are not allowed; custom resources have no routes.
    return not (target.resource.lenient_types or context.info.name) and rest.offers(target.storage, rest.Lister)


def _missing(target: InstalledResource) -> errors.StatusError:
    if target.resource.lenient_types:
        return errors.route_not_found(target.resource.group_resource)
    return errors.route_not_found()


def _not_allowed(target: InstalledResource, context: RequestContext) -> errors.StatusError:
    if target.resource.lenient_types:
        return errors.method_not_allowed(target.resource.group_resource, context.info.verb)
    return errors.route_method_not_allowed()
