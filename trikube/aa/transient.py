"""TransientStorage: kinds whose objects are answers, like TokenReview. Made by `install.py` for `aa.NOT_STORED`."""

import orjson

from generic.admission.interface import AdmissionChain, Attributes
from generic.meta import errors
from generic.registry import system_fields
from generic.registry.options import WriteOptions
from generic.registry.resource import Resource
from generic.request.context import RequestContext
from generic.storage.objects import StoredObject
from generic.types import JSONObject
from trikube.aa.hooks import ResourceHooks


class TransientStorage:
    """POST alone: prepare, admit, validate, answer."""

    def __init__(self, resource: Resource, hooks: ResourceHooks, admission: AdmissionChain) -> None:
        self._resource = resource
        self._hooks = hooks
        self._admission = admission

    async def create(
        self, request: RequestContext, namespace: str, obj: JSONObject, options: WriteOptions
    ) -> StoredObject:
        """See `generic.registry.rest.Creater`."""
        resource = self._resource
        system_fields.fit_namespace(resource, obj, namespace)
        name = obj["metadata"].get("name") or ""
        attributes = Attributes(
            "CREATE",
            request,
            resource.gvr,
            resource.gvk,
            namespace,
            name,
            object=obj,
            options=options.to_object("CREATE"),
            dry_run=options.dry_run,
        )
        await self._admission.admit(attributes)
        problems = resource.schema.validate(obj)
        problems += await resource.strategy.validate_rules(request, obj, None, problems)
        if problems:
            raise errors.invalid(resource.group_kind, name, problems)
        await self._admission.validate(attributes)
        await self._hooks.change("answer", obj, self._hooks.context(request, dry_run=options.dry_run))
        return StoredObject(key="", namespace=namespace, name=name, revision=0, raw=orjson.dumps(obj))
