"""Discovery documents of servers we do not trust."""

from typing import Any

import pytest

from aggregator.controllers import discovery_documents as documents
from generic.meta.gvk import GroupVersion
from generic.types import JSONObject

GV = GroupVersion("a.example.com", "v1")


def aggregated(*resources: Any, group: str = "a.example.com", version: str = "v1") -> JSONObject:
    versions = [{"version": version, "resources": list(resources)}]
    return {"items": [{"metadata": {"name": group}, "versions": versions}]}


def test_the_aggregated_form_is_copied_member_by_member() -> None:
    kind = {"group": "", "version": "", "kind": "Flunder"}
    given = {
        "resource": "flunders",
        "responseKind": kind,
        "scope": "Namespaced",
        "singularResource": "flunder",
        "verbs": ["get"],
        "shortNames": ["fl"],
        "subresources": [{"subresource": "status", "responseKind": kind, "verbs": ["patch"]}],
        "surprise": {"deep": 1},
    }
    (found,) = documents.aggregated(aggregated(given), GV)
    assert found == {key: value for key, value in given.items() if key != "surprise"}


def test_a_kind_that_is_left_out_is_an_empty_one() -> None:
    (found,) = documents.aggregated(aggregated({"resource": "flunders", "verbs": ["get"]}), GV)
    assert found["responseKind"] == {"group": "", "version": "", "kind": ""}
    (parent,) = documents.legacy({"resources": [{"name": "flunders/scale", "kind": "Scale", "verbs": ["get"]}]})
    assert parent["responseKind"] == {"group": "", "version": "", "kind": ""}
    assert (parent["verbs"], parent["subresources"][0]["responseKind"]["kind"]) == ([], "Scale")


@pytest.mark.parametrize(
    "document",
    [
        {"items": 3},
        {"items": [[]]},
        aggregated({"resource": "a", "verbs": "get"}),
        aggregated({"resource": "a", "verbs": [1]}),
        aggregated({"resource": "a", "responseKind": "Pod"}),
        aggregated({"verbs": ["get"]}),
    ],
)
def test_what_is_no_document_is_refused(document: JSONObject) -> None:
    with pytest.raises(ValueError):  # noqa: PT011, whatever it says
        documents.aggregated(document, GV)


def test_of_what_is_not_listed_there_is_nothing() -> None:
    resource = {"resource": "a"}
    assert documents.aggregated(aggregated(resource, group="b.example.com"), GV) == ()
    assert documents.aggregated(aggregated(resource, version="v2"), GV) == ()


def test_the_legacy_form_is_converted_subresources_under_their_parents() -> None:
    listed = [
        {"name": "flunders/status", "namespaced": True, "kind": "Flunder", "verbs": ["get"]},
        {"name": "flunders", "singularName": "flunder", "namespaced": True, "kind": "Flunder", "verbs": ["list"]},
        {"name": "flunders/scale", "kind": "Scale", "group": "autoscaling", "version": "v1", "verbs": ["get"]},
        {"name": "fischers", "kind": "Fischer", "verbs": ["get"], "categories": ["all"]},
    ]
    flunders, fischers = documents.legacy({"resources": listed})
    assert (flunders["resource"], flunders["scope"], flunders["singularResource"]) == (
        "flunders",
        "Namespaced",
        "flunder",
    )
    assert flunders["verbs"] == ["list"]
    assert [one["subresource"] for one in flunders["subresources"]] == ["status", "scale"]
    assert flunders["subresources"][1]["responseKind"] == {"group": "autoscaling", "version": "v1", "kind": "Scale"}
    assert (fischers["scope"], fischers["categories"]) == ("Cluster", ["all"])
