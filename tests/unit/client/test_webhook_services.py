"""Where the Services of webhooks are served: nobody asks before a webhook names one, nobody waits for ever."""

import asyncio

import pytest

from generic.client.loopback import LoopbackTransport
from generic.client.resolving import ResolveError, ServiceReference
from generic.client.rest import Client
from generic.client.webhook_services import ServiceAddresses
from generic.types import Receive, Scope, Send

pytestmark = pytest.mark.anyio


async def test_services_are_followed_from_the_first_question_on_and_a_silent_server_is_given_up() -> None:
    asked: list[str] = []

    async def silent(scope: Scope, receive: Receive, send: Send) -> None:
        asked.append(scope["path"])
        await asyncio.Event().wait()

    client = Client.loopback(LoopbackTransport(silent))
    made = ServiceAddresses(client, patience=0.05)
    assert asked == []
    try:
        with pytest.raises(ResolveError, match=r"^the services of the cluster are not known yet$"):
            await made.resolve(ServiceReference("default", "hook", 443))
    finally:
        await made.stop()
        await client.aclose()
    assert set(asked) == {
        "/api/v1/services",
        "/api/v1/endpoints",
        "/apis/discovery.k8s.io/v1/endpointslices",
    }
