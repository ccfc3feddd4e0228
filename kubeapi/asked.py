"""Admission of what is asked of an object by POST to one of its subresources: bindings, evictions, token requests.

Called by the storages of those subresources. Nothing of it is stored, so there is no write path to run the chain.
Mirrors what `apiserver/pkg/endpoints/handlers/create.go` does for a NamedCreater.
"""

from generic.admission.interface import AdmissionChain, Attributes
from generic.meta.gvk import GroupVersionKind, GroupVersionResource
from generic.registry.options import WriteOptions
from generic.request.context import RequestContext
from generic.types import JSONObject


async def admit(
    chain: AdmissionChain,
    request: RequestContext,
    obj: JSONObject,
    *,
    resource: GroupVersionResource,
    kind: GroupVersionKind,
    subresource: str,
    namespace: str,
    name: str,
    options: WriteOptions,
) -> None:
    """Both passes over the new object, which plugins may change. Raises their refusal."""
    if namespace:
        obj.setdefault("metadata", {}).setdefault("namespace", namespace)
    attributes = Attributes(
        operation="CREATE",
        request=request,
        resource=resource,
        kind=kind,
        namespace=namespace,
        name=name,
        subresource=subresource,
        object=obj,
        options=options.to_object("CREATE"),
        dry_run=options.dry_run,
    )
    await chain.admit(attributes)
    await chain.validate(attributes)
