"""Discovery documents of servers we do not trust."""

from typing import Any

import orjson
import pytest

from aggregator.controllers import discovery_documents as documents
from generic.meta.gvk import GroupVersion

GV = GroupVersion("a.example.com", "v1")


def aggregated(*resources: Any, group: str = "a.example.com", version: str = "v1") -> bytes:
    versions = [{"version": version, "resources": list(resources)}]
    return orjson.dumps({"items": [{"metadata": {"name": group}, "versions": versions}]})


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
    expected_kind = {"group": "a.example.com", "version": "v1", "kind": "Flunder"}
    assert found == {
        **{key: value for key, value in given.items() if key != "surprise"},
        "responseKind": expected_kind,
        "subresources": [{"subresource": "status", "responseKind": expected_kind, "verbs": ["patch"]}],
    }


@pytest.mark.parametrize(
    "body",
    [
        b"not json",
        b"[]",
        b'{"items": 3}',
        aggregated(group="b.example.com"),
        aggregated(version="v2"),
        aggregated({"resource": "a", "verbs": "get"}),
        aggregated({"resource": "a", "verbs": [1]}),
        aggregated({"resource": "a", "responseKind": "Pod"}),
        aggregated({"verbs": ["get"]}),
    ],
)
def test_what_is_no_document_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011, whatever it says
        documents.aggregated(body, GV)


def test_the_legacy_form_is_converted_subresources_under_their_parents() -> None:
    listed = [
        {"name": "flunders/status", "namespaced": True, "kind": "Flunder", "verbs": ["get"]},
        {"name": "flunders", "singularName": "flunder", "namespaced": True, "kind": "Flunder", "verbs": ["list"]},
        {"name": "flunders/scale", "kind": "Scale", "group": "autoscaling", "version": "v1", "verbs": ["get"]},
        {"name": "fischers", "kind": "Fischer", "verbs": ["get"], "categories": ["all"]},
    ]
    flunders, fischers = documents.legacy(orjson.dumps({"resources": listed}), GV)
    assert (flunders["resource"], flunders["scope"], flunders["singularResource"]) == (
        "flunders",
        "Namespaced",
        "flunder",
    )
    assert flunders["verbs"] == ["list"]
    assert [one["subresource"] for one in flunders["subresources"]] == ["status", "scale"]
    assert flunders["subresources"][1]["responseKind"] == {"group": "autoscaling", "version": "v1", "kind": "Scale"}
    assert (fischers["scope"], fischers["categories"]) == ("Cluster", ["all"])
