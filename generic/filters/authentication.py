"""Finds out who is asking; 401 if that cannot be established.

Behind it the credentials are gone from the headers, so that no handler or proxy can pass them on.
Mirrors `apiserver/pkg/endpoints/filters/authentication.go`.
"""

import logging
from time import perf_counter
from typing import NoReturn

from generic.audit.options import Auditing
from generic.authentication.interface import AuthenticationError, RequestAuthenticator
from generic.authentication.request_header import RequestHeaderOptions
from generic.filters.response_headers import CLOSE
from generic.meta import errors
from generic.metrics import Metrics
from generic.request import context
from generic.request.context import RequestContext
from generic.request.user import ANONYMOUS
from generic.types import ASGIApp, Filter, Receive, Scope, Send

_LOG = logging.getLogger(__name__)

_KNOWN_USERS = frozenset(("admin", "client", "kube_proxy", "kubelet", "system:serviceaccount:kube-system:default"))


def with_authentication(
    authenticator: RequestAuthenticator,
    *,
    front_proxy: RequestHeaderOptions | None = None,
    metrics: Metrics | None = None,
    auditor: Auditing | None = None,
) -> Filter:
    """Set `context.user`. `front_proxy`: headers of its own naming to strip besides the standard ones.

    `auditor` is told of those who are refused; the audit filter never sees them.
    """
    names, prefixes = _credential_headers(front_proxy)

    async def refuse(scope: Scope, request: RequestContext, result: str, *, started: float) -> NoReturn:
        request.trace.add("authentication", result)
        if metrics is not None:
            metrics.authentications.observe(result, seconds=perf_counter() - started)
        _do_not_keep_open(scope, request)
        refusal = errors.unauthorized()
        if auditor is not None:
            await auditor.refused(scope, request, refusal)
        raise refusal

    def wrap(app: ASGIApp) -> ASGIApp:
        async def handle(scope: Scope, receive: Receive, send: Send) -> None:
            request = context.of(scope)
            started = perf_counter()
            try:
                user = await authenticator.authenticate(scope)
            except AuthenticationError as error:
                _LOG.info("unable to authenticate the request %s: %s", request.audit_id, error)
                await refuse(scope, request, "error", started=started)
            if user is None:
                await refuse(scope, request, "failure", started=started)
            request.user = user
            _strip(scope, names, prefixes)
            if user.name == ANONYMOUS:
                _do_not_keep_open(scope, request)
            if metrics is not None:
                metrics.authentications.observe("success", seconds=perf_counter() - started)
                metrics.authenticated_users.add(_compressed(user.name))
            await app(scope, receive, send)

        return handle

    return wrap


def _do_not_keep_open(scope: Scope, request: RequestContext) -> None:
    """HTTP/2 makes floods of requests cheap for their sender (CVE-2023-44487): strangers get one connection each."""
    if scope["http_version"] == "2":
        request.response_headers.append(CLOSE)


def _credential_headers(front_proxy: RequestHeaderOptions | None) -> tuple[frozenset[bytes], tuple[bytes, ...]]:
    """Names and prefixes of the headers nobody behind authentication gets to see."""
    names, prefixes = {b"authorization"}, {b"x-remote-"}
    if front_proxy is not None:
        for own in (front_proxy.username_headers, front_proxy.uid_headers, front_proxy.group_headers):
            names.update(name.lower().encode() for name in own)
        prefixes.update(prefix.lower().encode() for prefix in front_proxy.extra_header_prefixes if prefix)
    return frozenset(names), tuple(prefixes)


def _strip(scope: Scope, names: frozenset[bytes], prefixes: tuple[bytes, ...]) -> None:
    headers = scope["headers"]
    kept = [header for header in headers if header[0] not in names and not header[0].startswith(prefixes)]
    if len(kept) != len(headers):
        scope["headers"] = kept


def _compressed(name: str) -> str:
    """A label of few values: user names are without number."""
    if name in _KNOWN_USERS:
        return name
    return "email_id" if "@" in name else "other"
