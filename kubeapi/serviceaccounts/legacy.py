"""Tokens that lie in Secrets: without an end, good as long as the Secret holds them.

`issue` is called by `kubeapi/controllers/token_secrets.py`; the authenticator is one of those of `kubeapi/server.py`.
Mirrors `pkg/serviceaccount/legacy.go`.
"""

import base64
import binascii
import hmac
from collections.abc import Sequence
from typing import Any

from generic.authentication.interface import AuthenticationError
from generic.meta import errors
from generic.request.user import UserInfo
from generic.types import JSONObject
from kubeapi.serviceaccounts import jwt, names
from kubeapi.serviceaccounts.lookup import Lookup
from kubeapi.serviceaccounts.options import ServiceAccountOptions

SECRET_TYPE = "kubernetes.io/service-account-token"
NAME_ANNOTATION = "kubernetes.io/service-account.name"
UID_ANNOTATION = "kubernetes.io/service-account.uid"
TOKEN_KEY, CA_KEY, NAMESPACE_KEY = "token", "ca.crt", "namespace"

_ISSUER = "kubernetes/serviceaccount"
_CLAIMS = {
    key: f"kubernetes.io/serviceaccount/{key}"
    for key in ("namespace", "secret.name", "service-account.name", "service-account.uid")
}
_INVALIDATED = "service account token has been invalidated"


def issue(options: ServiceAccountOptions, account: JSONObject, secret: str) -> str:
    """The token for an account that goes into the Secret of that name."""
    metadata = account["metadata"]
    return options.signing_key.sign({
        "iss": _ISSUER,
        "sub": names.user_name(metadata["namespace"], metadata["name"]),
        _CLAIMS["namespace"]: metadata["namespace"],
        _CLAIMS["secret.name"]: secret,
        _CLAIMS["service-account.name"]: metadata["name"],
        _CLAIMS["service-account.uid"]: metadata["uid"],
    })


class LegacyTokenAuthenticator:
    """A TokenAuthenticator."""

    def __init__(self, options: ServiceAccountOptions, lookup: Lookup) -> None:
        self._lookup = lookup
        self._keys: Sequence[jwt.VerificationKey] = options.keys
        self._looks_up = options.lookup

    async def authenticate_token(self, token: str) -> UserInfo | None:
        """See TokenAuthenticator."""
        read = jwt.read(token)
        if read is None or read[1].get("iss") != _ISSUER:
            return None
        header, payload = read
        if not jwt.is_signed_by(self._keys, header, token):
            raise AuthenticationError("invalid signature, no keys found")
        namespace, secret, name, uid = (_text(payload, claim) for claim in _CLAIMS.values())
        if payload.get("sub") != names.user_name(namespace, name):
            raise AuthenticationError("sub claim is invalid")
        if self._looks_up:
            try:
                await self._check_secret(token, namespace, secret)
                await self._check_account(namespace, name, uid)
            except errors.StatusError as error:
                raise AuthenticationError(str(error)) from None
        return UserInfo(names.user_name(namespace, name), names.groups(namespace), uid)

    async def _check_secret(self, token: str, namespace: str, name: str) -> None:
        found = await self._lookup.find("Secret", namespace, name)
        if found is None or found["metadata"].get("deletionTimestamp"):
            raise AuthenticationError(_INVALIDATED)
        # In constant time: how much of it is right is not to be told.
        if not hmac.compare_digest(token_in(found), token.encode()):
            raise AuthenticationError("service account token does not match server's copy")

    async def _check_account(self, namespace: str, name: str, uid: str) -> None:
        found = await self._lookup.find("ServiceAccount", namespace, name)
        if found is None:
            raise AuthenticationError(f'serviceaccounts "{name}" not found')
        if found["metadata"].get("deletionTimestamp"):
            raise AuthenticationError(f"service account {namespace}/{name} has been deleted")
        held = found["metadata"].get("uid", "")
        if held != uid:
            raise AuthenticationError(f"service account UID ({held}) does not match claim ({uid})")


def token_in(secret: JSONObject) -> bytes:
    """The token a Secret holds; empty if it holds none."""
    try:
        return base64.b64decode((secret.get("data") or {}).get(TOKEN_KEY) or "")
    except binascii.Error:
        return b""


def _text(payload: JSONObject, claim: str) -> str:
    value: Any = payload.get(claim)
    if not isinstance(value, str) or not value:
        raise AuthenticationError(f"{claim.rpartition('/')[2]} claim is missing")
    return value
