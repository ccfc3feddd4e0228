"""Users named by a front proxy in headers: how an aggregated API server knows whom it serves.

The headers are believed only from a client whose certificate is of the front proxy's own authority and
has an allowed name. Mirrors `apiserver/pkg/authentication/request/headerrequest/requestheader.go` and
the Verifier of `apiserver/pkg/authentication/request/x509/x509.go`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import unquote

from cryptography.x509.oid import NameOID

from generic.authentication import client_certificate
from generic.authentication.authority import CertificateAuthority
from generic.authentication.interface import AuthenticationError
from generic.request.user import UserInfo
from generic.types import Scope


@dataclass(frozen=True, slots=True)
class RequestHeaderOptions:
    """Header names, as the `--requestheader-*` flags and the ConfigMap name them. No allowed names: any."""

    username_headers: Sequence[str] = field(default=("X-Remote-User",))
    uid_headers: Sequence[str] = field(default=("X-Remote-Uid",))
    group_headers: Sequence[str] = field(default=("X-Remote-Group",))
    extra_header_prefixes: Sequence[str] = field(default=("X-Remote-Extra-",))
    allowed_names: Sequence[str] = field(default=())


class RequestHeaderAuthenticator:
    """Believes the front proxy."""

    name = "request-header"

    def __init__(self, authority: CertificateAuthority, options: RequestHeaderOptions | None = None) -> None:
        self._authority = authority
        self.configure(options or RequestHeaderOptions())

    def configure(self, options: RequestHeaderOptions) -> None:
        """Use these names from now on."""
        self._allowed = frozenset(options.allowed_names)
        self._users = _lower(options.username_headers)
        self._uids = _lower(options.uid_headers)
        self._groups = _lower(options.group_headers)
        self._extras = _lower(options.extra_header_prefixes)

    async def authenticate(self, scope: Scope) -> UserInfo | None:
        user = self._first(scope, self._users)
        if not user:
            return None
        verified = client_certificate.verified(scope, self._authority)
        if verified is None:
            return None
        self._check_name(verified)
        groups = tuple(
            value.decode("utf-8", "replace")
            for wanted in self._groups
            for name, value in scope["headers"]
            if name == wanted
        )
        return UserInfo(user, groups, self._first(scope, self._uids), self._extra(scope))

    def _check_name(self, verified: client_certificate.Verified) -> None:
        names = verified.certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        name = str(names[-1].value) if names else ""
        if self._allowed and name not in self._allowed:
            raise AuthenticationError(f"x509: subject with cn={name} is not in the allowed list")

    def _first(self, scope: Scope, wanted: Sequence[bytes]) -> str:
        """The first value of the first of these headers that has one."""
        for header in wanted:
            for name, value in scope["headers"]:
                if name == header and (text := value.strip()):
                    return bytes(text).decode("utf-8", "replace")
        return ""

    def _extra(self, scope: Scope) -> dict[str, list[str]]:
        extra: dict[str, list[str]] = {}
        for prefix in self._extras:
            for name, value in scope["headers"]:
                if name.startswith(prefix):
                    key = unquote(name[len(prefix) :].decode("latin-1"))
                    extra.setdefault(key, []).append(value.decode("utf-8", "replace"))
        return extra


def _lower(names: Sequence[str]) -> tuple[bytes, ...]:
    return tuple(name.strip().lower().encode() for name in names if name.strip())
