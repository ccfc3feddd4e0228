"""Delegated authorization: what an aggregated server decides itself, and for the rest asks the main server.

Called by whoever composes an aggregated server (`trikube.aa`). Mirrors
`apiserver/pkg/server/options/authorization.go` DelegatingAuthorizationOptions.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from generic.authorization.always_allow import AlwaysAllowPaths
from generic.authorization.interface import Authorizer
from generic.authorization.privileged import PrivilegedGroups
from generic.authorization.subject_access_review import SubjectAccessReviewAuthorizer
from generic.authorization.union import UnionAuthorizer
from generic.client.rest import Client
from generic.request.user import PRIVILEGED_GROUP

HEALTH_PATHS = ("/healthz", "/readyz", "/livez")


@dataclass(frozen=True, slots=True)
class DelegatedAuthorizationOptions:
    """Go's defaults. Times in seconds."""

    always_allow_groups: Iterable[str] = (PRIVILEGED_GROUP,)
    always_allow_paths: Iterable[str] = HEALTH_PATHS
    allow_ttl: float = 10.0
    deny_ttl: float = 10.0


def delegated_authorizer(client: Client, options: DelegatedAuthorizationOptions | None = None) -> Authorizer:
    """Privileged groups and probes pass; everything else is a SubjectAccessReview through `client`."""
    options = options or DelegatedAuthorizationOptions()
    return UnionAuthorizer((
        PrivilegedGroups(options.always_allow_groups),
        AlwaysAllowPaths(options.always_allow_paths),
        SubjectAccessReviewAuthorizer(client, allow_ttl=options.allow_ttl, deny_ttl=options.deny_ttl),
    ))
