"""Reasons and messages of the Available condition."""

from typing import Any

import pytest

from aggregator.apiservices.conditions import PASSED, Condition
from aggregator.apiservices.registration import Registration
from aggregator.controllers import availability_checks
from aggregator.controllers.availability import AvailabilityController
from aggregator.proxy.fetching import Fetched, FetchError
from generic.request.user import UserInfo
from generic.types import JSONObject
from tests.unit.aggregator.objects import SERVICE, Informer, Objects, apiservice, endpoint_slice, endpoints, service

URL = "https://127.0.0.1:8443/apis/a.example.com/v1"
REMOTE = Registration.of(apiservice("a.example.com", service=SERVICE))


class Followed:
    """No objects at all, but handlers may be added."""

    def __init__(self) -> None:
        self.apiservices = self.services = self.endpoints = self.endpoint_slices = Informer()


class Server:
    """Answers one status after the other; None does not answer."""

    def __init__(self, *statuses: int | None) -> None:
        self.statuses = list(statuses)
        self.asked: list[tuple[str, UserInfo]] = []

    async def get(self, registration: Registration, target: str, *, user: UserInfo) -> Fetched:
        self.asked.append((target, user))
        status = self.statuses.pop(0) if self.statuses else None
        if status is None:
            raise FetchError(f'Get "{URL}": EOF', URL)
        return Fetched(status, {}, b"", URL)


async def check(
    found: JSONObject | None, *slices: JSONObject, server: Server, legacy: JSONObject | None = None
) -> Condition:
    return await availability_checks.check(
        REMOTE,
        server,  # type: ignore[arg-type]
        services=Objects() if found is None else Objects(found),
        slices=Objects(*slices),
        endpoints=Objects() if legacy is None else Objects(legacy),
    )


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("found", "slices", "reason", "message"),
    [
        (None, [], "ServiceNotFound", 'service/api in "default" is not present'),
        (
            service(ports=(("https", 8443),)),
            [],
            "ServicePortError",
            'service/api in "default" is not listening on port 443',
        ),
        (service(), [], "EndpointsNotFound", 'cannot find endpointslices for service/api in "default"'),
        (
            service(),
            [endpoint_slice("127.0.0.1", ready=False)],
            "MissingEndpoints",
            'endpointslices for service/api in "default" have no addresses with port name "https"',
        ),
        (
            service(),
            [endpoint_slice("127.0.0.1", port=("http", 80))],
            "MissingEndpoints",
            'endpointslices for service/api in "default" have no addresses with port name "https"',
        ),
    ],
)
async def test_what_is_missing_is_said_without_asking_the_server(
    found: JSONObject | None, slices: list[JSONObject], reason: str, message: str
) -> None:
    server = Server(200)
    assert await check(found, *slices, server=server) == Condition("False", reason, message)
    assert server.asked == []


@pytest.mark.anyio
async def test_ports_and_endpoints_are_looked_at_for_cluster_ip_services_alone() -> None:
    external = service(type="ExternalName", externalName="a.example.com", ports=())
    assert await check(external, server=Server(200)) == PASSED


@pytest.mark.anyio
async def test_endpoints_do_where_there_are_no_slices() -> None:
    assert await check(service(), server=Server(200), legacy=endpoints("127.0.0.1")) == PASSED


@pytest.mark.anyio
async def test_one_good_answer_of_five_is_enough_and_none_is_not() -> None:
    ready = endpoint_slice("127.0.0.1")
    once = Server(204)
    assert await check(service(), ready, server=once) == PASSED
    assert [target for target, _ in once.asked] == ["/apis/a.example.com/v1"]
    user = once.asked[0][1]
    assert (user.name, user.groups) == ("system:kube-aggregator", ("system:masters",))
    assert await check(service(), ready, server=Server(None, 500, 302, 403, 200)) == PASSED
    never = Server(*[403] * 6)
    failed = await check(service(), ready, server=never)
    assert (failed.status, failed.reason, len(never.asked)) == ("False", "FailedDiscoveryCheck", 5)
    assert failed.message == f"failing or missing response from {URL}: bad status from {URL}: 403"
    silent = await check(service(), ready, server=Server())
    assert silent.message == f'failing or missing response from {URL}: Get "{URL}": EOF'


def test_a_server_that_fails_is_asked_again_at_once_and_then_ever_more_rarely_a_good_one_twice_a_minute() -> None:
    nothing: Any = Followed()
    made = AvailabilityController(nothing, nothing, nothing, metrics=nothing)
    failed = Condition("False", "FailedDiscoveryCheck", "EOF")
    waits = [made._patience("v1.a.example.com", failed) for _ in range(16)]
    assert waits[:4] == [0.005, 0.01, 0.02, 0.04]
    assert waits[-3:] == [30.0] * 3
    calm = [made._patience("v1.a.example.com", PASSED) for _ in range(100)]
    assert 27 <= min(calm) < max(calm) <= 33, "not all at the same moment"
    assert made._patience("v1.a.example.com", failed) == 0.005
