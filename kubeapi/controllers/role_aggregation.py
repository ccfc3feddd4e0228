"""RoleAggregation: the rules of a ClusterRole with an aggregationRule are those of the roles it selects.

Started and stopped by hooks of `kubeapi/server.py`. Mirrors
`pkg/controller/clusterroleaggregation/clusterroleaggregation_controller.go`.
"""

from collections.abc import Iterable

import orjson

from generic.client.controller import Controller
from generic.client.informer import Informer
from generic.client.rest import Client
from generic.meta import errors
from generic.meta.gvk import GroupVersionResource
from generic.meta.selectors import LabelSelector
from generic.types import JSONObject

CLUSTER_ROLES = GroupVersionResource("rbac.authorization.k8s.io", "v1", "clusterroles")
_FIELD_MANAGER = "clusterrole-aggregation-controller"


class RoleAggregation:
    """Watches ClusterRoles; a change of any looks at every aggregated one again: there are few."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._roles = Informer(client, CLUSTER_ROLES)
        self._roles.add_handler(self._hear)
        self._queue: Controller[str] = Controller("clusterrole-aggregation", self._reconcile)

    async def start(self) -> None:
        self._roles.start()
        self._queue.start()

    async def stop(self) -> None:
        await self._queue.stop()
        await self._roles.stop()

    def _hear(self, old: JSONObject | None, new: JSONObject | None) -> None:
        for role in self._roles.list():
            if role.get("aggregationRule"):
                self._queue.enqueue(role["metadata"]["name"])

    async def _reconcile(self, name: str) -> None:
        await self._roles.wait_synced()
        role = self._roles.get(name)
        if role is None or not role.get("aggregationRule"):
            return
        rules = aggregated(role, self._roles.list())
        if rules != (role.get("rules") or []):
            await self._write({**role, "rules": rules})

    async def _write(self, role: JSONObject) -> None:
        try:
            await self._client.update(CLUSTER_ROLES, role, field_manager=_FIELD_MANAGER)
        except errors.StatusError as error:
            # Our copy was behind: what is newer will be heard of, and looked at then.
            if error.reason not in ("Conflict", "NotFound"):
                raise


def aggregated(role: JSONObject, others: Iterable[JSONObject]) -> list[JSONObject]:
    """The rules of the roles that `role` selects, by selector and then by name, each rule once."""
    # By their text, for there may be thousands.
    rules: dict[bytes, JSONObject] = {}
    candidates = sorted(others, key=lambda other: str(other["metadata"]["name"]))
    for found in role["aggregationRule"].get("clusterRoleSelectors") or ():
        try:
            selector = LabelSelector.from_object(found)
        except ValueError:
            # Validation keeps these out; one that got past it selects nothing.
            continue
        for other in candidates:
            if other["metadata"]["name"] == role["metadata"]["name"]:
                continue
            if selector.matches(other["metadata"].get("labels") or {}):
                for rule in other.get("rules") or ():
                    rules.setdefault(orjson.dumps(rule, option=orjson.OPT_SORT_KEYS), rule)
    return list(rules.values())
