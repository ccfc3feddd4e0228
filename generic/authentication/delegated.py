"""Delegated authentication: an aggregated server learns from the main server whom to believe.

Client certificates and the front proxy's headers by what ConfigMap `kube-system/extension-apiserver-authentication`
says now, bearer tokens by TokenReview. Called by whoever composes an aggregated server (`trikube.aa`):
`load` before listening, `start` and `stop` around serving. Mirrors
`apiserver/pkg/server/options/authentication.go` DelegatingAuthenticationOptions.
"""

import logging
from pathlib import Path

from generic.authentication import delegated_config
from generic.authentication.anonymous import AnonymousAuthenticator
from generic.authentication.authority import CertificateAuthority
from generic.authentication.bearer import BearerAuthenticator, WebSocketAuthenticator
from generic.authentication.delegated_config import ClientTrust
from generic.authentication.delegated_files import AuthorityFiles
from generic.authentication.interface import RequestAuthenticator
from generic.authentication.request_header import RequestHeaderAuthenticator, RequestHeaderOptions
from generic.authentication.token_review import TokenReviewAuthenticator
from generic.authentication.union import UnionAuthenticator
from generic.authentication.x509 import X509Authenticator
from generic.client.informer import Informer
from generic.client.rest import Client
from generic.meta.errors import StatusError
from generic.meta.gvk import GroupVersionResource
from generic.types import JSONObject

_LOG = logging.getLogger(__name__)

_CONFIG_MAPS = GroupVersionResource("", "v1", "configmaps")
_WHERE = f"configmap {delegated_config.NAMESPACE}/{delegated_config.NAME}"


class DelegationError(Exception):
    """The main server did not say whom to believe; the message is one line for the person who started this one."""


class DelegatedAuthentication:
    """Keeps authenticators and the listener's files as the ConfigMap says.

    Where it says nothing usable, what was known before stays, as in Kubernetes: an authority is replaced, never
    just forgotten.
    """

    def __init__(self, client: Client, ca_directory: Path, *, token_cache_ttl: float = 10.0) -> None:
        """`ca_directory` belongs to this object; it is made if needed. `token_cache_ttl` is in seconds."""
        self._client = client
        self._files = AuthorityFiles(ca_directory)
        self._client_ca = CertificateAuthority(delegated_config.nobody())
        self._request_header_ca = CertificateAuthority(delegated_config.nobody())
        self.request_header = delegated_config.NO_FRONT_PROXY
        """The header names in force."""
        self._front_proxy = RequestHeaderAuthenticator(self._request_header_ca, self.request_header)
        self._tokens = (TokenReviewAuthenticator(client, cache_ttl=token_cache_ttl),)
        self._informer = Informer(
            client,
            _CONFIG_MAPS,
            namespace=delegated_config.NAMESPACE,
            field_selector=f"metadata.name={delegated_config.NAME}",
        )
        self._informer.add_handler(self._changed)

    @property
    def client_ca_files(self) -> tuple[Path, Path]:
        """For the TLS listener; they exist once `load` has returned."""
        return self._files.paths

    def authenticator(self, *first: RequestAuthenticator) -> UnionAuthenticator:
        """Everything delegated in Kubernetes' order, behind what the server has of its own (its loopback token)."""
        return UnionAuthenticator(
            (
                *first,
                self._front_proxy,
                X509Authenticator(self._client_ca),
                BearerAuthenticator(self._tokens),
                WebSocketAuthenticator(self._tokens),
            ),
            anonymous=AnonymousAuthenticator(),
        )

    async def load(self) -> None:
        """Read the ConfigMap once and write the files.

        Without a ConfigMap nobody is believed until there is one. Raises DelegationError if the main server cannot
        be asked, says nonsense, or the files cannot be written.
        """
        try:
            found = await self._client.get(_CONFIG_MAPS, delegated_config.NAME, delegated_config.NAMESPACE)
        except StatusError as error:
            if error.code != 404:
                raise DelegationError(f"cannot read {_WHERE}: {error}{_advice(error)}") from error
            _LOG.warning("%s is not there yet: no client certificate and no front proxy is believed", _WHERE)
            found = {}
        try:
            self._trust(delegated_config.parse(found))
        except ValueError as error:
            raise DelegationError(f"{_WHERE}: {error}") from error
        except OSError as error:
            raise DelegationError(f"cannot write {error.filename}: {error.strerror}") from error

    def start(self) -> None:
        """Follow the ConfigMap from now on. Idempotent."""
        self._informer.start()

    async def stop(self) -> None:
        """Idempotent."""
        await self._informer.stop()

    def _changed(self, old: JSONObject | None, new: JSONObject | None) -> None:
        if new is None:
            _LOG.warning("%s was deleted: what it said stays in force", _WHERE)
            return
        try:
            self._trust(delegated_config.parse(new))
        except (ValueError, OSError) as error:
            _LOG.error("%s not taken over: %s", _WHERE, error)

    def _trust(self, trust: ClientTrust) -> None:
        """Raises OSError if the files cannot be written; then this server believes nothing new either."""
        client_ca = trust.client_ca or self._client_ca.pem
        request_header_ca = trust.request_header_ca or self._request_header_ca.pem
        self._files.write(client_ca, request_header_ca)
        self._client_ca.replace(client_ca)
        self._request_header_ca.replace(request_header_ca)
        if trust.request_header_ca is not None and trust.request_header != self.request_header:
            self._use(trust.request_header)

    def _use(self, names: RequestHeaderOptions) -> None:
        self.request_header = names
        self._front_proxy.configure(names)


def _advice(error: StatusError) -> str:
    if error.code != 403:
        return ""
    return f" (bind role extension-apiserver-authentication-reader in {delegated_config.NAMESPACE} to this user)"
