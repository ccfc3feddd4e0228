"""RuntimeClass: what the runtime of a pod costs, and where it is.

One of the admission plugins (`order.py`). Mirrors `plugin/pkg/admission/runtimeclass/admission.go`.
"""

from generic.admission.interface import Attributes
from generic.meta import errors
from generic.meta.errors import StatusError
from generic.meta.gvk import GroupResource
from generic.types import JSONObject
from kubeapi.admission.reading import Reader
from kubeapi.quota import amounts

_PODS = GroupResource("", "pods")
_OTHER = "Pod's Overhead doesn't match RuntimeClass's defined Overhead"


class RuntimeClass:
    """Fills overhead, node selector and tolerations in; the overhead is not for clients to set."""

    name = "RuntimeClass"

    def __init__(self, classes: Reader) -> None:
        self._classes = classes

    def handles(self, attributes: Attributes) -> bool:
        return (
            attributes.operation == "CREATE"
            and attributes.resource.group_resource == _PODS
            and not attributes.subresource
        )

    async def admit(self, attributes: Attributes) -> None:
        """Raises StatusError 403: no such class, or the pod says something else than it."""
        if attributes.object is None:
            return
        found = await self._class(attributes)
        if found is None:
            return
        spec, overhead, scheduling = attributes.object["spec"], found.get("overhead"), found.get("scheduling")
        if overhead is not None:
            if spec.get("overhead") and not _same(spec["overhead"], overhead):
                raise _forbidden(attributes, f"pod rejected: {_OTHER}")
            spec["overhead"] = dict(overhead.get("podFixed") or {})
        if scheduling is not None:
            spec["nodeSelector"] = _selector(attributes, spec, scheduling.get("nodeSelector") or {})
            spec["tolerations"] = merged([*(spec.get("tolerations") or ()), *(scheduling.get("tolerations") or ())])

    async def validate(self, attributes: Attributes) -> None:
        """Raises StatusError 403: another plugin may have changed the overhead."""
        if attributes.object is None:
            return
        found = await self._class(attributes)
        given, overhead = attributes.object["spec"].get("overhead"), (found or {}).get("overhead")
        if overhead is not None:
            if not _same(given or {}, overhead):
                raise _forbidden(attributes, f"pod rejected: {_OTHER}")
        elif given is not None:
            why = "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead"
            raise _forbidden(attributes, why)

    async def _class(self, attributes: Attributes) -> JSONObject | None:
        name = (attributes.object or {})["spec"].get("runtimeClassName")
        if name is None:
            return None
        stored = await self._classes.get("", name)
        if stored is None:
            raise _forbidden(attributes, f'pod rejected: RuntimeClass "{name}" not found')
        found: JSONObject = stored.decoded()
        return found


def _same(given: JSONObject, overhead: JSONObject) -> bool:
    return amounts.of(given) == amounts.of(overhead.get("podFixed"))


def _selector(attributes: Attributes, spec: JSONObject, wanted: JSONObject) -> JSONObject:
    given = spec.get("nodeSelector") or {}
    for key, value in wanted.items():
        if given.get(key, value) != value:
            why = (
                f"conflict: runtimeClass.scheduling.nodeSelector[{key}] = {value}; "
                f"pod.spec.nodeSelector[{key}] = {given[key]}"
            )
            raise _forbidden(attributes, why)
    return {**given, **wanted}


def merged(tolerations: list[JSONObject]) -> list[JSONObject]:
    """Without those that another one covers."""
    kept: list[JSONObject] = []
    for at, toleration in enumerate(tolerations):
        later = (other for other in tolerations[at + 1 :] if other != toleration)
        if not any(_covers(other, toleration) for other in (*kept, *later)):
            kept.append(toleration)
    return kept


def _covers(wide: JSONObject, narrow: JSONObject) -> bool:
    if wide == narrow:
        return True
    exists = wide.get("operator") == "Exists"
    if (narrow.get("key") or "") != (wide.get("key") or "") and (wide.get("key") or not exists):
        return False
    effect = wide.get("effect") or ""
    if effect and effect != narrow.get("effect"):
        return False
    limit, seconds = wide.get("tolerationSeconds"), narrow.get("tolerationSeconds")
    if effect == "NoExecute" and limit is not None and (seconds is None or seconds > limit):
        return False
    if exists:
        return True
    return narrow.get("operator") == "Equal" and (narrow.get("value") or "") == (wide.get("value") or "")


def _forbidden(attributes: Attributes, why: str) -> StatusError:
    return errors.forbidden(_PODS, attributes.name, why)
