"""Brings the default roles and bindings up to the policy. Run by a post-start hook of `kubeapi/server.py`.

What somebody added to them stays; what is missing is added, unless the annotation
`rbac.authorization.kubernetes.io/autoupdate` of an object is "false". Mirrors
`pkg/registry/rbac/rest/storage_rbac.go` (PolicyData) and `component-helpers/auth/rbac/reconciliation`.
"""

import asyncio
from collections.abc import Callable, Sequence

from generic.authorization.rbac_rules import compile_rules
from generic.client.rest import Client
from generic.meta import errors
from generic.meta.gvk import GroupVersionResource
from generic.types import JSONObject
from kubeapi.bootstrap import namespaces, rbac_policy
from kubeapi.bootstrap.rbac_rules import AUTOUPDATE, BOOTSTRAPPING, GROUP
from kubeapi.rbac import covering

Reconcile = Callable[[JSONObject, JSONObject], JSONObject | None]
"""From what is there and what ought to be to what to write: None for nothing."""

_DEFAULTS = ",".join(f"{key}={value}" for key, value in BOOTSTRAPPING.items())


async def ensure_rbac(client: Client) -> None:
    """One list per kind, and writes only for what is missing or short of the policy. Raises StatusError."""
    await asyncio.gather(
        _ensure(client, "clusterroles", rbac_policy.CLUSTER_ROLES, reconciled_role),
        _ensure(client, "clusterrolebindings", rbac_policy.CLUSTER_ROLE_BINDINGS, reconciled_binding),
        _ensure(client, "roles", rbac_policy.ROLES, reconciled_role),
        _ensure(client, "rolebindings", rbac_policy.ROLE_BINDINGS, reconciled_binding),
    )


async def _ensure(client: Client, plural: str, wanted: Sequence[JSONObject], reconcile: Reconcile) -> None:
    gvr = GroupVersionResource(GROUP, "v1", plural)
    items = (await client.list(gvr, label_selector=_DEFAULTS))["items"]
    found = {_key(item): item for item in items}
    await asyncio.gather(*(_ensure_one(client, gvr, obj, found.get(_key(obj)), reconcile) for obj in wanted))


def _key(obj: JSONObject) -> tuple[str, str]:
    return obj["metadata"].get("namespace") or "", obj["metadata"]["name"]


async def _ensure_one(
    client: Client, gvr: GroupVersionResource, obj: JSONObject, found: JSONObject | None, reconcile: Reconcile
) -> None:
    namespace, name = _key(obj)
    while True:
        try:
            if found is None:
                await client.create(gvr, obj)
                return
            change = reconcile(found, obj)
            if change is None:
                return
            if change.get("roleRef") != found.get("roleRef"):
                # A binding cannot be pointed at another role: it makes way.
                await client.delete(gvr, name, namespace, uid=found["metadata"].get("uid", ""))
                found = None
            else:
                await client.update(gvr, change)
                return
        except errors.StatusError as error:
            if error.reason == "NotFound" and found is None and namespace:
                await namespaces.ensure_namespace(client, namespace)
            elif error.reason in ("AlreadyExists", "Conflict", "NotFound"):
                # Somebody else was there: another server starting, or an owner who took the label off.
                found = await _get(client, gvr, name, namespace)
            else:
                raise


async def _get(client: Client, gvr: GroupVersionResource, name: str, namespace: str) -> JSONObject | None:
    try:
        return await client.get(gvr, name, namespace)
    except errors.StatusError as error:
        if error.reason == "NotFound":
            return None
        raise


def reconciled_role(found: JSONObject, wanted: JSONObject) -> JSONObject | None:
    """The role with what the policy says and it lacks; None if it lacks nothing or wants to be left alone."""
    if _protected(found):
        return None
    made = _with_metadata(found, wanted)
    if wanted.get("aggregationRule") is not None:
        # The rules of an aggregated role are its controller's.
        selectors = list((found.get("aggregationRule") or {}).get("clusterRoleSelectors") or ())
        added = [s for s in wanted["aggregationRule"]["clusterRoleSelectors"] if s not in selectors]
        if added:
            made["aggregationRule"] = {"clusterRoleSelectors": [*selectors, *added]}
    else:
        lacking = covering.missing(compile_rules(found.get("rules")), compile_rules(wanted["rules"]))
        if lacking:
            made["rules"] = [*(found.get("rules") or ()), *(rule.source for rule in lacking)]
    return None if made == found else made


def reconciled_binding(found: JSONObject, wanted: JSONObject) -> JSONObject | None:
    """The binding with the subjects of the policy; another roleRef means it has to be made anew."""
    if _protected(found):
        return None
    if found.get("roleRef") != wanted["roleRef"]:
        return wanted
    made = _with_metadata(found, wanted)
    subjects = list(found.get("subjects") or ())
    added = [subject for subject in wanted.get("subjects") or () if subject not in subjects]
    if added:
        made["subjects"] = [*subjects, *added]
    return None if made == found else made


def _protected(found: JSONObject) -> bool:
    return (found["metadata"].get("annotations") or {}).get(AUTOUPDATE) == "false"


def _with_metadata(found: JSONObject, wanted: JSONObject) -> JSONObject:
    metadata = dict(found["metadata"])
    for key in ("labels", "annotations"):
        merged = {**(wanted["metadata"].get(key) or {}), **(metadata.get(key) or {})}
        if merged:
            metadata[key] = merged
    return {**found, "metadata": metadata}
