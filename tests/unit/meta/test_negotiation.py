"""Which representation an Accept header gets."""

import pytest

from generic.meta.negotiation import NO_TRANSFORMS, Accepted, negotiate, pretty

TABLE = Accepted("application/json", "Table", "meta.k8s.io", "v1")
KUBECTL = (
    "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json"
)


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", Accepted("application/json")),
        ("*/*", Accepted("application/json")),
        ("*", Accepted("application/json")),
        ("application/*", Accepted("application/json")),
        ("application/json", Accepted("application/json")),
        ("Application/JSON; charset=utf-8", Accepted("application/json")),
        ("application/yaml", Accepted("application/yaml")),
        ("application/yaml;q=0.5, application/json;q=0.4", Accepted("application/yaml")),
        ("application/json;q=0.1, application/yaml", Accepted("application/yaml")),
        ("*/*, application/yaml", Accepted("application/yaml")),
        (KUBECTL, TABLE),
        ("application/vnd.kubernetes.protobuf,application/json", Accepted("application/json")),
        ("application/vnd.kubernetes.protobuf;as=Table;v=v1;g=meta.k8s.io, " + KUBECTL, TABLE),
        ("application/json;as=Nonsense;v=v1;g=meta.k8s.io,application/json", Accepted("application/json")),
        ("application/json;as=Table;v=v2;g=meta.k8s.io", None),
        ("application/json;stream=watch", Accepted("application/json", stream="watch")),
        ("application/json;stream=other", None),
        ("application/json;pretty=1", Accepted("application/json", pretty=True)),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", Accepted("application/json")),
        ("text/html", None),
        ("application/vnd.kubernetes.protobuf", None),
        (";;,,=", None),
    ],
)
def test_negotiate(accept: str, expected: Accepted | None) -> None:
    assert negotiate(accept) == expected


def test_an_endpoint_without_transforms_falls_through_to_the_plain_alternative() -> None:
    assert negotiate(KUBECTL, NO_TRANSFORMS) == Accepted("application/json")
    discovery = frozenset({("APIGroupDiscoveryList", "apidiscovery.k8s.io", "v2")})
    accepted = negotiate("application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList", discovery)
    assert accepted is not None
    assert (accepted.transforms, accepted.api_version) == (True, "apidiscovery.k8s.io/v2")


@pytest.mark.parametrize(
    ("parameter", "agent", "expected"),
    [
        (None, "kubectl/v1.37", False),
        (None, "curl/8", True),
        ("false", "curl/8", False),
        ("true", "kubectl", True),
        ("1", "", True),
        ("yes", "", False),
    ],
)
def test_people_get_indented_json(parameter: str | None, agent: str, *, expected: bool) -> None:
    assert pretty(Accepted("application/json"), parameter, agent) is expected
