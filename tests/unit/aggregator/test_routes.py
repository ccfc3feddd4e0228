"""The order of groups and versions, the `/apis` documents, and the paths that come and go with APIServices."""

import orjson
import pytest

from aggregator import groups, priorities
from aggregator.apiservices.registration import Registration
from aggregator.controllers.registration import RegistrationController, RouteMakers
from aggregator.routes import RoutingTable
from generic.delegation import EmptyDelegate
from generic.endpoints.discovery.aggregated import DiscoveryManager, Entry, Source
from generic.meta.gvk import GroupVersion
from generic.mux import PathMux
from generic.types import ASGIApp, Receive, Scope, Send
from tests.support.asgi import call
from tests.unit.aggregator.objects import SERVICE, Informer, apiservice


def table(*apiservices: object) -> RoutingTable:
    made = RoutingTable()
    for one in apiservices:
        made.put(Registration.of(one))  # type: ignore[arg-type]
    return made


def test_groups_are_listed_by_their_highest_priority_then_by_name_ours_first() -> None:
    made = table(
        apiservice("b.example.com"),
        apiservice("a.example.com"),
        apiservice("late.example.com", priorities=(10, 1)),
        apiservice("late.example.com", "v2", priorities=(5000, 1), service=SERVICE),
        apiservice("", priorities=(18000, 1)),
    )
    document = groups.group_list(made)
    assert document["kind"] == "APIGroupList"
    names = [group["name"] for group in document["groups"]]
    assert names == ["apiregistration.k8s.io", "late.example.com", "a.example.com", "b.example.com"]


def test_versions_are_listed_by_priority_then_as_kubernetes_orders_versions() -> None:
    versions = [("v1beta1", 100), ("v1", 100), ("v3alpha1", 100), ("v2", 100), ("odd", 200)]
    made = table(*(apiservice("a.example.com", name, priorities=(1000, number)) for name, number in versions))
    (group,) = [one for one in groups.group_list(made)["groups"] if one["name"] == "a.example.com"]
    assert [one["version"] for one in group["versions"]] == ["odd", "v2", "v1", "v1beta1", "v3alpha1"]
    assert group["preferredVersion"] == {"groupVersion": "a.example.com/odd", "version": "odd"}


def test_what_is_served_behind_without_an_apiservice_is_listed_last() -> None:
    behind = [GroupVersion("apps", "v1"), GroupVersion("apps", "v2"), GroupVersion("z.example.com", "v1")]
    made = RoutingTable(lambda: behind)
    made.put(Registration.of(apiservice("apps")))
    listed = {one["name"]: [each["version"] for each in one["versions"]] for one in groups.group_list(made)["groups"]}
    assert list(listed.items()) == [
        ("apiregistration.k8s.io", ["v1"]),
        ("apps", ["v1", "v2"]),
        ("z.example.com", ["v1"]),
    ]


class Routed:
    """A mux kept by a controller, with handlers that say who they are."""

    def __init__(self) -> None:
        self.informer, self.mux, self.table = Informer(), PathMux(), RoutingTable()
        self.forgotten: list[str] = []
        makers = RouteMakers(proxy=self._named, group=self._named, forget=self.forgotten.append)
        RegistrationController(self.informer, self.table, self.mux, makers)  # type: ignore[arg-type]
        self._apps: dict[object, str] = {}

    def _named(self, name: str) -> ASGIApp:
        async def app(scope: Scope, receive: Receive, send: Send) -> None: ...

        self._apps[app] = name
        return app

    def find(self, path: str) -> str | None:
        return self._apps.get(self.mux.find(path))


def test_a_remote_group_version_is_proxied_at_and_below_its_path() -> None:
    routed = Routed()
    remote = apiservice("a.example.com", service=SERVICE)
    routed.informer.tell(None, remote)
    for path in ("/apis/a.example.com/v1", "/apis/a.example.com/v1/things", "/apis/a.example.com/v1/"):
        assert routed.find(path) == "v1.a.example.com"
    assert routed.find("/apis/a.example.com/v1beta1/things") is None
    assert routed.find("/apis/a.example.com") == "a.example.com"
    routed.informer.tell(remote, None)
    assert routed.mux.paths() == []
    assert routed.forgotten == ["v1.a.example.com"]


def test_an_apiservice_that_becomes_local_gives_its_path_back() -> None:
    routed = Routed()
    remote, local = apiservice("a.example.com", service=SERVICE), apiservice("a.example.com")
    routed.informer.tell(None, remote)
    routed.informer.tell(remote, local)
    assert routed.find("/apis/a.example.com/v1/things") is None
    assert routed.find("/apis/a.example.com") == "a.example.com"
    routed.informer.tell(local, remote)
    assert routed.find("/apis/a.example.com/v1/things") == "v1.a.example.com"


def test_a_group_stays_as_long_as_one_of_its_versions() -> None:
    routed = Routed()
    first, second = apiservice("a.example.com"), apiservice("a.example.com", "v2")
    routed.informer.tell(None, first)
    routed.informer.tell(None, second)
    routed.informer.tell(first, None)
    assert routed.find("/apis/a.example.com") == routed.find("/apis/a.example.com/") == "a.example.com"
    routed.informer.tell(second, None)
    assert routed.find("/apis/a.example.com") is None


def test_the_core_group_is_all_of_api() -> None:
    routed = Routed()
    routed.informer.tell(None, apiservice("", service=SERVICE))
    assert routed.find("/api") == routed.find("/api/v1/pods") == "v1."
    assert routed.find("/apis") is None


@pytest.mark.anyio
async def test_a_group_nobody_registered_is_the_delegates() -> None:
    handler = groups.GroupHandler("a.example.com", RoutingTable(), EmptyDelegate())
    assert (await call(handler, "/apis/a.example.com")).status == 404
    handler = groups.GroupHandler("a.example.com", table(apiservice("a.example.com")), EmptyDelegate())
    assert (await call(handler, "/apis/a.example.com")).json()["name"] == "a.example.com"


def test_only_listed_group_versions_with_a_place_in_the_table_are_registered() -> None:
    paths = ["/", "/api", "/api/v1", "/apis", "/apis/apps", "/apis/apps/v1", "/apis/apps/v9", "/apis/x.example.com/v1"]
    assert [str(one) for one in priorities.listed_built_in(paths)] == ["v1", "apps/v1"]


def test_the_aggregated_document_keeps_the_order_of_apiservices_whenever_a_group_version_comes() -> None:
    manager = DiscoveryManager()
    first, second = GroupVersion("z.example.com", "v1"), GroupVersion("a.example.com", "v1")
    manager.set_priorities(first, group_priority=2000, version_priority=1)
    manager.set_priorities(second, group_priority=1000, version_priority=1)
    for group_version in (second, first, second):
        manager.put(Entry(group_version, (), Source.CRD))
    body, _ = manager.document(core=False)
    assert [one["metadata"]["name"] for one in orjson.loads(body)["items"]] == ["z.example.com", "a.example.com"]
