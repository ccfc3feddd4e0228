"""A pod as the checks look at it, and what they find. Called by the checks beside this file."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from generic.types import JSONObject


@dataclass(frozen=True, slots=True)
class Violation:
    """What a pod must not do, and where it does."""

    reason: str
    detail: str

    def __str__(self) -> str:
        return f"{self.reason} ({self.detail})" if self.detail else self.reason


@dataclass(frozen=True, slots=True)
class Pod:
    """The metadata and spec of a pod, or of what pods are made from."""

    metadata: JSONObject
    spec: JSONObject

    @property
    def annotations(self) -> dict[str, str]:
        return self.metadata.get("annotations") or {}

    @property
    def is_windows(self) -> bool:
        return bool((self.spec.get("os") or {}).get("name") == "windows")

    @property
    def has_user_namespace(self) -> bool:
        """Whether root in it is not root of the node."""
        return self.spec.get("hostUsers") is False

    def containers(self) -> Iterator[JSONObject]:
        """Of every kind."""
        for key in ("initContainers", "containers", "ephemeralContainers"):
            yield from self.spec.get(key) or ()

    def security(self, key: str) -> Any:
        """A field of the pod's own security context."""
        return security(self.spec, key)

    def names_where(self, condition: Callable[[JSONObject], object]) -> list[str]:
        """The containers it holds for."""
        return [container["name"] for container in self.containers() if condition(container)]


def security(holder: JSONObject, key: str) -> Any:
    """A field of the security context of a container or a pod's spec; None if it is not set."""
    return (holder.get("securityContext") or {}).get(key)


def plural(number: int, one: str, many: str = "") -> str:
    return one if number == 1 else many or f"{one}s"


def quoted(items: Iterable[str]) -> str:
    return ", ".join(f'"{item}"' for item in items)


def containers(names: list[str]) -> str:
    """`container "a"`, `containers "a", "b"`."""
    return f"{plural(len(names), 'container')} {quoted(names)}"


def setters(*, pod: object, names: list[str]) -> str:
    """Who sets something: `pod and container "a"`."""
    return " and ".join([*(["pod"] if pod else []), *([containers(names)] if names else [])])
