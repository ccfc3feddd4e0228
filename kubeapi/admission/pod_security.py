"""PodSecurity: pods keep to the standards that the labels of their namespace name.

One of the admission plugins (`order.py`). Without such a label anything goes. Enforced for pods; whoever makes pods is
warned in time. Mirrors `k8s.io/pod-security-admission/admission/admission.go`.
"""

from collections.abc import Iterable, Sequence

from generic.admission.interface import Attributes
from generic.meta import errors
from generic.meta.fields import FieldError
from generic.meta.gvk import GroupResource
from generic.storage.objects import StoredObject
from generic.types import JSONObject
from kubeapi.admission.reading import Reader
from kubeapi.podsecurity import policy, standards
from kubeapi.podsecurity.pods import Pod, Violation
from kubeapi.podsecurity.policy import PREFIX, Policy, Standard

_NAMESPACES = GroupResource("", "namespaces")
_PODS = GroupResource("", "pods")
_TEMPLATE = ("spec", "template")
_TEMPLATES = {
    GroupResource("", "podtemplates"): ("template",),
    GroupResource("", "replicationcontrollers"): _TEMPLATE,
    GroupResource("apps", "daemonsets"): _TEMPLATE,
    GroupResource("apps", "deployments"): _TEMPLATE,
    GroupResource("apps", "replicasets"): _TEMPLATE,
    GroupResource("apps", "statefulsets"): _TEMPLATE,
    GroupResource("batch", "cronjobs"): ("spec", "jobTemplate", "spec", "template"),
    GroupResource("batch", "jobs"): _TEMPLATE,
}
"""Where what pods are made from stands in what makes them."""

_OF_PODS = frozenset(("", "ephemeralcontainers", "resize"))
"""The parts of a pod through which its spec changes."""

_MOST_PODS = 3000
_AUDIT = PREFIX


class PodSecurity:
    """Refuses, warns, and annotates audit events."""

    name = "PodSecurity"

    def __init__(self, namespaces: Reader, pods: Reader, *, version: str) -> None:
        """`version` is the newest whose checks there are: `latest` means that one, and so does any that is newer."""
        self._namespaces = namespaces
        self._pods = pods
        self._newest = int(version.partition(".")[2])

    def handles(self, attributes: Attributes) -> bool:
        if attributes.operation not in ("CREATE", "UPDATE"):
            return False
        resource = attributes.resource.group_resource
        if resource == _PODS:
            return attributes.subresource in _OF_PODS
        return (resource in _TEMPLATES or resource == _NAMESPACES) and not attributes.subresource

    async def validate(self, attributes: Attributes) -> None:
        """Raises StatusError: 403 for a pod that breaks what is enforced, 422 for labels that cannot be read."""
        resource, obj = attributes.resource.group_resource, attributes.object
        if obj is None:
            return
        if resource == _NAMESPACES:
            await self._validate_namespace(attributes, obj)
            return
        found, problems = await self._policy(attributes.namespace)
        if resource == _PODS:
            if found.is_privileged and not problems:
                attributes.request.annotate(f"{_AUDIT}enforce-policy", str(found.enforce))
            elif attributes.operation == "CREATE" or _changes_images(obj, attributes.old_object or {}):
                self._evaluate(attributes, found, problems, Pod(obj["metadata"], obj["spec"]), enforce=True)
        elif problems or found.warn.strictness or found.audit.strictness:
            template = _template(obj, _TEMPLATES[resource])
            if template is not None:
                pod = Pod(template.get("metadata") or {}, template.get("spec") or {})
                self._evaluate(attributes, found, problems, pod, enforce=False)

    def _violations(self, standard: Standard, pod: Pod) -> list[Violation]:
        return standards.violations(standard, pod, newest=self._newest)

    async def _policy(self, namespace: str) -> tuple[Policy, list[FieldError]]:
        stored = self._namespaces.peek("", namespace) or await self._namespaces.get("", namespace)
        return policy.of(stored.labels if stored is not None else None)

    async def _validate_namespace(self, attributes: Attributes, obj: JSONObject) -> None:
        wanted, problems = policy.of(obj["metadata"].get("labels"))
        old = attributes.old_object
        if old is None:
            if problems:
                raise errors.invalid(attributes.kind.group_kind, attributes.name, problems)
            return
        held, known = policy.of(old["metadata"].get("labels"))
        if problems and problems != known:
            raise errors.invalid(attributes.kind.group_kind, attributes.name, problems)
        stricter = wanted.enforce.strictness > held.enforce.strictness
        if wanted.enforce.strictness and (stricter or wanted.enforce.version != held.enforce.version):
            await self._pods.start()
            for warning in self._warnings(attributes.name, wanted.enforce, self._pods.peek_all(attributes.name)):
                attributes.request.warn(warning)

    def _evaluate(
        self, attributes: Attributes, found: Policy, problems: list[FieldError], pod: Pod, *, enforce: bool
    ) -> None:
        request = attributes.request
        if problems:
            texts = ", ".join(map(str, problems))
            text = texts if len(problems) == 1 else f"[{texts}]"
            request.annotate(f"{_AUDIT}error", f"Failed to parse policy: {text}")
        refused = self._violations(found.enforce, pod) if enforce else []
        if enforce:
            request.annotate(f"{_AUDIT}enforce-policy", str(found.enforce))
        audited = self._violations(found.audit, pod)
        if audited:
            request.annotate(f"{_AUDIT}audit-violations", _would("would violate", found.audit, audited))
        if refused:
            why = _would("violates", found.enforce, refused)
            raise errors.forbidden(attributes.resource.group_resource, attributes.name, why)
        warned = self._violations(found.warn, pod)
        if warned:
            request.warn(_would("would violate", found.warn, warned))

    def _warnings(self, namespace: str, enforced: Standard, stored: Sequence[StoredObject]) -> list[str]:
        """Which of the pods that run already could not be made any more."""
        breaking: dict[str, list[str]] = {}
        for pod in (each.decoded() for each in stored[:_MOST_PODS]):
            found = self._violations(enforced, Pod(pod["metadata"], pod["spec"]))
            if found:
                breaking.setdefault(", ".join(each.reason for each in found), []).append(pod["metadata"]["name"])
        warnings = []
        if len(stored) > _MOST_PODS:
            checked = f"the first {_MOST_PODS} of {len(stored)} existing pods"
            warnings.append(f"new PodSecurity enforce level only checked against {checked}")
        if breaking:
            warnings.append(
                f'existing pods in namespace "{namespace}" violate the new PodSecurity enforce level "{enforced}"'
            )
        return [*warnings, *sorted(f"{_named(names)}: {why}" for why, names in breaking.items())]


def _would(verb: str, standard: Standard, found: Iterable[Violation]) -> str:
    return f'{verb} PodSecurity "{standard}": {", ".join(map(str, found))}'


def _template(obj: JSONObject, path: Sequence[str]) -> JSONObject | None:
    found: JSONObject | None = obj
    for key in path:
        found = (found or {}).get(key)
    return found


def _changes_images(obj: JSONObject, old: JSONObject) -> bool:
    """Whether an update changes anything of a pod that matters here: of what may change, that is its images."""
    spec, before = obj["spec"], old.get("spec") or {}
    for key in ("containers", "initContainers"):
        images, known = ([each.get("image") for each in held.get(key) or ()] for held in (spec, before))
        if images != known:
            return True
    known_images = {each["name"]: each.get("image") for each in before.get("ephemeralContainers") or ()}
    return any(
        each["name"] not in known_images or known_images[each["name"]] != each.get("image")
        for each in spec.get("ephemeralContainers") or ()
    )


def _named(names: list[str]) -> str:
    first, others = min(names), len(names) - 1
    if not others:
        return first
    return f"{first} (and {others} other {'pod' if others == 1 else 'pods'})"
