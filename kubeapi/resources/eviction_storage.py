"""Evictions: deleting a pod as long as its disruption budget allows. What `kubectl drain` calls.

Made by `subresources.py`. The budget is counted down before the pod goes, so that two evictions never use the same
place in it. Mirrors `pkg/registry/core/pod/storage/eviction.go`.
"""

from dataclasses import replace

from generic.admission.interface import NO_ADMISSION, AdmissionChain
from generic.endpoints import options as query
from generic.meta import errors
from generic.meta import time as meta_time
from generic.meta.gvk import GroupResource, GroupVersion
from generic.meta.selectors import LabelSelector
from generic.registry.options import DeleteOptions, GetOptions, WriteOptions
from generic.registry.rest import Transform
from generic.registry.store import StatusStore, Store
from generic.registry.strategy import StatusStrategy
from generic.request.context import RequestContext
from generic.storage.objects import StoredObject
from generic.types import JSONObject
from kubeapi import asked
from kubeapi.resources.binding_storage import success

EVICTION = GroupVersion("policy", "v1").with_kind("Eviction")
_BUDGET = GroupResource("policy", "poddisruptionbudget")
_REFUSED = "Cannot evict pod as it would violate the pod's disruption budget."
_TWO_BUDGETS = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
_CONFLICT_TRIES = 20
_POD = GroupResource("", "Pod")
"""Kubernetes names the kind here, not the resource."""
_DISRUPTION = {
    "type": "DisruptionTarget",
    "status": "True",
    "reason": "EvictionByEvictionAPI",
    "message": "Eviction API: evicting",
}
_MOST_DISRUPTED = 2000
"""Evictions that the controller of budgets has not seen yet."""


class Evictions:
    """Create alone."""

    def __init__(self, pods: Store, budgets: Store, *, admission: AdmissionChain = NO_ADMISSION) -> None:
        # Whoever may evict need not be allowed to delete: admission has seen the eviction.
        self._pods = Store(pods.resource, pods.backing, garbage_collection=pods.garbage_collection)
        self._marks = Store(pods.resource, pods.backing, strategy=_Marking(pods.strategy), subresource="eviction")
        self._budgets = budgets
        self._budget_status = StatusStore(Store(budgets.resource, budgets.backing))
        self._admission = admission

    async def create_named(
        self, request: RequestContext, namespace: str, name: str, obj: JSONObject, options: WriteOptions
    ) -> StoredObject:
        """Raises StatusError: 429 while the budget allows no disruption."""
        if (obj["metadata"].get("name") or "") != name:
            raise errors.bad_request("name in URL does not match name in Eviction object")
        await asked.admit(
            self._admission,
            request,
            obj,
            resource=self._pods.resource.gvr,
            kind=EVICTION,
            subresource="eviction",
            namespace=namespace,
            name=name,
            options=options,
        )
        wanted = query.delete_options({}, dict(obj.get("deleteOptions") or {}))
        if options.dry_run:
            wanted = replace(wanted, dry_run=True)
        pod = await self._delete_if_nothing_is_disrupted(request, namespace, name, wanted)
        if pod is None:
            return success()
        budgets = await self._budgets_of(pod.decoded())
        if len(budgets) > 1:
            raise errors.StatusError(500, "", _TWO_BUDGETS)
        pinned = wanted
        if budgets:
            if _counts_as_unhealthy(pod.decoded(), budgets[0]):
                # Should it become healthy meanwhile, it has to be counted after all.
                pinned = _pin(wanted, pod)
            else:
                await self._count_down(request, budgets[0], name, options, dry_run=wanted.dry_run)
        try:
            await self._delete(request, pod, pinned)
        except errors.StatusError as error:
            ours = pinned is not wanted and wanted.precondition_resource_version is None
            if error.reason == "Conflict" and ours:
                raise _still_processed(budgets[0]) from None
            raise
        return success()

    async def _delete_if_nothing_is_disrupted(
        self, request: RequestContext, namespace: str, name: str, wanted: DeleteOptions
    ) -> StoredObject | None:
        """None if the pod runs nothing, and is deleted; the pod if the budget has to be asked."""
        tries = _CONFLICT_TRIES if wanted.precondition_resource_version is None else 1
        for left in reversed(range(tries)):
            pod = await self._pods.get(request, namespace, name, GetOptions())
            obj = pod.decoded()
            phase, deleting = (obj.get("status") or {}).get("phase"), obj["metadata"].get("deletionTimestamp")
            if phase not in ("Succeeded", "Failed", "Pending") and not deleting:
                return pod
            over = phase in ("Succeeded", "Failed") or deleting
            as_asked = over or wanted.precondition_resource_version is not None
            try:
                await self._delete(request, pod, wanted if as_asked else _pin(wanted, pod))
            except errors.StatusError as error:
                if error.reason != "Conflict" or not left:
                    raise
            else:
                return None
        raise AssertionError("the last try returned or raised")

    async def _budgets_of(self, pod: JSONObject) -> list[JSONObject]:
        cacher, namespace = self._budgets.backing.cacher, pod["metadata"]["namespace"]
        await cacher.start()
        found = (budget.decoded() for budget in cacher.peek_all(namespace))
        return [budget for budget in found if _selects(budget, pod)]

    async def _count_down(
        self, request: RequestContext, budget: JSONObject, pod: str, options: WriteOptions, *, dry_run: bool
    ) -> None:
        async def apply(current: JSONObject | None) -> JSONObject:
            if current is None:
                raise errors.not_found(self._budgets.resource.group_resource, budget["metadata"]["name"])
            return _counted_down(current, pod)

        metadata = budget["metadata"]
        write = WriteOptions("UpdateOptions", dry_run=dry_run, field_manager=options.field_manager)
        await self._budget_status.update(request, metadata["namespace"], metadata["name"], Transform(apply), write)

    async def _delete(self, request: RequestContext, pod: StoredObject, wanted: DeleteOptions) -> None:
        """Delete the pod, which says beforehand why it goes. Raises StatusError."""
        if not wanted.dry_run:

            async def apply(current: JSONObject | None) -> JSONObject:
                if current is None:
                    raise errors.not_found(self._pods.resource.group_resource, pod.name)
                _check_preconditions(current, wanted)
                return _disrupted(current)

            write = WriteOptions("UpdateOptions")
            marked = await self._marks.update(request, pod.namespace, pod.name, Transform(apply), write)
            if wanted.precondition_resource_version is not None:
                # It is this very update that made the pod another.
                wanted = _pin(wanted, marked.object)
        await self._pods.delete(request, pod.namespace, pod.name, wanted)


class _Marking(StatusStrategy):
    """The condition is nobody's: it is written below where Kubernetes keeps account of owners."""

    never_owned = frozenset({"metadata", "spec", "status"})


def _check_preconditions(pod: JSONObject, wanted: DeleteOptions) -> None:
    """Raises 409."""
    metadata, failed = pod["metadata"], "the {0} in the precondition ({1}) does not match the {0} in record ({2}). "
    for what, expected, actual, end in (
        ("UID", wanted.precondition_uid, metadata["uid"], "deleted and then recreated"),
        ("ResourceVersion", wanted.precondition_resource_version, metadata["resourceVersion"], "modified"),
    ):
        if expected and expected != actual:
            why = f"{failed.format(what, expected, actual)}The object might have been {end}"
            raise errors.conflict(_POD, metadata["name"], why)


def _disrupted(pod: JSONObject) -> JSONObject:
    """The pod with the condition that its owner's controller looks at."""
    status = pod.get("status") or {}
    conditions: list[JSONObject] = list(status.get("conditions") or ())
    wanted: JSONObject = {**_DISRUPTION, "lastProbeTime": None, "lastTransitionTime": meta_time.now()}
    at = next((at for at, held in enumerate(conditions) if held["type"] == wanted["type"]), len(conditions))
    for held in conditions[at : at + 1]:
        if held["status"] == wanted["status"] and held.get("lastTransitionTime"):
            wanted["lastTransitionTime"] = held["lastTransitionTime"]
    conditions[at : at + 1] = [wanted]
    return {**pod, "status": {**status, "conditions": conditions}}


def _pin(wanted: DeleteOptions, pod: StoredObject) -> DeleteOptions:
    return replace(wanted, precondition_resource_version=str(pod.revision))


def _selects(budget: JSONObject, pod: JSONObject) -> bool:
    selector = (budget.get("spec") or {}).get("selector")
    if selector is None:
        return False
    try:
        return LabelSelector.from_object(selector).matches(pod["metadata"].get("labels") or {})
    except ValueError:
        return False


def _counts_as_unhealthy(pod: JSONObject, budget: JSONObject) -> bool:
    """A pod that is not ready is in nobody's count: it may go where enough others are well, or always if so told."""
    conditions = (pod.get("status") or {}).get("conditions") or ()
    if any(found["type"] == "Ready" and found["status"] == "True" for found in conditions):
        return False
    if (budget.get("spec") or {}).get("unhealthyPodEvictionPolicy") == "AlwaysAllow":
        return True
    status = budget.get("status") or {}
    desired = status.get("desiredHealthy") or 0
    return bool((status.get("currentHealthy") or 0) >= desired > 0)


def _counted_down(budget: JSONObject, pod: str) -> JSONObject:
    """The budget with one disruption less to give. Raises StatusError if it has none."""
    metadata, status = budget["metadata"], budget.get("status") or {}
    allowed = status.get("disruptionsAllowed") or 0
    if (status.get("observedGeneration") or 0) < (metadata.get("generation") or 0):
        raise _still_processed(budget)
    if allowed < 0:
        why = "pdb disruptions allowed is negative"
        raise _forbidden(metadata["name"], why, why)
    disrupted = status.get("disruptedPods") or {}
    if len(disrupted) > _MOST_DISRUPTED:
        why = "DisruptedPods map too big - too many evictions not confirmed by PDB controller"
        raise _forbidden(metadata["name"], why, "too many pending evictions not confirmed by PDB controller")
    if allowed == 0:
        raise _too_many(f"The disruption budget {metadata['name']} {_why_nothing(status)}", retry_after=None)
    status = {
        **status,
        "disruptionsAllowed": allowed - 1,
        "disruptedPods": {**disrupted, pod: meta_time.now()},
    }
    if allowed == 1:
        status["conditions"] = _insufficient(status)
    return {**budget, "status": status}


def _why_nothing(status: JSONObject) -> str:
    """Why a budget allows no disruption, as far as its controller has said."""
    conditions: list[JSONObject] = status.get("conditions") or []
    held = next((found for found in conditions if found["type"] == "DisruptionAllowed"), {})
    reason, message = held.get("reason") or "", held.get("message") or ""
    told = held.get("status") == "False" and message
    if told and reason == "SyncFailed":
        # Then nobody can rely on the numbers.
        return f"does not allow evicting pods currently because it failed sync: {message}"
    needs, has = status.get("desiredHealthy") or 0, status.get("currentHealthy") or 0
    if has <= needs:
        return f"needs {needs} healthy pods and has {has} currently"
    return f"does not allow evicting pods currently{f' ({reason}): {message}' if told else ''}"


def _insufficient(status: JSONObject) -> list[JSONObject]:
    conditions = [dict(found) for found in status.get("conditions") or ()]
    held = next((found for found in conditions if found["type"] == "DisruptionAllowed"), None)
    if held is None:
        held = {"type": "DisruptionAllowed"}
        conditions.append(held)
    if held.get("status") != "False":
        held["lastTransitionTime"] = meta_time.now()
    held |= {
        "status": "False",
        "reason": "InsufficientPods",
        "message": "",
        "observedGeneration": status.get("observedGeneration") or 0,
    }
    return conditions


def _still_processed(budget: JSONObject) -> errors.StatusError:
    name = budget["metadata"]["name"]
    return _too_many(f"The disruption budget {name} is still being processed by the server.", retry_after=10)


def _forbidden(name: str, why: str, cause: str) -> errors.StatusError:
    message = f"The disruption budget {name} does not allow evicting pods currently: {cause}"
    return errors.forbidden(_BUDGET, name, why, causes=[{"reason": "DisruptionBudget", "message": message}])


def _too_many(why: str, *, retry_after: int | None) -> errors.StatusError:
    causes = [{"reason": "DisruptionBudget", "message": why}]
    return errors.StatusError(429, "TooManyRequests", _REFUSED, details={"causes": causes}, retry_after=retry_after)
