"""NamespaceLifecycle of an aggregated server: what it refuses, and what it does while it knows nothing yet."""

from typing import Any

import pytest

from generic.admission.interface import Attributes
from generic.admission.namespace_lifecycle import NamespaceLifecycle
from generic.admission.remote_namespaces import RemoteNamespaces
from generic.client.loopback import LoopbackTransport
from generic.client.rest import Client
from generic.meta.errors import StatusError
from generic.meta.gvk import GroupVersion
from generic.request.context import RequestContext
from generic.request.info import RequestInfo

pytestmark = pytest.mark.anyio

VERSION = GroupVersion("wardle.example.com", "v1alpha1")


class Known:
    """Namespaces by name, with their phases."""

    def __init__(self, **phases: str) -> None:
        self._phases = phases

    async def ready(self) -> bool:
        return True

    async def phase(self, name: str) -> str | None:
        return self._phases.get(name)


def write(namespace: str, operation: Any = "CREATE") -> Attributes:
    return Attributes(
        operation=operation,
        request=RequestContext(RequestInfo("/", "create")),
        resource=VERSION.with_resource("flunders"),
        kind=VERSION.with_kind("Flunder"),
        namespace=namespace,
        name="a",
    )


async def test_what_is_in_a_living_namespace_may_be_written() -> None:
    await NamespaceLifecycle(Known(default="Active")).admit(write("default"))


async def test_nothing_is_written_without_a_namespace() -> None:
    for operation in ("CREATE", "UPDATE"):
        with pytest.raises(StatusError, match=r'^namespaces "nowhere" not found$') as raised:
            await NamespaceLifecycle(Known()).admit(write("nowhere", operation))
        assert raised.value.code == 404


async def test_a_terminating_namespace_takes_changes_but_nothing_new() -> None:
    plugin = NamespaceLifecycle(Known(old="Terminating"))
    await plugin.admit(write("old", "UPDATE"))
    with pytest.raises(StatusError) as raised:
        await plugin.admit(write("old"))
    assert raised.value.code == 403
    assert raised.value.details is not None
    assert raised.value.details["causes"][0]["reason"] == "NamespaceTerminating"


def test_deletions_and_cluster_scoped_objects_are_not_its_business() -> None:
    plugin = NamespaceLifecycle(Known())
    assert plugin.handles(write("default"))
    assert not plugin.handles(write("default", "DELETE"))
    assert not plugin.handles(write(""))


async def test_while_nothing_is_known_nothing_is_written() -> None:
    namespaces = RemoteNamespaces(Client.loopback(LoopbackTransport()), patience=0.01)
    with pytest.raises(StatusError, match="not yet ready to handle request") as raised:
        await NamespaceLifecycle(namespaces).admit(write("default"))
    assert raised.value.code == 403
    assert not namespaces.has_synced


async def test_a_main_server_that_cannot_be_asked_about_a_namespace_is_an_error() -> None:
    namespaces = RemoteNamespaces(Client.loopback(LoopbackTransport()))
    with pytest.raises(StatusError) as raised:
        await namespaces.phase("default")
    assert raised.value.code == 500
