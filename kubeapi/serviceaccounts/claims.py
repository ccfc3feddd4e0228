"""Claims: what a token says of an account, and of the object it lives and dies with.

Made by `issuer.py`, read by `authenticator.py`. Mirrors `pkg/serviceaccount/claims.go`.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

from generic.types import JSONObject

PRIVATE = "kubernetes.io"
_BOUND = {"pod": "Pod", "secret": "Secret", "node": "Node"}


class Reference(NamedTuple):
    """One object, by name and UID."""

    name: str
    uid: str

    @classmethod
    def of(cls, obj: JSONObject) -> "Reference":
        return cls(obj["metadata"]["name"], obj["metadata"].get("uid", ""))


@dataclass(frozen=True, slots=True)
class Claims:
    """Times in seconds since 1970. `bound` by the kinds `Pod`, `Secret`, `Node`; a pod's token names its node, too."""

    issuer: str
    subject: str
    audiences: tuple[str, ...]
    issued_at: int
    not_before: int
    expires_at: int
    id: str
    namespace: str
    account: Reference
    bound: dict[str, Reference]
    warn_after: int = 0

    def to_object(self) -> JSONObject:
        """The payload of the token."""
        private: JSONObject = {"namespace": self.namespace, "serviceaccount": self.account._asdict()}
        for key, kind in _BOUND.items():
            if kind in self.bound:
                private[key] = self.bound[kind]._asdict()
        if self.warn_after:
            private["warnafter"] = self.warn_after
        return {
            "iss": self.issuer,
            "sub": self.subject,
            "aud": list(self.audiences),
            "iat": self.issued_at,
            "nbf": self.not_before,
            "exp": self.expires_at,
            "jti": self.id,
            PRIVATE: private,
        }

    @classmethod
    def parse(cls, payload: JSONObject) -> "Claims":
        """Raises ValueError on a payload that is not of this form."""
        private: Any = payload.get(PRIVATE)
        if not isinstance(private, dict):
            raise ValueError("the token is not of a service account")
        audiences: Any = payload.get("aud") or ()
        if isinstance(audiences, str):
            audiences = (audiences,)
        return cls(
            issuer=_text(payload, "iss"),
            subject=_text(payload, "sub"),
            audiences=tuple(str(audience) for audience in audiences),
            issued_at=_seconds(payload, "iat"),
            not_before=_seconds(payload, "nbf"),
            expires_at=_seconds(payload, "exp"),
            id=_text(payload, "jti"),
            namespace=_text(private, "namespace"),
            account=_reference(private.get("serviceaccount")),
            bound={kind: _reference(private[key]) for key, kind in _BOUND.items() if private.get(key)},
            warn_after=_seconds(private, "warnafter"),
        )


def _text(obj: JSONObject, key: str) -> str:
    value: Any = obj.get(key) or ""
    if not isinstance(value, str):
        raise ValueError(f"the claim {key} is not a string")
    return value


def _seconds(obj: JSONObject, key: str) -> int:
    value: Any = obj.get(key) or 0
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"the claim {key} is not a number")
    return int(value)


def _reference(value: Any) -> Reference:
    if not isinstance(value, dict):
        raise ValueError("a reference is not an object")
    return Reference(_text(value, "name"), _text(value, "uid"))
