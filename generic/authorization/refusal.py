"""The 403 in Kubernetes' words. Used by the authorization and the impersonation filter.

Mirrors `apiserver/pkg/endpoints/handlers/responsewriters/errors.go`.
"""

from generic.authorization.interface import AuthorizationAttributes
from generic.meta import errors
from generic.meta.errors import StatusError
from generic.meta.go_text import quote
from generic.meta.gvk import GroupResource


def forbidden(attributes: AuthorizationAttributes, reason: str = "") -> StatusError:
    """The refusal of what `attributes` ask for."""
    why = sanitize(message(attributes))
    if reason:
        why = f"{why}: {reason}"
    return errors.forbidden(GroupResource(attributes.group, attributes.resource), attributes.name, why)


def message(attributes: AuthorizationAttributes) -> str:
    """Who cannot do what, e.g. `User "bob" cannot list resource "pods" in API group "" at the cluster scope`."""
    who = f"User {quote(attributes.user.name)} cannot {attributes.verb}"
    if not attributes.is_resource_request:
        return f"{who} path {quote(attributes.path)}"
    resource = attributes.resource
    if attributes.subresource:
        resource = f"{resource}/{attributes.subresource}"
    what = f"{who} resource {quote(resource)} in API group {quote(attributes.group)}"
    if attributes.namespace:
        return f"{what} in the namespace {quote(attributes.namespace)}"
    return f"{what} at the cluster scope"


def sanitize(text: str) -> str:
    """Harmless where a browser takes it for HTML."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
