"""DefaultAccounts: every namespace has a ServiceAccount named `default`.

Started and stopped by hooks of `kubeapi/server.py`. Mirrors
`pkg/controller/serviceaccount/serviceaccounts_controller.go`.
"""

from generic.client.controller import Controller
from generic.client.informer import Informer
from generic.client.rest import Client
from generic.meta import errors
from generic.meta.gvk import GroupVersionResource
from generic.types import JSONObject
from kubeapi.bootstrap.namespaces import NAMESPACES

SERVICE_ACCOUNTS = GroupVersionResource("", "v1", "serviceaccounts")
NAME = "default"


class DefaultAccounts:
    """Watches namespaces and the accounts of that name; one that is missing is made, one that is deleted made again."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._namespaces = Informer(client, NAMESPACES)
        self._accounts = Informer(client, SERVICE_ACCOUNTS, field_selector=f"metadata.name={NAME}")
        self._namespaces.add_handler(self._hear_namespace)
        self._accounts.add_handler(self._hear_account)
        self._queue: Controller[str] = Controller("serviceaccount", self._reconcile)

    async def start(self) -> None:
        self._namespaces.start()
        self._accounts.start()
        self._queue.start()

    async def stop(self) -> None:
        await self._queue.stop()
        await self._namespaces.stop()
        await self._accounts.stop()

    def _hear_namespace(self, old: JSONObject | None, new: JSONObject | None) -> None:
        if new is not None:
            self._queue.enqueue(new["metadata"]["name"])

    def _hear_account(self, old: JSONObject | None, new: JSONObject | None) -> None:
        if new is None and old is not None:
            self._queue.enqueue(old["metadata"]["namespace"])

    async def _reconcile(self, namespace: str) -> None:
        await self._namespaces.wait_synced()
        await self._accounts.wait_synced()
        found = self._namespaces.get(namespace)
        if found is None or (found.get("status") or {}).get("phase") != "Active":
            return
        if self._accounts.get(NAME, namespace) is not None:
            return
        account: JSONObject = {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {"name": NAME, "namespace": namespace},
        }
        try:
            await self._client.create(SERVICE_ACCOUNTS, account)
        except errors.StatusError as error:
            # There already, or the namespace is on its way out (404, or 403 with its cause): nothing to do here.
            if error.reason not in ("AlreadyExists", "NotFound", "Forbidden"):
                raise
