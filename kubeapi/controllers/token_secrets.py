"""TokenSecrets: a Secret of type service-account-token is given its token, and goes when its account goes.

Started and stopped by hooks of `kubeapi/server.py`. Mirrors `pkg/controller/serviceaccount/tokens_controller.go`.
"""

import base64
from typing import NamedTuple

from generic.client.controller import Controller
from generic.client.informer import Informer
from generic.client.rest import Client
from generic.meta import errors
from generic.meta.gvk import GroupVersionResource
from generic.types import JSONObject
from kubeapi.controllers.default_accounts import SERVICE_ACCOUNTS
from kubeapi.serviceaccounts import legacy
from kubeapi.serviceaccounts.options import ServiceAccountOptions

SECRETS = GroupVersionResource("", "v1", "secrets")
_PASSING = ("NotFound", "Conflict")
"""The Secret was changed or deleted meanwhile: if it is there, we are told of it again."""


class _Key(NamedTuple):
    namespace: str
    name: str


class TokenSecrets:
    """`root_ca` is the PEM by which those who use the token know this server."""

    def __init__(self, client: Client, options: ServiceAccountOptions, root_ca: bytes) -> None:
        self._client = client
        self._options = options
        self._root_ca = root_ca
        self._secrets = Informer(client, SECRETS, field_selector=f"type={legacy.SECRET_TYPE}")
        self._accounts = Informer(client, SERVICE_ACCOUNTS)
        self._secrets.add_handler(self._hear_secret)
        self._accounts.add_handler(self._hear_account)
        self._queue: Controller[_Key] = Controller("tokens", self._reconcile)

    async def start(self) -> None:
        self._secrets.start()
        self._accounts.start()
        self._queue.start()

    async def stop(self) -> None:
        await self._queue.stop()
        await self._secrets.stop()
        await self._accounts.stop()

    def _hear_secret(self, old: JSONObject | None, new: JSONObject | None) -> None:
        if new is not None:
            self._queue.enqueue(_Key(new["metadata"]["namespace"], new["metadata"]["name"]))

    def _hear_account(self, old: JSONObject | None, new: JSONObject | None) -> None:
        if old is None:
            return
        metadata = old["metadata"]
        for secret in self._secrets.list(metadata["namespace"]):
            if _account_of(secret) == metadata["name"]:
                self._queue.enqueue(_Key(metadata["namespace"], secret["metadata"]["name"]))

    async def _reconcile(self, key: _Key) -> None:
        await self._secrets.wait_synced()
        await self._accounts.wait_synced()
        secret = self._secrets.get(key.name, key.namespace)
        if secret is None or secret["metadata"].get("deletionTimestamp"):
            return
        account = await self._account(key.namespace, _account_of(secret))
        wanted_uid = (secret["metadata"].get("annotations") or {}).get(legacy.UID_ANNOTATION)
        try:
            if account is None or (wanted_uid and wanted_uid != account["metadata"]["uid"]):
                await self._client.delete(
                    SECRETS,
                    key.name,
                    key.namespace,
                    uid=secret["metadata"]["uid"],
                    resource_version=secret["metadata"]["resourceVersion"],
                )
                return
            filled = self._filled(secret, account)
            if filled != secret:
                await self._client.update(SECRETS, filled)
        except errors.StatusError as error:
            if error.reason not in _PASSING:
                raise

    async def _account(self, namespace: str, name: str) -> JSONObject | None:
        """The copy lags: before a Secret is deleted for want of its account, the server itself is asked."""
        found = self._accounts.get(name, namespace)
        if found is not None or not name:
            return found
        try:
            return await self._client.get(SERVICE_ACCOUNTS, name, namespace)
        except errors.StatusError as error:
            if error.reason != "NotFound":
                raise
            return None

    def _filled(self, secret: JSONObject, account: JSONObject) -> JSONObject:
        metadata, held = secret["metadata"], secret.get("data") or {}
        annotations = {**(metadata.get("annotations") or {}), legacy.UID_ANNOTATION: account["metadata"]["uid"]}
        data = {
            **held,
            legacy.CA_KEY: base64.b64encode(self._root_ca).decode(),
            legacy.NAMESPACE_KEY: base64.b64encode(metadata["namespace"].encode()).decode(),
        }
        if not legacy.token_in(secret):
            token = legacy.issue(self._options, account, metadata["name"])
            data[legacy.TOKEN_KEY] = base64.b64encode(token.encode()).decode()
        return {**secret, "metadata": {**metadata, "annotations": annotations}, "data": data}


def _account_of(secret: JSONObject) -> str:
    return str((secret["metadata"].get("annotations") or {}).get(legacy.NAME_ANNOTATION) or "")
