"""ValidatingAdmissionWebhook: the webhooks that see what is about to be written, all at once.

One of the last plugins of the chain. Mirrors `apiserver/pkg/admission/plugin/webhook/validating/dispatcher.go`.
"""

import asyncio
from time import monotonic

from generic.admission import matching
from generic.admission.interface import Attributes
from generic.admission.webhook import calling, failures
from generic.admission.webhook.calling import WebhookAsker
from generic.admission.webhook.configurations import Webhook, WebhookList
from generic.admission.webhook.failures import CallFailed
from generic.admission.webhook.review import Seen
from generic.meta.errors import StatusError

_FAILED_OPEN = "failed-open.validating.webhook.admission.k8s.io/round_0_index_{}"


class ValidatingAdmissionWebhook:
    """`webhooks`: followed by whoever made it."""

    name = "ValidatingAdmissionWebhook"

    def __init__(self, webhooks: WebhookList, asker: WebhookAsker) -> None:
        self._webhooks = webhooks
        self._asker = asker

    def handles(self, attributes: Attributes) -> bool:
        return not self._webhooks.idle and not matching.is_exempt(attributes)

    async def validate(self, attributes: Attributes) -> None:
        """Raises StatusError: the first refusal to arrive."""
        if not await self._webhooks.ready():
            raise failures.not_ready(attributes)
        wanted: list[tuple[Webhook, Seen]] = []
        for hook in self._webhooks.hooks:
            match = await self._asker.wanted(hook, attributes)
            if match is not None:
                wanted.append((hook, await calling.seen_as(attributes, match)))
        if not wanted:
            return
        if calling.is_out_of_time(attributes.request):
            raise failures.out_of_time()
        if len(wanted) == 1:
            await self._ask(*wanted[0], at=0)
            return
        refusals: list[StatusError] = []

        async def ask(hook: Webhook, seen: Seen, at: int) -> None:
            try:
                await self._ask(hook, seen, at=at)
            except StatusError as error:
                refusals.append(error)

        # Each is asked to the end, whatever the others say: its audit annotations and warnings count.
        async with asyncio.TaskGroup() as group:
            for at, (hook, seen) in enumerate(wanted):
                group.create_task(ask(hook, seen, at))
        if refusals:
            raise refusals[0]

    async def _ask(self, hook: Webhook, seen: Seen, *, at: int) -> None:
        attributes, since = seen.attributes, monotonic()
        try:
            await self._asker.ask(hook, seen, step="validating")
        except (CallFailed, StatusError) as error:
            if self._asker.settle(hook, error, attributes, step="validating", since=since):
                attributes.request.annotate(_FAILED_OPEN.format(at), hook.name)
            return
        self._asker.succeeded(hook, attributes, step="validating", since=since)
