"""Who may come in and do what: as the main server says or, standalone, as files say.

Called by `server`. The first is what an aggregated server does; the second lets it be tried out alone.
"""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from examples.wardle.options import Options, OptionsError
from generic.admission.remote_namespaces import RemoteNamespaces
from generic.authentication.anonymous import AnonymousAuthenticator
from generic.authentication.authority import CertificateAuthority
from generic.authentication.bearer import LoopbackAuthenticator
from generic.authentication.delegated import DelegatedAuthentication
from generic.authentication.interface import RequestAuthenticator
from generic.authentication.request_header import RequestHeaderAuthenticator, RequestHeaderOptions
from generic.authentication.union import UnionAuthenticator
from generic.authentication.x509 import X509Authenticator
from generic.authorization.always_allow import AlwaysAllowPaths
from generic.authorization.delegated import delegated_authorizer
from generic.authorization.interface import Authorizer
from generic.authorization.privileged import PrivilegedGroups
from generic.authorization.union import UnionAuthorizer
from generic.client import kubeconfig
from generic.client.rest import Client
from generic.request.user import ALL_AUTHENTICATED


@dataclass(frozen=True, slots=True)
class Access:
    """What handler chain, listener and admission need to know. `namespaces` are the main server's, if there is one."""

    authenticator: RequestAuthenticator
    authorizer: Authorizer
    client_ca_files: tuple[Path, ...]
    front_proxy: RequestHeaderOptions
    namespaces: RemoteNamespaces | None = None


@contextlib.asynccontextmanager
async def delegated(options: Options, loopback: LoopbackAuthenticator) -> AsyncIterator[Access]:
    """Ask the main server. Raises KubeconfigError, DelegationError."""
    async with contextlib.AsyncExitStack() as stack:

        def connect(path: Path | None) -> Client:
            chosen = path or options.kubeconfig
            assert chosen is not None
            client = Client.connect(kubeconfig.load(chosen))
            stack.push_async_callback(client.aclose)
            return client

        main = connect(None)
        authorizer = delegated_authorizer(connect(options.authorization_kubeconfig))
        authentication = DelegatedAuthentication(
            connect(options.authentication_kubeconfig), options.data_dir / "client-ca"
        )
        await authentication.load()
        namespaces = RemoteNamespaces(main)
        for followed in (authentication, namespaces):
            stack.push_async_callback(followed.stop)
            followed.start()
        yield Access(
            authentication.authenticator(loopback),
            authorizer,
            authentication.client_ca_files,
            authentication.request_header,
            namespaces,
        )


@contextlib.asynccontextmanager
async def standalone(options: Options, loopback: LoopbackAuthenticator) -> AsyncIterator[Access]:
    """Believe files: everybody they vouch for may do everything. Raises OptionsError."""
    front_proxy = RequestHeaderOptions(allowed_names=options.requestheader_allowed_names)
    authenticators: list[RequestAuthenticator] = [loopback]
    if options.requestheader_client_ca_file is not None:
        authority = _authority(options.requestheader_client_ca_file)
        authenticators.append(RequestHeaderAuthenticator(authority, front_proxy))
    if options.client_ca_file is not None:
        authenticators.append(X509Authenticator(_authority(options.client_ca_file)))
    files = (options.client_ca_file, options.requestheader_client_ca_file)
    yield Access(
        UnionAuthenticator(authenticators, anonymous=AnonymousAuthenticator()),
        UnionAuthorizer((PrivilegedGroups((ALL_AUTHENTICATED,)), AlwaysAllowPaths())),
        tuple(file for file in files if file is not None),
        front_proxy,
    )


def _authority(path: Path) -> CertificateAuthority:
    try:
        return CertificateAuthority.from_file(path)
    except OSError as error:
        raise OptionsError(f"cannot read {path}: {error.strerror}") from error
    except ValueError as error:
        raise OptionsError(f"{path} holds no readable certificate of an authority: {error}") from error
