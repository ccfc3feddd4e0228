"""Validation of what is asked of nodes: requests, limits and the names of resources.

Mirrors validateResourceRequirements of `pkg/apis/core/validation/validation.go` and the names of
`pkg/apis/core/helper`. Called by `containers.py`, `pods.py` and the kinds that bound resources.
"""

from collections.abc import Iterable

from generic.meta import fields, names
from generic.meta.fields import FieldError
from generic.types import JSONObject
from kubeapi.resources.validation import common
from kubeapi.resources.validation.common import each

NOT_INTEGER = "must be an integer"
NEGATIVE = "must be greater than or equal to 0"
_OF_CONTAINERS = frozenset({"cpu", "memory", "ephemeral-storage"})
COUNTED = frozenset({
    "pods", "resourcequotas", "services", "replicationcontrollers", "secrets", "configmaps",
    "persistentvolumeclaims", "services.nodeports", "services.loadbalancers",
})  # fmt: skip
STANDARD = _OF_CONTAINERS | COUNTED | frozenset({
    "requests.cpu", "requests.memory", "requests.ephemeral-storage", "limits.cpu", "limits.memory",
    "limits.ephemeral-storage", "storage", "requests.storage",
})  # fmt: skip


def of_container(given: JSONObject, path: str, spec: JSONObject) -> list[FieldError]:
    """Of a container, whose pod names the claims there are."""
    known = {claim.get("name") for claim in each(spec.get("resourceClaims"))}
    return [*requirements(given, path), *_claims(each(given.get("claims")), f"{path}.claims", known)]


def requirements(given: JSONObject, path: str) -> list[FieldError]:
    """Requests and limits: known resources, whole numbers where they are counted, requests within limits."""
    found: list[FieldError] = []
    limits, requests = given.get("limits") or {}, given.get("requests") or {}
    for name, amount in limits.items():
        found += of_container_name(name, f"{path}.limits[{name}]")
        found += amount_of(name, amount, f"{path}.limits[{name}]")
    for name, amount in requests.items():
        found += of_container_name(name, f"{path}.requests[{name}]")
        found += amount_of(name, amount, f"{path}.requests[{name}]")
        found += _within(name, amount, limits, path)
    both = limits.keys() | requests.keys()
    if any(map(is_huge_page, both)) and not both & {"cpu", "memory"}:
        found.append(fields.forbidden(path, "HugePages require cpu or memory"))
    return found


def _within(name: str, amount: str, limits: JSONObject, path: str) -> list[FieldError]:
    asked, limit, overcommits = common.quantity(amount), common.quantity(limits.get(name)), may_overcommit(name)
    if asked is None:
        return []
    if limit is None:
        why = "Limit must be set for non overcommitable resources"
        return [] if overcommits else [fields.required(f"{path}.limits", why)]
    if not overcommits and asked != limit:
        return [fields.invalid(f"{path}.requests", str(amount), f"must be equal to {name} limit of {limits[name]}")]
    if asked > limit:
        why = f"must be less than or equal to {name} limit of {limits[name]}"
        return [fields.invalid(f"{path}.requests", str(amount), why)]
    return []


def amount_of(name: str, amount: object, path: str) -> list[FieldError]:
    """How much of a resource there can be."""
    parsed = common.quantity(amount)
    if parsed is None:
        return []
    found = [fields.invalid(path, str(amount), NEGATIVE)] if parsed.value < 0 or parsed.nanos < 0 else []
    if (name in COUNTED or is_extended(name)) and parsed.nanos % 10**9:
        found.append(fields.invalid(path, str(amount), NOT_INTEGER))
    return found


def of_container_name(name: str, path: str) -> list[FieldError]:
    """A resource that containers can ask for."""
    found = resource_name(name, path)
    if "/" not in name:
        if name not in _OF_CONTAINERS and not is_huge_page(name):
            found.append(fields.invalid(path, name, "must be a standard resource for containers"))
    elif not is_native(name) and not is_extended(name):
        found.append(fields.invalid(path, name, "doesn't follow extended resource name standard"))
    return found


def resource_name(name: str, path: str) -> list[FieldError]:
    """Any resource."""
    found = [fields.invalid(path, name, message) for message in names.qualified_name(name)]
    if not found and "/" not in name and not _is_standard(name):
        found.append(fields.invalid(path, name, "must be a standard resource type or fully qualified"))
    return found


def _is_standard(name: str) -> bool:
    return name in STANDARD or is_huge_page(name) or name.startswith("requests.hugepages-")


def is_huge_page(name: str) -> bool:
    return name.startswith("hugepages-")


def is_native(name: str) -> bool:
    """Of Kubernetes itself."""
    return "/" not in name or "kubernetes.io/" in name


def is_extended(name: str) -> bool:
    """Of somebody else's domain."""
    return not is_native(name) and not name.startswith("requests.") and not names.qualified_name(f"requests.{name}")


def may_overcommit(name: str) -> bool:
    """More of it may be allowed than is promised."""
    return is_native(name) and not is_huge_page(name)


def _claims(claims: Iterable[JSONObject], path: str, known: set[object]) -> list[FieldError]:
    found: list[FieldError] = []
    seen: set[str] = set()
    for at, claim in enumerate(claims):
        here, name = f"{path}[{at}]", claim.get("name") or ""
        if not name:
            found.append(fields.required(here))
            continue
        key = f"{name}/{claim['request']}" if claim.get("request") else name
        if key in seen or name in seen:
            found.append(fields.duplicate(here, key))
        seen.add(key)
        if name not in known:
            found.append(fields.not_found(here, name))
    return found
