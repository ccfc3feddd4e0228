"""ServiceAccountAuthenticator: whose a service-account token is, as long as what it is bound to exists.

One of the token authenticators of `kubeapi/server.py`; TokenReview asks it for other audiences, too
(`kubeapi/reviews.py`). Mirrors `pkg/serviceaccount/{jwt,claims}.go`.
"""

import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from generic.authentication.interface import AuthenticationError
from generic.meta import errors
from generic.meta import time as meta_time
from generic.request.user import UserInfo
from generic.types import JSONObject
from kubeapi.rbac import covering
from kubeapi.serviceaccounts import jwt, names
from kubeapi.serviceaccounts.claims import Claims, Reference
from kubeapi.serviceaccounts.lookup import Lookup
from kubeapi.serviceaccounts.options import ServiceAccountOptions

LEEWAY = 60
"""Seconds by which clocks may differ."""
_INVALIDATED = "service account token has been invalidated"


class Proof(NamedTuple):
    """Who it is, and for which of the audiences asked for."""

    user: UserInfo
    audiences: Sequence[str]


class ServiceAccountAuthenticator:
    """A TokenAuthenticator. `clock` gives seconds since 1970."""

    def __init__(
        self, options: ServiceAccountOptions, lookup: Lookup, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._options = options
        self._lookup = lookup
        self._clock = clock
        self._keys = {key.key_id: key for key in options.keys}

    async def authenticate_token(self, token: str) -> UserInfo | None:
        """See TokenAuthenticator: for this server itself."""
        proof = await self.prove(token, self._options.audiences)
        return proof.user if proof is not None else None

    async def prove(self, token: str, audiences: Sequence[str]) -> Proof | None:
        """Whose it is, if it is meant for one of the audiences; None if another issued it.

        Raises AuthenticationError on one of ours that is no longer good, or is for somebody else.
        """
        read = jwt.read(token)
        if read is None or read[1].get("iss") not in self._options.issuers:
            return None
        claims = self._verified(token, *read)
        meant = [audience for audience in claims.audiences if audience in audiences]
        if not meant:
            shown, asked = covering.listed(claims.audiences), covering.listed(audiences)
            raise AuthenticationError(f"token audiences {shown} is invalid for the target audiences {asked}")
        self._check_times(claims)
        try:
            await self._check_objects(claims)
        except errors.StatusError as error:
            raise AuthenticationError(str(error)) from None
        return Proof(_user(claims), meant)

    def _verified(self, token: str, header: JSONObject, payload: JSONObject) -> Claims:
        key_id = header.get("kid")
        keys = [key for key in self._keys.values() if not key_id or key.key_id == key_id]
        if not keys:
            raise AuthenticationError("invalid signature, no keys found")
        if not jwt.is_signed_by(keys, header, token):
            raise AuthenticationError("error in cryptographic primitive")
        try:
            return Claims.parse(payload)
        except ValueError as error:
            raise AuthenticationError(str(error)) from None

    def _check_times(self, claims: Claims) -> None:
        now = self._clock()
        if now > claims.expires_at + LEEWAY:
            raise AuthenticationError("service account token has expired")
        if max(claims.not_before, claims.issued_at) > now + LEEWAY:
            raise AuthenticationError("service account token is not valid yet")

    async def _check_objects(self, claims: Claims) -> None:
        namespace, account = claims.namespace, claims.account
        found = await self._lookup.find("ServiceAccount", namespace, account.name)
        if found is None:
            raise AuthenticationError(f'serviceaccounts "{account.name}" not found')
        if self._is_deleted(found):
            raise AuthenticationError(f"service account {namespace}/{account.name} has been deleted")
        uid = Reference.of(found).uid
        if uid != account.uid:
            raise AuthenticationError(f"service account UID ({uid}) does not match claim ({account.uid})")
        for kind in ("Secret", "Pod", "Node"):
            # The node of a pod's token is only told on: such a token dies with the pod.
            if kind in claims.bound and not (kind == "Node" and "Pod" in claims.bound):
                await self._check_bound(claims, kind)

    async def _check_bound(self, claims: Claims, kind: str) -> None:
        reference = claims.bound[kind]
        found = await self._lookup.find(kind, "" if kind == "Node" else claims.namespace, reference.name)
        if found is None or self._is_deleted(found):
            raise AuthenticationError(_INVALIDATED)
        uid = Reference.of(found).uid
        if uid != reference.uid:
            noun = "service account secret" if kind == "Secret" else f"service account {kind.lower()}"
            raise AuthenticationError(f"{kind.lower()} UID ({uid}) does not match {noun} ref claim ({reference.uid})")

    def _is_deleted(self, obj: JSONObject) -> bool:
        """For long enough: what is on its way out may still do its last work."""
        deleted = obj["metadata"].get("deletionTimestamp")
        if not deleted:
            return False
        now = datetime.fromtimestamp(self._clock(), meta_time.utcnow().tzinfo)
        return meta_time.parse(deleted) < now - timedelta(seconds=LEEWAY)


def _user(claims: Claims) -> UserInfo:
    extra: dict[str, Sequence[str]] = {}
    for kind, name, uid in (("Pod", names.POD_NAME, names.POD_UID), ("Node", names.NODE_NAME, names.NODE_UID)):
        if kind in claims.bound:
            extra[name], extra[uid] = (claims.bound[kind].name,), (claims.bound[kind].uid,)
    if claims.id:
        extra[names.CREDENTIAL_ID] = (f"JTI={claims.id}",)
    return UserInfo(
        names.user_name(claims.namespace, claims.account.name),
        names.groups(claims.namespace),
        claims.account.uid,
        extra,
    )
