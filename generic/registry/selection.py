"""From the selectors of a request to the Predicate the Cacher answers.

Called by Store and delete.py. A field selector on a label the resource does not offer is a 400, as in
`apimachinery`'s field label conversion functions.
"""

from generic.meta import errors
from generic.registry.options import ListOptions
from generic.registry.resource import Resource
from generic.request.context import RequestContext
from generic.storage.predicate import Predicate

_ALWAYS = frozenset({"metadata.name", "metadata.namespace"})


def predicate(resource: Resource, request: RequestContext, namespace: str, options: ListOptions) -> Predicate:
    """Raises 400 on an unknown field label."""
    for label, _, _ in options.fields.requirements:
        if label not in _ALWAYS and label not in resource.selectable_fields:
            if resource.lenient_types or resource.selectable_fields:
                raise errors.bad_request(f"field label not supported: {label}")
            raise errors.bad_request(
                f'"{label}" is not a known field selector: only "metadata.name", "metadata.namespace"'
            )
    return Predicate(namespace=namespace, name=request.info.name, labels=options.labels, fields=options.fields)
