"""From the tables to what is installed: nothing gets lost, and kinds that share a store share all of it."""

from pathlib import Path

import pytest

from generic.client.loopback import LoopbackTransport
from generic.client.rest import Client
from generic.config import ServerConfig
from generic.meta.gvk import GroupResource, GroupVersionResource
from generic.registry.backings import Backings
from generic.registry.rest import InstalledResource
from generic.storage.interface import KeyValue
from generic.storage.sqlite import SqliteStorage
from kubeapi import resources
from kubeapi.resources import build
from tests.support import kubeapi

Installed = dict[GroupVersionResource, InstalledResource]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    # Nothing is stored: the engine is never started.
    backings = Backings(SqliteStorage(tmp_path_factory.mktemp("build") / Path("state.db")))
    config = ServerConfig(backings, Client.loopback(LoopbackTransport()))
    return {
        entry.resource.gvr: entry
        for entry in build.build(config, kubeapi.schemas(), service_accounts=kubeapi.service_accounts())
    }


def test_every_line_of_the_tables_is_installed_with_its_subresources(installed: Installed) -> None:
    tables = {kind.gvr: kind.subresources for kind in resources.all_kinds()}
    assert {gvr: frozenset(entry.subresources) for gvr, entry in installed.items()} == tables


def test_every_stored_kind_has_every_verb_but_that_namespaces_go_one_by_one(installed: Installed) -> None:
    everything = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]
    lacking = {gvr: set(everything) - set(entry.verbs()) for gvr, entry in installed.items()}
    assert {gvr.resource: verbs for gvr, verbs in lacking.items() if verbs} == {"namespaces": {"deletecollection"}}


def test_a_strategic_merge_patch_knows_the_lists_of_each_kind(installed: Installed) -> None:
    schema = installed[GroupVersionResource("apps", "v1", "deployments")].resource.patch_schema
    for name in ("spec", "template", "spec", "containers"):
        assert schema is not None
        schema = schema.property(name)
    assert schema is not None
    assert schema.merge_key == "name"


@pytest.mark.parametrize(
    ("first", "second", "stored_as"),
    [
        (
            GroupVersionResource("", "v1", "events"),
            GroupVersionResource("events.k8s.io", "v1", "events"),
            GroupResource("", "events"),
        ),
        (
            GroupVersionResource("autoscaling", "v1", "horizontalpodautoscalers"),
            GroupVersionResource("autoscaling", "v2", "horizontalpodautoscalers"),
            GroupResource("autoscaling", "horizontalpodautoscalers"),
        ),
    ],
)
def test_versions_of_one_thing_share_one_cache(
    installed: Installed, first: GroupVersionResource, second: GroupVersionResource, stored_as: GroupResource
) -> None:
    assert installed[first].storage.backing is installed[second].storage.backing
    assert installed[second].resource.stored_as == stored_as


def test_kinds_of_one_name_in_two_groups_do_not_share(installed: Installed) -> None:
    backings = {id(entry.storage.backing) for entry in installed.values()}
    assert len(backings) == len(installed) - 2


def test_a_stored_event_is_selected_by_its_old_and_its_new_field_labels(installed: Installed) -> None:
    codec = installed[GroupVersionResource("", "v1", "events")].storage.backing.codec
    obj = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": "e", "namespace": "default"},
        "involvedObject": {"name": "web"},
        "reportingComponent": "kubelet",
    }
    fields = codec.decode(KeyValue("/registry/events/default/e", codec.encode(obj), 1, 1)).fields
    assert (fields["involvedObject.name"], fields["regarding.name"]) == ("web", "web")
    assert (fields["reportingComponent"], fields["reportingController"]) == ("kubelet", "kubelet")
