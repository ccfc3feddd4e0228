"""TokenRequests: the `token` subresource of service accounts, which makes tokens. What `kubectl create token` calls.

Made by `kubeapi/resources/subresources.py`. Nothing is stored: a token is good by its signature, and as long as the
account and the object it is bound to exist. Mirrors TokenREST of `pkg/registry/core/serviceaccount/storage/token.go`.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import orjson

from generic.admission.interface import NO_ADMISSION, AdmissionChain
from generic.meta import errors, fields
from generic.meta import time as meta_time
from generic.meta.fields import FieldError
from generic.meta.gvk import GroupResource, GroupVersion
from generic.meta.names import new_uid
from generic.registry.options import WriteOptions
from generic.request.context import RequestContext
from generic.storage.objects import StoredObject
from generic.types import JSONObject
from kubeapi import asked
from kubeapi.serviceaccounts import names
from kubeapi.serviceaccounts.claims import Claims, Reference
from kubeapi.serviceaccounts.lookup import Lookup
from kubeapi.serviceaccounts.options import ServiceAccountOptions

TOKEN_REQUEST = GroupVersion("authentication.k8s.io", "v1").with_kind("TokenRequest")
SERVICE_ACCOUNTS = GroupVersion("", "v1").with_resource("serviceaccounts")

DEFAULT_SECONDS = 3600
LEAST_SECONDS = 600
MOST_SECONDS = 2**32
POD_SECONDS = 3607
"""What the token a pod gets by default asks for: by this number it is known."""
EXTENDED_SECONDS = 365 * 24 * 3600

_PLURALS = {"Pod": "pods", "Secret": "secrets", "Node": "nodes"}


class TokenRequests:
    """Create alone. `clock` gives seconds since 1970."""

    def __init__(
        self,
        options: ServiceAccountOptions,
        lookup: Lookup,
        *,
        admission: AdmissionChain = NO_ADMISSION,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._options = options
        self._lookup = lookup
        self._admission = admission
        self._clock = clock

    async def create_named(
        self, request: RequestContext, namespace: str, name: str, obj: JSONObject, options: WriteOptions
    ) -> StoredObject:
        """The request with its token. Raises StatusError: 404 without the account, 422 on a request that cannot be."""
        _check_identity(obj, namespace, name)
        spec = obj.setdefault("spec", {})
        if spec.get("expirationSeconds") is None:
            spec["expirationSeconds"] = DEFAULT_SECONDS
        await asked.admit(
            self._admission,
            request,
            obj,
            resource=SERVICE_ACCOUNTS,
            kind=TOKEN_REQUEST,
            subresource="token",
            namespace=namespace,
            name=name,
            options=options,
        )
        problems = _problems(spec)
        if problems:
            raise errors.invalid(TOKEN_REQUEST.group_kind, name, problems)
        account = await self._lookup.find("ServiceAccount", namespace, name)
        if account is None:
            raise errors.not_found(SERVICE_ACCOUNTS.group_resource, name)
        bound = await self._bound(namespace, name, spec.get("boundObjectRef"))
        most, asked_for = self._options.most_seconds, spec["expirationSeconds"]
        if 0 < most < asked_for:
            request.warn(f"requested expiration of {asked_for} seconds shortened to {most} seconds")
            spec["expirationSeconds"] = most
        spec["audiences"] = spec.get("audiences") or list(self._options.audiences)
        spec.setdefault("boundObjectRef", None)
        obj["metadata"] |= {"name": name, "namespace": namespace, "creationTimestamp": meta_time.now()}
        obj["status"] = self._issue(account, spec, bound)
        return StoredObject(key="", namespace=namespace, name=name, revision=0, raw=orjson.dumps(obj))

    async def _bound(self, namespace: str, account: str, reference: JSONObject | None) -> dict[str, Reference]:
        if reference is None:
            return {}
        kind, version = reference.get("kind") or "", reference.get("apiVersion") or ""
        if kind not in _PLURALS or version != "v1":
            group, _, short = version.rpartition("/")
            raise errors.bad_request(f"cannot bind token to object of type {group}/{short}, Kind={kind}")
        name = reference.get("name") or ""
        found = await self._lookup.find(kind, "" if kind == "Node" else namespace, name)
        if found is None:
            raise errors.not_found(GroupResource("", _PLURALS[kind]), name)
        bound = {kind: Reference.of(found)}
        if kind == "Pod":
            spec = found.get("spec") or {}
            used = spec.get("serviceAccountName") or ""
            if used != account:
                why = f'cannot bind token for serviceaccount "{account}" to pod running with serviceaccount "{used}"'
                raise errors.bad_request(why)
            node = await self._lookup.find("Node", "", spec["nodeName"]) if spec.get("nodeName") else None
            if node is not None:
                bound["Node"] = Reference.of(node)
        wanted = reference.get("uid") or ""
        if wanted and wanted != bound[kind].uid:
            why = (
                f"the UID in the bound object reference ({wanted}) does not match the UID in record "
                f"({bound[kind].uid}). The object might have been deleted and then recreated"
            )
            raise errors.conflict(GroupResource("", kind), name, why)
        return bound

    def _issue(self, account: JSONObject, spec: JSONObject, bound: dict[str, Reference]) -> JSONObject:
        now = int(self._clock())
        seconds: int = spec["expirationSeconds"]
        lasting, warn_after = seconds, 0
        ours = set(spec["audiences"]) <= set(self._options.audiences)
        if self._options.extends_expiration and "Pod" in bound and seconds == POD_SECONDS and ours:
            # Clients that read their token only once are not to break; that they do is noted down from then on.
            lasting, warn_after = EXTENDED_SECONDS, now + seconds
        namespace = account["metadata"]["namespace"]
        reference = Reference.of(account)
        claims = Claims(
            issuer=self._options.issuer,
            subject=names.user_name(namespace, reference.name),
            audiences=tuple(spec["audiences"]),
            issued_at=now,
            not_before=now,
            expires_at=now + lasting,
            id=new_uid(),
            namespace=namespace,
            account=reference,
            bound=bound,
            warn_after=warn_after,
        )
        expires = datetime.fromtimestamp(now + seconds, UTC)
        return {
            "token": self._options.signing_key.sign(claims.to_object()),
            "expirationTimestamp": meta_time.format_time(expires),
        }


def _check_identity(obj: JSONObject, namespace: str, name: str) -> None:
    metadata = obj["metadata"]
    given: Any = metadata.get("name") or ""
    if given and given != name:
        raise errors.bad_request(f"the name of the object ({given}) does not match the name on the URL ({name})")
    given = metadata.get("namespace") or ""
    if given and given != namespace:
        raise errors.bad_request(
            "the namespace of the provided object does not match the namespace sent on the request"
        )


def _problems(spec: JSONObject) -> list[FieldError]:
    path, seconds = "spec.expirationSeconds", spec["expirationSeconds"]
    if seconds < LEAST_SECONDS:
        return [fields.invalid(path, seconds, "may not specify a duration less than 10 minutes")]
    if seconds > MOST_SECONDS:
        return [fields.invalid(path, seconds, "may not specify a duration larger than 2^32 seconds")]
    return []
