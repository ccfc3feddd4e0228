"""The documents of `/apis` and `/apis/<group>`, made of APIServices, local and remote, available or not.

Used by `server.py`. Mirrors `kube-aggregator/pkg/apiserver/handler_apis.go`.
"""

from aggregator.apiservices.registration import Registration
from aggregator.apiservices.resource import GROUP_VERSION
from aggregator.routes import RoutingTable
from generic.delegation import DelegationTarget
from generic.endpoints.discovery import handlers, legacy
from generic.types import JSONObject, Receive, Scope, Send


def group_list(table: RoutingTable) -> JSONObject:
    """The APIGroupList: the aggregator's own group, then the others by priority."""
    own = legacy.api_group(GROUP_VERSION.group, [GROUP_VERSION.version])
    named = (versions for versions in table.groups() if versions[0].group_version.group not in ("", own["name"]))
    return legacy.api_group_list([own, *map(_group, named)])


def _group(versions: list[Registration]) -> JSONObject:
    return legacy.api_group(versions[0].group_version.group, [one.group_version.version for one in versions])


class GroupHandler:
    """`/apis/<group>` for as long as somebody has registered a version of it; then the delegate's answer."""

    def __init__(self, group: str, table: RoutingTable, delegate: DelegationTarget) -> None:
        self._group = group
        self._table = table
        self._delegate = delegate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        versions = self._table.group(self._group)
        if not versions:
            await self._delegate(scope, receive, send)
            return
        await handlers.DocumentHandler(lambda: _group(versions))(scope, receive, send)
