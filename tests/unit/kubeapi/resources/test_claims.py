"""What may change of a claim of storage."""

from generic.types import JSONObject
from kubeapi.resources.validation.claims import claim_update

FROZEN = (
    "spec: Forbidden: "
    "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims"
)


def _claim(storage: str = "2Gi", *, phase: str = "Pending", has: str = "", **spec: object) -> JSONObject:
    status: JSONObject = {"phase": phase, **({"capacity": {"storage": has}} if has else {})}
    asked = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": storage}}, **spec}
    return {"metadata": {"name": "c"}, "spec": asked, "status": status}


def _said(now: JSONObject, before: JSONObject) -> list[str]:
    return [str(problem) for problem in claim_update(now, before)]


def test_a_claim_finds_its_volume_and_its_class_once() -> None:
    found = _claim(volumeName="v", storageClassName="fast")
    assert _said(found, _claim()) == []
    assert _said(_claim(volumeName="w", storageClassName="fast"), found) == [FROZEN]
    assert _said(_claim(volumeName="v", storageClassName="slow"), found) == [FROZEN]


def test_only_a_bound_claim_grows() -> None:
    assert _said(_claim("3Gi"), _claim("2Gi")) == [FROZEN]
    assert _said(_claim("3Gi", phase="Bound"), _claim("2Gi", phase="Bound")) == []
    assert _said(_claim("2048Mi"), _claim("2Gi")) == []


def test_a_claim_shrinks_to_more_than_it_has() -> None:
    before = _claim("5Gi", phase="Bound", has="2Gi")
    assert _said(_claim("3Gi", phase="Bound", has="2Gi"), before) == []
    assert _said(_claim("2Gi", phase="Bound", has="2Gi"), before) == [
        "spec.resources.requests.storage: Forbidden: field can not be less than status.capacity"
    ]
