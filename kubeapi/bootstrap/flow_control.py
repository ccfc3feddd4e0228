"""The FlowSchemas and PriorityLevelConfigurations every cluster has. Called by `kubeapi/controllers/flow_control.py`.

Mandatory ones are always as they have to be. Suggested ones that are missing are made; those somebody changed are
left alone, unless the annotation `apf.kubernetes.io/autoupdate-spec` says "true". Mirrors
`pkg/registry/flowcontrol/rest/storage_flowcontrol.go` and `pkg/registry/flowcontrol/ensurer`.
"""

import asyncio
from collections.abc import Awaitable, Sequence

from generic.client.rest import Client
from generic.flowcontrol import bootstrap
from generic.flowcontrol.bootstrap import AUTOUPDATE
from generic.flowcontrol.config import EXEMPT, FLOW_SCHEMAS, PRIORITY_LEVELS
from generic.meta import errors
from generic.meta.gvk import GroupVersionResource
from generic.types import JSONObject

FIELD_MANAGER = "api-priority-and-fairness-config-producer-v1"
KIND = FLOW_SCHEMAS.group_version.with_kind("FlowSchema")

_BOOLEANS = {
    **dict.fromkeys(("1", "t", "T", "true", "TRUE", "True"), True),
    **dict.fromkeys(("0", "f", "F", "false", "FALSE", "False"), False),
}
"""What Go takes for one."""


async def ensure_flow_control(client: Client) -> None:
    """Two lists, and writes only for what is missing or not as it should be. Raises StatusError."""
    # Levels first: a schema that comes before its level would be told that there is none.
    await _ensure(client, PRIORITY_LEVELS, bootstrap.SUGGESTED_LEVELS, bootstrap.MANDATORY_LEVELS)
    await _ensure(client, FLOW_SCHEMAS, bootstrap.SUGGESTED_SCHEMAS, bootstrap.MANDATORY_SCHEMAS)


async def _ensure(
    client: Client, gvr: GroupVersionResource, suggested: Sequence[JSONObject], mandatory: Sequence[JSONObject]
) -> None:
    found = {item["metadata"]["name"]: item for item in (await client.list(gvr))["items"]}
    writes: list[Awaitable[None]] = []
    for obj in (*suggested, *mandatory):
        current = found.pop(obj["metadata"]["name"], None)
        if current is None:
            writes.append(_create(client, gvr, obj))
            continue
        change = revised(current, obj, is_mandatory=obj in mandatory)
        if change is not None:
            writes.append(_update(client, gvr, change))
    # Those of an older server, which this one does not know any more.
    writes += [_delete(client, gvr, name) for name, left in found.items() if _autoupdate(left)]
    await asyncio.gather(*writes)


async def _create(client: Client, gvr: GroupVersionResource, obj: JSONObject) -> None:
    try:
        await client.create(gvr, obj, field_manager=FIELD_MANAGER)
    except errors.StatusError as error:
        # Another server was faster; next time is soon enough to look at what it made.
        if error.reason != "AlreadyExists":
            raise


async def _update(client: Client, gvr: GroupVersionResource, obj: JSONObject) -> None:
    try:
        await client.update(gvr, obj, field_manager=FIELD_MANAGER)
    except errors.StatusError as error:
        if error.reason not in ("Conflict", "NotFound"):
            raise


async def _delete(client: Client, gvr: GroupVersionResource, name: str) -> None:
    try:
        await client.delete(gvr, name)
    except errors.StatusError as error:
        if error.reason != "NotFound":
            raise


def revised(current: JSONObject, wanted: JSONObject, *, is_mandatory: bool) -> JSONObject | None:
    """The object as it should be; None if it is."""
    updates_spec = is_mandatory or _may_update_spec(current)
    is_spec_changed = updates_spec and not _same_spec(wanted, current)
    if not is_spec_changed and _autoupdate(current) is updates_spec:
        return None
    metadata = current["metadata"]
    annotations = {**(metadata.get("annotations") or {})}
    if _autoupdate(current) is not updates_spec:
        annotations[AUTOUPDATE] = "true" if updates_spec else "false"
    spec = wanted["spec"] if is_spec_changed else current["spec"]
    return {**current, "metadata": {**metadata, "annotations": annotations}, "spec": spec}


def _autoupdate(obj: JSONObject) -> bool | None:
    """None if nobody has said anything sensible."""
    return _BOOLEANS.get((obj["metadata"].get("annotations") or {}).get(AUTOUPDATE, ""))


def _may_update_spec(obj: JSONObject) -> bool:
    said = _autoupdate(obj)
    # Untouched since it was made, there is nothing of anybody's to lose.
    return obj["metadata"].get("generation") == 1 if said is None else said


def _same_spec(wanted: JSONObject, current: JSONObject) -> bool:
    if wanted["metadata"]["name"] == EXEMPT and "exempt" in wanted["spec"]:
        # How many seats the exempt level holds and lends is the administrator's business.
        if current["spec"].get("exempt") is None:
            return False
        wanted = {"spec": {**wanted["spec"], "exempt": current["spec"]["exempt"]}}
    return bootstrap.same_spec(wanted["spec"], current["spec"])
