"""The columns of pods: a pod's one-word state, read off its containers. Mirrors `printPod` and the API it reads.

Used by `kubeapi/resources/core.py`.
"""

from typing import Any

from generic.types import JSONObject
from kubeapi.resources.columns.common import AGE, NAME, NONE, cell, has_condition, since, spec, status

_TERMINAL = ("Succeeded", "Failed")


class PodSummary:
    """What the Ready, Status and Restarts cells show, worked out in one pass over the container statuses."""

    __slots__ = ("last_restart", "ready", "reason", "restarts", "total")

    def __init__(self, pod: JSONObject) -> None:
        pod_status, pod_spec = status(pod), spec(pod)
        self.total = len(pod_spec.get("containers") or ())
        self.ready = self.restarts = 0
        self.last_restart = ""
        self.reason = str(pod_status.get("reason") or pod_status.get("phase") or "")
        for found in pod_status.get("conditions") or ():
            if found.get("type") == "PodScheduled" and found.get("reason") == "SchedulingGated":
                self.reason = "SchedulingGated"
        if not self._initializing(pod_status, pod_spec) or has_condition(pod_status.get("conditions"), "Initialized"):
            self._running(pod_status)
        if pod["metadata"].get("deletionTimestamp"):
            if pod_status.get("reason") == "NodeLost":
                self.reason = "Unknown"
            elif pod_status.get("phase") not in _TERMINAL:
                self.reason = "Terminating"

    def _initializing(self, pod_status: JSONObject, pod_spec: JSONObject) -> bool:
        """Go through the init containers; whether one of them is still at work or has failed."""
        declared = {c.get("name"): c for c in pod_spec.get("initContainers") or ()}
        sidecars = {name for name, c in declared.items() if c.get("restartPolicy") == "Always"}
        self.total += len(sidecars)
        sidecar_restarts, sidecar_last = 0, ""
        waiting = ""
        for at, container in enumerate(pod_status.get("initContainerStatuses") or ()):
            self._count_restarts(container)
            sidecar = container.get("name") in sidecars
            if sidecar:
                sidecar_restarts += container.get("restartCount") or 0
                sidecar_last = max(sidecar_last, _last_finished(container))
            waiting = self._init_reason(container, at, len(declared), sidecar=sidecar)
            if waiting:
                self.reason = waiting
                break
        if not waiting or has_condition(pod_status.get("conditions"), "Initialized"):
            # Only sidecars live on beside the containers; finished init containers no longer count.
            self.restarts, self.last_restart = sidecar_restarts, sidecar_last
        return bool(waiting)

    def _init_reason(self, container: JSONObject, at: int, total: int, *, sidecar: bool) -> str:
        state = container.get("state") or {}
        terminated, waiting = state.get("terminated"), state.get("waiting") or {}
        if terminated is not None and not terminated.get("exitCode"):
            return ""
        if sidecar and container.get("started"):
            self.ready += bool(container.get("ready"))
            return ""
        if terminated is not None:
            return f"Init:{terminated.get('reason') or _how_it_ended(terminated)}"
        if waiting.get("reason") and waiting["reason"] != "PodInitializing":
            return f"Init:{waiting['reason']}"
        return f"Init:{at}/{total}"

    def _running(self, pod_status: JSONObject) -> None:
        running = False
        for container in reversed(pod_status.get("containerStatuses") or ()):
            self._count_restarts(container)
            state = container.get("state") or {}
            terminated, waiting = state.get("terminated"), state.get("waiting") or {}
            if waiting.get("reason"):
                self.reason = waiting["reason"]
            elif terminated is not None:
                self.reason = terminated.get("reason") or _how_it_ended(terminated)
            elif container.get("ready") and state.get("running") is not None:
                running = True
                self.ready += 1
        if self.reason == "Completed" and running:
            self.reason = "Running" if has_condition(pod_status.get("conditions"), "Ready") else "NotReady"

    def _count_restarts(self, container: JSONObject) -> None:
        self.restarts += container.get("restartCount") or 0
        self.last_restart = max(self.last_restart, _last_finished(container))

    @property
    def restarts_text(self) -> str:
        if self.restarts and self.last_restart:
            return f"{self.restarts} ({since(self.last_restart)} ago)"
        return str(self.restarts)


def _last_finished(container: JSONObject) -> str:
    terminated = (container.get("lastState") or {}).get("terminated") or {}
    return str(terminated.get("finishedAt") or "")


def _how_it_ended(terminated: JSONObject) -> str:
    if terminated.get("signal"):
        return f"Signal:{terminated['signal']}"
    return f"ExitCode:{terminated.get('exitCode') or 0}"


def _ready(pod: JSONObject) -> str:
    summary = PodSummary(pod)
    return f"{summary.ready}/{summary.total}"


def _pod_ip(pod: JSONObject) -> Any:
    ips = status(pod).get("podIPs") or ()
    return (ips[0].get("ip") if ips else "") or NONE


def _readiness_gates(pod: JSONObject) -> str:
    gates = spec(pod).get("readinessGates") or ()
    if not gates:
        return NONE
    conditions = status(pod).get("conditions")
    return f"{sum(has_condition(conditions, gate.get('conditionType', '')) for gate in gates)}/{len(gates)}"


POD = (
    NAME,
    cell("Ready", _ready),
    cell("Status", lambda pod: PodSummary(pod).reason),
    cell("Restarts", lambda pod: PodSummary(pod).restarts_text),
    AGE,
    cell("IP", _pod_ip, wide=True),
    cell("Node", lambda pod: spec(pod).get("nodeName") or NONE, wide=True),
    cell("Nominated Node", lambda pod: status(pod).get("nominatedNodeName") or NONE, wide=True),
    cell("Readiness Gates", _readiness_gates, wide=True),
)
