"""From a resource request to its verb handler, by method and by what the storage can do.

Called by GenericServer once it has found the resource. Mirrors the route table that
`apiserver/pkg/endpoints/installer.go` builds.
"""

from generic.endpoints import delete, installed, read, watch, write
from generic.endpoints.installed import EndpointRequest
from generic.meta import errors
from generic.registry import rest
from generic.registry.rest import InstalledResource
from generic.request.context import RequestContext
from generic.types import Receive, Scope, Send

_PARTS_WITH_SUBRESOURCE = 3


async def serve(
    scope: Scope, receive: Receive, send: Send, *, context: RequestContext, target: InstalledResource
) -> None:
    """Answer a request for `target` that is `in_scope`. Raises StatusError: 404 for an unknown subresource, 405 for a verb it lacks."""
    info = context.info
    if target.resource.deprecation_warning:
        context.warn(target.resource.deprecation_warning)
    subresource = None
    if info.subresource:
        subresource = target.subresources.get(info.subresource)
        if subresource is None or not info.name:
            raise _missing(target)
    request = installed.make(scope, receive, send, context=context, installed=target, subresource=subresource)
    storage = request.storage
    if isinstance(storage, rest.Connecter):
        if scope["method"] not in storage.connect_methods:
            raise _not_allowed(target, context)
        await storage.connect(context, request.namespace, request.name, scope, receive, send)
        return
    if len(info.parts) > _PARTS_WITH_SUBRESOURCE:
        raise _missing(target)
    await _by_verb(request)


def in_scope(context: RequestContext, target: InstalledResource) -> bool:
    """Whether the path is one of the resource's: with a namespace if its objects are in one, without if not."""
    return bool(context.info.namespace) == target.resource.namespaced or _crosses_namespaces(context, target)


async def _by_verb(request: EndpointRequest) -> None:
    storage, verb = request.storage, request.context.info.verb
    if request.scope["method"] == "HEAD" and not isinstance(storage, rest.Getter | rest.Lister):
        raise _not_allowed(request.installed, request.context)
    match verb:
        case "get" if isinstance(storage, rest.Getter):
            await read.get(request)
        case "list" if isinstance(storage, rest.Lister):
            await read.list_(request)
        case "watch" if isinstance(storage, rest.Watcher):
            await watch.watch(request)
        case "create" if isinstance(storage, rest.NamedCreater) and request.name:
            await write.create_named(request)
        case "create" if isinstance(storage, rest.Creater) and not request.name:
            await write.create(request)
        case "update" if isinstance(storage, rest.Updater) and request.name:
            await write.update(request)
        case "patch" if isinstance(storage, rest.Updater) and request.name:
            await write.patch_(request)
        case "delete" if isinstance(storage, rest.Deleter):
            await delete.delete(request)
        case "deletecollection" if isinstance(storage, rest.CollectionDeleter):
            await delete.delete_collection(request)
        case _:
            raise _not_allowed(request.installed, request.context)


def _crosses_namespaces(context: RequestContext, target: InstalledResource) -> bool:
    """Lists and watches of a namespaced resource over all namespaces; a Namespace itself is "in" itself."""
    if not target.resource.namespaced:
        return target.resource.group_resource == ("", "namespaces") and context.info.name == context.info.namespace
    return context.info.verb in ("list", "watch") and "namespaces" not in context.info.path.split("/")[:5]


def _missing(target: InstalledResource) -> errors.StatusError:
    if target.resource.lenient_types:
        return errors.route_not_found(target.resource.group_resource)
    return errors.route_not_found()


def _not_allowed(target: InstalledResource, context: RequestContext) -> errors.StatusError:
    if target.resource.lenient_types:
        return errors.method_not_allowed(target.resource.group_resource, context.info.verb)
    return errors.StatusError(
        405, "MethodNotAllowed", "the server does not allow this method on the requested resource", details={}
    )
