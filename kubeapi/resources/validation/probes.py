"""Validation of what is done to containers while they run: probes and lifecycle hooks.

Mirrors validateLifecycle and validateProbe of `pkg/apis/core/validation/validation.go`. Called by `containers.py`.
"""

import re
from collections.abc import Callable, Mapping

from generic.meta import fields, names
from generic.meta.fields import FieldError
from generic.types import JSONObject
from kubeapi.resources.validation import common
from kubeapi.resources.validation.common import each

KEYS = ("lifecycle", "livenessProbe", "readinessProbe", "startupProbe")
_COUNTERS = ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold")
_is_header = re.compile(r"[-A-Za-z0-9]+").fullmatch


def all_of(container: JSONObject, path: str, spec: JSONObject) -> list[FieldError]:
    """Of one container."""
    found: list[FieldError] = []
    grace = spec.get("terminationGracePeriodSeconds")
    lifecycle = container.get("lifecycle") or {}
    for hook in ("postStart", "preStop"):
        if lifecycle.get(hook) is not None:
            found += _handler(lifecycle[hook], f"{path}.lifecycle.{hook}", grace)
    for kind in KEYS[1:]:
        if container.get(kind) is not None:
            found += _probe(container[kind], f"{path}.{kind}", kind, grace)
    return found


def _probe(probe: JSONObject, path: str, kind: str, grace: int | None) -> list[FieldError]:
    found = _handler(probe, path, grace) + common.not_negative(probe, _COUNTERS, path)
    own = probe.get("terminationGracePeriodSeconds")
    if own is not None and own <= 0:
        found.append(fields.invalid(f"{path}.terminationGracePeriodSeconds", own, "must be greater than 0"))
    if kind == "readinessProbe":
        if own is not None:
            why = "must not be set for readinessProbes"
            found.append(fields.invalid(f"{path}.terminationGracePeriodSeconds", own, why))
    elif (probe.get("successThreshold") or 0) != 1:
        found.append(fields.invalid(f"{path}.successThreshold", probe.get("successThreshold") or 0, "must be 1"))
    return found


def _handler(handler: JSONObject, path: str, grace: int | None) -> list[FieldError]:
    kinds = [kind for kind in _HANDLERS if handler.get(kind) is not None]
    if handler.get("sleep") is not None:
        kinds.append("sleep")
    if not kinds:
        return [fields.required(path, "must specify a handler type")]
    first, *others = kinds
    found = (
        _sleep(handler["sleep"], f"{path}.sleep", grace)
        if first == "sleep"
        else _HANDLERS[first](handler[first], f"{path}.{first}")
    )
    return found + [fields.forbidden(f"{path}.{kind}", "may not specify more than 1 handler type") for kind in others]


def _exec(action: JSONObject, path: str) -> list[FieldError]:
    return [] if action.get("command") else [fields.required(f"{path}.command")]


def _http_get(action: JSONObject, path: str) -> list[FieldError]:
    found = [] if action.get("path") else [fields.required(f"{path}.path")]
    found += common.port_or_name(action.get("port", 0), f"{path}.port")
    found += common.among(action.get("scheme"), f"{path}.scheme", ("HTTP", "HTTPS"))
    what = "a valid HTTP header must consist of alphanumeric characters or '-'"
    why = names.regex_mismatch(what, "[-A-Za-z0-9]+", "X-Header-Name")
    for header in each(action.get("httpHeaders")):
        if not _is_header(header.get("name") or ""):
            found.append(fields.invalid(f"{path}.httpHeaders", header.get("name") or "", why))
    return found


def _tcp_socket(action: JSONObject, path: str) -> list[FieldError]:
    return common.port_or_name(action.get("port", 0), f"{path}.port")


def _grpc(action: JSONObject, path: str) -> list[FieldError]:
    return common.port(action.get("port") or 0, f"{path}.port")


def _sleep(action: JSONObject, path: str, grace: int | None) -> list[FieldError]:
    seconds = action.get("seconds") or 0
    if seconds < 0 or (grace is not None and seconds > grace):
        why = f"must be non-negative and less than terminationGracePeriodSeconds ({grace or 0})"
        return [fields.invalid(path, seconds, why)]
    return []


_HANDLERS: Mapping[str, Callable[[JSONObject, str], list[FieldError]]] = {
    "exec": _exec,
    "httpGet": _http_get,
    "tcpSocket": _tcp_socket,
    "grpc": _grpc,
}
