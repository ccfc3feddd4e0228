"""WebhookList: the webhooks of all configurations of one kind, in the order they are asked.

Told of every change by whoever follows the configurations: an aggregated server with an informer, the main server with
its own cache. Read by `mutating.py` and `validating.py` on every write. Mirrors `accessors.go` of
`apiserver/pkg/admission/plugin/webhook`, and `apiserver/pkg/admission/configuration/mutating_webhook_manager.go`.
"""

import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Self

from generic.admission.matching import Constraints
from generic.admission.webhook.conditions import MatchConditions
from generic.client.webhook import WebhookEndpoint
from generic.meta.gvk import GroupVersionResource
from generic.types import JSONObject

MUTATING = GroupVersionResource("admissionregistration.k8s.io", "v1", "mutatingwebhookconfigurations")
VALIDATING = GroupVersionResource("admissionregistration.k8s.io", "v1", "validatingwebhookconfigurations")

_DEFAULT_SECONDS = 10.0
_HARMLESS = ("None", "NoneOnDryRun")

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Webhook:
    """One webhook of a configuration, validated and defaulted. `uid`: tells it from all others."""

    uid: str
    configuration: str
    name: str
    config: JSONObject
    constraints: Constraints

    @classmethod
    def of(cls, configuration: str, config: JSONObject, *, at: int) -> Self:
        """`at`: which of the webhooks of that name it is, should there be several. Raises ValueError, KeyError."""
        name = config["name"]
        return cls(f"{configuration}/{name}/{at}", configuration, name, config, Constraints.of(config))

    @property
    def ignores_failures(self) -> bool:
        return self.config.get("failurePolicy") == "Ignore"

    @property
    def allows_dry_run(self) -> bool:
        return self.config.get("sideEffects") in _HARMLESS

    @property
    def reinvocable(self) -> bool:
        return self.config.get("reinvocationPolicy") == "IfNeeded"

    @property
    def seconds(self) -> float:
        """How long it may take."""
        return float(self.config.get("timeoutSeconds") or _DEFAULT_SECONDS)

    @property
    def review_versions(self) -> tuple[str, ...]:
        return tuple(self.config.get("admissionReviewVersions") or ())

    @cached_property
    def endpoint(self) -> WebhookEndpoint:
        return WebhookEndpoint.of(self.config["clientConfig"])

    @cached_property
    def conditions(self) -> MatchConditions | None:
        """Compiled when first needed; None: there are none."""
        found = self.config.get("matchConditions")
        return MatchConditions.of(found, ignore_failures=self.ignores_failures) if found else None


class WebhookList:
    """`hooks` is replaced as a whole, so whoever goes through it sees one state of the configurations.

    `wait`: waits, not for long, until all are known, and returns whether they are; None: they always are.
    """

    def __init__(self, wait: Callable[[], Awaitable[bool]] | None = None) -> None:
        self.hooks: tuple[Webhook, ...] = ()
        self._held: dict[str, tuple[Webhook, ...]] = {}
        self._wait = wait

    @property
    def idle(self) -> bool:
        """Whether nobody wants to be asked, whatever the write."""
        return not self.hooks and self._wait is None

    async def ready(self) -> bool:
        """Whether the configurations are known, perhaps after a wait."""
        if self._wait is not None and not await self._wait():
            return False
        self._wait = None
        return True

    def put(self, configuration: JSONObject) -> None:
        """Take over a new or changed configuration. Those of its webhooks that stayed the same stay compiled."""
        name = configuration["metadata"]["name"]
        before = {hook.uid: hook for hook in self._held.get(name, ())}
        try:
            made = _webhooks(name, configuration.get("webhooks") or ())
        except (KeyError, TypeError, AttributeError, ValueError):
            # Someone wrote this past our validation.
            log.warning("webhook configuration %s is malformed and asks nobody", name)
            made = ()
        self._held[name] = tuple(_kept(before.get(hook.uid), hook) for hook in made)
        self._arrange()

    def remove(self, name: str) -> None:
        """Forget a configuration."""
        self._held.pop(name, None)
        self._arrange()

    def follow(self, old: JSONObject | None, new: JSONObject | None) -> None:
        """A handler for an informer of configurations."""
        if new is not None:
            self.put(new)
        elif old is not None:
            self.remove(old["metadata"]["name"])

    def _arrange(self) -> None:
        self.hooks = tuple(hook for name in sorted(self._held) for hook in self._held[name])


def _webhooks(configuration: str, configs: list[JSONObject] | tuple[()]) -> tuple[Webhook, ...]:
    seen: Counter[str] = Counter()
    found = []
    for config in configs:
        found.append(Webhook.of(configuration, config, at=seen[config["name"]]))
        seen[config["name"]] += 1
    return tuple(found)


def _kept(before: Webhook | None, now: Webhook) -> Webhook:
    return before if before is not None and before.config == now.config else now
