"""Strategies of the subresources of pods that change a part of the pod. Mirrors `pkg/registry/core/pod/strategy.go`."""

from collections.abc import Callable, Sequence
from typing import Any

from generic.meta import fields
from generic.meta.fields import FieldError
from generic.request.context import RequestContext
from generic.types import JSONObject
from kubeapi.resources.defaults import pods as defaults
from kubeapi.resources.strategies.core import PodStrategy, quality_of_service
from kubeapi.resources.validation import pods as validation

_LISTS = ("containers", "initContainers")


class BindingStrategy(PodStrategy):
    """The strategy of `pods/binding`, whose storage alone says what changes."""

    def prepare_for_update(self, request: RequestContext, obj: JSONObject, old: JSONObject) -> None:
        """Spec and status both."""


class PartStrategy(PodStrategy):
    """Takes one part of the spec from the client and everything else from what is stored."""

    def __init__(self, part: Callable[[JSONObject, JSONObject], JSONObject]) -> None:
        super().__init__(default=defaults.pod, validate=validation.pod)
        self._part = part

    def prepare_for_update(self, request: RequestContext, obj: JSONObject, old: JSONObject) -> None:
        super().prepare_for_update(request, obj, old)
        obj["spec"] = self._part(obj.get("spec") or {}, old.get("spec") or {})
        given = obj["metadata"]
        kept = {key: given[key] for key in ("resourceVersion", "uid", "managedFields") if key in given}
        obj["metadata"] = {**{k: v for k, v in old["metadata"].items() if k != "managedFields"}, **kept}


class EphemeralContainersStrategy(PartStrategy):
    """Ephemeral containers are added, and stay as they are from then on."""

    def __init__(self) -> None:
        super().__init__(_with_ephemeral_containers)

    def validate_update(self, request: RequestContext, obj: JSONObject, old: JSONObject) -> Sequence[FieldError]:
        return [
            *validation.pod(obj),
            *_kept_ephemeral_containers(obj["spec"], old.get("spec") or {}),
        ]


class ResizeStrategy(PartStrategy):
    """How much its containers may use is all that changes of a pod, and its class of service does not."""

    def __init__(self) -> None:
        super().__init__(_with_resources)

    def validate_update(self, request: RequestContext, obj: JSONObject, old: JSONObject) -> Sequence[FieldError]:
        found = list(validation.pod(obj))
        new, before = obj["spec"], old.get("spec") or {}
        now, was = quality_of_service(new), quality_of_service(before)
        if now != was:
            found.append(fields.invalid("spec", now, "Pod QOS Class may not change as a result of resizing"))
        if _other_resources(new) != _other_resources(before):
            found.append(fields.forbidden("spec", "only cpu and memory resources are mutable"))
        return found


def _with_ephemeral_containers(spec: JSONObject, before: JSONObject) -> JSONObject:
    merged = dict(before)
    merged.pop("ephemeralContainers", None)
    if spec.get("ephemeralContainers"):
        merged["ephemeralContainers"] = spec["ephemeralContainers"]
    return merged


def _kept_ephemeral_containers(spec: JSONObject, before: JSONObject) -> list[FieldError]:
    path = "spec.ephemeralContainers"
    now = {container.get("name"): container for container in spec.get("ephemeralContainers") or ()}
    found = []
    for container in before.get("ephemeralContainers") or ():
        name = container["name"]
        if name not in now:
            found.append(fields.forbidden(path, f'existing ephemeral containers "{name}" may not be removed\n'))
        elif now[name] != container:
            found.append(fields.forbidden(path, f'existing ephemeral containers "{name}" may not be changed\n'))
    return found


def _with_resources(spec: JSONObject, before: JSONObject) -> JSONObject:
    merged = dict(before)
    for key in _LISTS:
        wanted = {container.get("name"): container for container in spec.get(key) or ()}
        if before.get(key):
            merged[key] = [_resized(container, wanted.get(container["name"])) for container in before[key]]
    return merged


def _resized(container: JSONObject, wanted: JSONObject | None) -> JSONObject:
    if wanted is None:
        return container
    return container | {key: wanted[key] for key in ("resources", "resizePolicy") if key in wanted}


def _other_resources(spec: JSONObject) -> list[Any]:
    """What containers ask for besides processors and memory."""
    found = []
    for key in _LISTS:
        for container in spec.get(key) or ():
            resources = container.get("resources") or {}
            for amounts in (resources.get("limits") or {}, resources.get("requests") or {}):
                found.append({name: amount for name, amount in amounts.items() if name not in ("cpu", "memory")})
    return found


BINDING = BindingStrategy(default=defaults.pod)
EPHEMERAL_CONTAINERS = EphemeralContainersStrategy()
RESIZE = ResizeStrategy()
