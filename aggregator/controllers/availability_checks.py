"""Whether the server behind an APIService can be used, and if not, why not.

Called by `availability.py`, which writes the answer down. Reasons and messages are those of
`kube-aggregator/pkg/controllers/status/remote/remote_available_controller.go`; two of its reasons, ServiceAccessError
and EndpointsAccessError, say that a cache could not be read, which cannot happen to ours.
"""

import asyncio
from collections.abc import Iterable

from aggregator.apiservices.conditions import PASSED, Condition
from aggregator.apiservices.registration import Registration
from aggregator.proxy.fetching import Fetcher, FetchError
from generic.client import resolving
from generic.client.resolving import Objects, ServiceReference
from generic.request.user import KUBE_AGGREGATOR, PRIVILEGED_GROUP, UserInfo
from generic.types import JSONObject

OURSELVES = UserInfo(KUBE_AGGREGATOR, (PRIVILEGED_GROUP,))
ATTEMPTS = 5
_HEAD_START = 0.5


async def check(
    registration: Registration, fetcher: Fetcher, *, services: Objects, slices: Objects, endpoints: Objects
) -> Condition:
    """The Available condition of a remote APIService as things are now."""
    assert registration.service is not None
    problem = objects_problem(registration.service, services=services, slices=slices, endpoints=endpoints)
    if problem is not None:
        return problem
    failure = await discovery_failure(registration, fetcher)
    return Condition("False", "FailedDiscoveryCheck", failure) if failure else PASSED


def objects_problem(
    service: ServiceReference, *, services: Objects, slices: Objects, endpoints: Objects
) -> Condition | None:
    """What is wrong with the Service and what stands behind it; None if it may be tried."""
    where = f'service/{service.name} in "{service.namespace}"'
    found = services.get(service.name, service.namespace)
    if found is None:
        return Condition("False", "ServiceNotFound", f"{where} is not present")
    if ((found.get("spec") or {}).get("type") or "ClusterIP") != "ClusterIP":
        return None
    port = resolving.port_of(found, service.port)
    if port is None:
        return Condition("False", "ServicePortError", f"{where} is not listening on port {service.port}")
    port_name = port.get("name") or ""
    held = resolving.slices_of(slices, service)
    legacy = None if held else endpoints.get(service.name, service.namespace)
    if not held and legacy is None:
        return Condition("False", "EndpointsNotFound", f"cannot find endpointslices for {where}")
    if _any_slice_ready(held, port_name) or (legacy is not None and _any_subset_ready(legacy, port_name)):
        return None
    message = f'endpointslices for {where} have no addresses with port name "{port_name}"'
    return Condition("False", "MissingEndpoints", message)


def _any_slice_ready(slices: Iterable[JSONObject], port_name: str) -> bool:
    return any(
        any(resolving.is_ready(endpoint) for endpoint in one.get("endpoints") or ())
        and any(_named(port, port_name) for port in one.get("ports") or ())
        for one in slices
    )


def _any_subset_ready(endpoints: JSONObject, port_name: str) -> bool:
    return any(
        subset.get("addresses") and any(_named(port, port_name) for port in subset.get("ports") or ())
        for subset in endpoints.get("subsets") or ()
    )


def _named(port: JSONObject, name: str) -> bool:
    return (port.get("name") or "") == name and port.get("port") is not None


async def discovery_failure(registration: Registration, fetcher: Fetcher) -> str:
    """Ask up to five times, for there may be several servers; empty if one of them answered well.

    The verdict is that of five at once, as Kubernetes asks. That the first gets a head start is seen by the servers
    alone: while all is well it spares them the other four.
    """
    asking = [asyncio.create_task(_ask(registration, fetcher))]
    failure = ""
    try:
        await asyncio.wait(asking, timeout=_HEAD_START)
        if asking[0].done() and not asking[0].result():
            return ""
        asking += [asyncio.create_task(_ask(registration, fetcher)) for _ in range(ATTEMPTS - 1)]
        for answered in asyncio.as_completed(asking):
            failure = await answered
            if not failure:
                break
    finally:
        for task in asking:
            task.cancel()
        await asyncio.wait(asking)
    return failure


async def _ask(registration: Registration, fetcher: Fetcher) -> str:
    try:
        answer = await fetcher.get(registration, registration.discovery_path, user=OURSELVES)
    except FetchError as error:
        return f"failing or missing response from {error.url}: {error}" if error.url else str(error)
    if 200 <= answer.status < 300:
        return ""
    return f"failing or missing response from {answer.url}: bad status from {answer.url}: {answer.status}"
