"""Who may come in and do what: as the main server says or, in standalone debug mode, as this server's own files say.

Called by `run.py`. Mirrors `apiserver/pkg/server/options/{authentication,authorization}.go`
Delegating*Options.
"""

import contextlib
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from generic.authentication.anonymous import AnonymousAuthenticator
from generic.authentication.authority import CertificateAuthority
from generic.authentication.bearer import BearerAuthenticator, LoopbackAuthenticator, WebSocketAuthenticator
from generic.authentication.delegated import DelegatedAuthentication
from generic.authentication.interface import RequestAuthenticator
from generic.authentication.request_header import RequestHeaderAuthenticator, RequestHeaderOptions
from generic.authentication.token_review import TokenReviewAuthenticator
from generic.authentication.union import UnionAuthenticator
from generic.authentication.x509 import X509Authenticator
from generic.authorization.always_allow import AlwaysAllowPaths
from generic.authorization.delegated import delegated_authorizer
from generic.authorization.interface import Authorizer
from generic.authorization.privileged import PrivilegedGroups
from generic.authorization.union import UnionAuthorizer
from generic.client import kubeconfig
from generic.client.kubeconfig import ClientConfig
from generic.client.rest import Client
from generic.request.user import ALL_AUTHENTICATED, ALL_UNAUTHENTICATED
from trikube.aa.options import Options, OptionsError

_SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")


@dataclass(frozen=True, slots=True)
class Access:
    """What handler chain and listener need to know. `main` reaches the main server, if there is one."""

    authenticator: RequestAuthenticator
    authorizer: Authorizer
    client_ca_files: tuple[Path, ...]
    front_proxy: RequestHeaderOptions
    main: Client | None = None


EVERYBODY = PrivilegedGroups((ALL_AUTHENTICATED, ALL_UNAUTHENTICATED))
"""For servers without authorization."""


@contextlib.asynccontextmanager
async def delegated(options: Options, loopback: LoopbackAuthenticator) -> AsyncIterator[Access]:
    """Ask the main server. Raises OptionsError, KubeconfigError, DelegationError."""
    async with contextlib.AsyncExitStack() as stack:

        def connect(path: Path | None) -> Client:
            chosen = path or options.kubeconfig
            client = Client.connect(kubeconfig.load(chosen) if chosen is not None else in_cluster())
            stack.push_async_callback(client.aclose)
            return client

        main = connect(None)
        authorizer = delegated_authorizer(connect(options.authorization_kubeconfig))
        reviewer = connect(options.authentication_kubeconfig)
        if options.client_ca_file is not None:
            tokens = (TokenReviewAuthenticator(reviewer),)
            own = (*_of_files(options), BearerAuthenticator(tokens), WebSocketAuthenticator(tokens))
            authenticator = UnionAuthenticator((loopback, *own), anonymous=AnonymousAuthenticator())
            yield Access(authenticator, authorizer, _ca_files(options), front_proxy(options), main)
            return
        authentication = DelegatedAuthentication(reviewer, options.data_dir / "client-ca")
        await authentication.load()
        stack.push_async_callback(authentication.stop)
        authentication.start()
        yield Access(
            authentication.authenticator(loopback),
            authorizer,
            authentication.client_ca_files,
            authentication.request_header,
            main,
        )


@contextlib.asynccontextmanager
async def standalone(options: Options, loopback: LoopbackAuthenticator, admin_ca: Path) -> AsyncIterator[Access]:
    """Believe files: everybody they vouch for may do everything. Raises OptionsError."""
    authenticators = (loopback, *_of_files(options), X509Authenticator(_authority(admin_ca)))
    yield Access(
        UnionAuthenticator(authenticators, anonymous=AnonymousAuthenticator()),
        UnionAuthorizer((PrivilegedGroups((ALL_AUTHENTICATED,)), AlwaysAllowPaths())),
        (*_ca_files(options), admin_ca),
        front_proxy(options),
    )


def in_cluster(folder: Path = _SERVICE_ACCOUNT) -> ClientConfig:
    """The main server, as a pod reaches it. Raises OptionsError outside of one."""
    host, port = os.environ.get("KUBERNETES_SERVICE_HOST"), os.environ.get("KUBERNETES_SERVICE_PORT")
    if not host or not port:
        raise OptionsError("--kubeconfig is needed to reach the main server: this is no pod with a service account")
    try:
        ca = (folder / "ca.crt").read_bytes()
    except OSError as error:
        raise OptionsError(f"cannot read {error.filename}: {error.strerror}") from error
    shown = f"[{host}]" if ":" in host else host
    return ClientConfig(server=f"https://{shown}:{port}", ca=ca, token_file=folder / "token")


def front_proxy(options: Options) -> RequestHeaderOptions:
    """What the `--requestheader-*` flags say."""
    return RequestHeaderOptions(
        username_headers=options.requestheader_username_headers,
        uid_headers=options.requestheader_uid_headers,
        group_headers=options.requestheader_group_headers,
        extra_header_prefixes=options.requestheader_extra_headers_prefix,
        allowed_names=options.requestheader_allowed_names,
    )


def _of_files(options: Options) -> tuple[RequestAuthenticator, ...]:
    found: list[RequestAuthenticator] = []
    if options.requestheader_client_ca_file is not None:
        authority = _authority(options.requestheader_client_ca_file)
        found.append(RequestHeaderAuthenticator(authority, front_proxy(options)))
    if options.client_ca_file is not None:
        found.append(X509Authenticator(_authority(options.client_ca_file)))
    return tuple(found)


def _ca_files(options: Options) -> tuple[Path, ...]:
    given = (options.client_ca_file, options.requestheader_client_ca_file)
    return tuple(path for path in given if path is not None)


def _authority(path: Path) -> CertificateAuthority:
    try:
        return CertificateAuthority.from_file(path)
    except OSError as error:
        raise OptionsError(f"cannot read {path}: {error.strerror}") from error
    except ValueError as error:
        raise OptionsError(f"{path} holds no readable certificate of an authority: {error}") from error
