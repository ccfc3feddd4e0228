"""What RequestInfo reads off a request. The table follows requestinfo_test.go in what it covers."""

import pytest

from generic.request.info import RequestInfo, resolve


@pytest.mark.parametrize(
    ("method", "path", "verb", "prefix", "group", "namespace", "resource", "subresource", "name"),
    [
        ("GET", "/api/v1/namespaces", "list", "api", "", "", "namespaces", "", ""),
        ("GET", "/api/v1/namespaces/other", "get", "api", "", "other", "namespaces", "", "other"),
        ("GET", "/api/v1/namespaces/other/pods", "list", "api", "", "other", "pods", "", ""),
        ("GET", "/api/v1/namespaces/other/pods/foo", "get", "api", "", "other", "pods", "", "foo"),
        ("HEAD", "/api/v1/namespaces/other/pods/foo", "get", "api", "", "other", "pods", "", "foo"),
        ("GET", "/api/v1/pods", "list", "api", "", "", "pods", "", ""),
        ("HEAD", "/api/v1/pods", "list", "api", "", "", "pods", "", ""),
        ("GET", "/api/v1/namespaces/other/pods/foo/log", "get", "api", "", "other", "pods", "log", "foo"),
        ("POST", "/api/v1/namespaces/other/pods", "create", "api", "", "other", "pods", "", ""),
        ("PUT", "/api/v1/namespaces/other/pods/foo", "update", "api", "", "other", "pods", "", "foo"),
        ("PATCH", "/api/v1/namespaces/other/pods/foo", "patch", "api", "", "other", "pods", "", "foo"),
        ("DELETE", "/api/v1/namespaces/other/pods/foo", "delete", "api", "", "other", "pods", "", "foo"),
        ("DELETE", "/api/v1/namespaces/other/pods", "deletecollection", "api", "", "other", "pods", "", ""),
        ("PUT", "/api/v1/namespaces/other/finalize", "update", "api", "", "other", "namespaces", "finalize", "other"),
        ("PUT", "/api/v1/namespaces/other/status", "update", "api", "", "other", "namespaces", "status", "other"),
        ("GET", "/api/v1/watch/namespaces/other/pods", "watch", "api", "", "other", "pods", "", ""),
        ("GET", "/api/v1/proxy/namespaces/other/pods/foo/x", "proxy", "api", "", "other", "pods", "", "foo"),
        ("GET", "/apis/apps/v1/deployments", "list", "apis", "apps", "", "deployments", "", ""),
        (
            "GET",
            "/apis/apps/v1/namespaces/a/deployments/d/scale",
            "get",
            "apis",
            "apps",
            "a",
            "deployments",
            "scale",
            "d",
        ),
        ("OPTIONS", "/api/v1/pods", "", "api", "", "", "pods", "", ""),
    ],
)
def test_resource_requests(
    method: str,
    path: str,
    verb: str,
    prefix: str,
    group: str,
    namespace: str,
    resource: str,
    subresource: str,
    name: str,
) -> None:
    info = resolve(method, path, "")
    assert info.is_resource_request
    assert (info.verb, info.api_prefix, info.group) == (verb, prefix, group)
    assert (info.namespace, info.resource, info.subresource, info.name) == (namespace, resource, subresource, name)
    assert info.version == "v1"


@pytest.mark.parametrize(
    "path",
    ["/", "", "/api", "/api/v1", "/apis", "/apis/apps", "/apis/apps/v1", "/healthz", "/apiss/apps/v1/pods", "/x/y/z"],
)
def test_non_resource_requests_have_the_method_for_a_verb(path: str) -> None:
    assert resolve("POST", path, "") == RequestInfo(path, "post")


@pytest.mark.parametrize(
    ("query", "verb"),
    [
        ("watch=1", "watch"),
        ("watch=true", "watch"),
        ("watch", "watch"),
        ("watch=yes", "watch"),
        ("watch=0", "list"),
        ("watch=false", "list"),
        ("watch=False", "list"),
        ("watch=false&watch=true", "list"),
        ("limit=5", "list"),
    ],
)
def test_watch_parameter_present_means_true_unless_it_says_no(query: str, verb: str) -> None:
    assert resolve("GET", "/api/v1/pods", query).verb == verb


def test_watch_parameter_with_a_name_stays_get() -> None:
    assert resolve("GET", "/api/v1/namespaces/a/pods/x", "watch=true").verb == "get"


@pytest.mark.parametrize(
    ("selector", "name"),
    [
        ("metadata.name%3Dx", "x"),
        ("metadata.name%3D%3Dx", "x"),
        ("spec.nodeName%3Dn%2Cmetadata.name%3Dx", "x"),
        ("metadata.name!%3Dx", ""),
        ("metadata.namespace%3Dx", ""),
        ("metadata.name%3D..", ""),
        ("metadata.name%3Da%2Fb", ""),
        ("metadata.name", ""),
    ],
)
def test_field_selector_on_one_name_sets_the_name(selector: str, name: str) -> None:
    assert resolve("GET", "/api/v1/pods", f"fieldSelector={selector}").name == name
    watching = resolve("GET", "/api/v1/pods", f"watch=1&fieldSelector={selector}")
    assert (watching.verb, watching.name) == ("watch", name)


def test_field_selector_does_not_name_what_deletecollection_deletes() -> None:
    info = resolve("DELETE", "/api/v1/namespaces/a/pods", "fieldSelector=metadata.name%3Dx")
    assert (info.verb, info.name, info.field_selector) == ("deletecollection", "", "metadata.name=x")


def test_empty_path_segments_are_not_skipped() -> None:
    assert resolve("GET", "/api/v1//pods", "").resource == ""
    assert resolve("GET", "/api/v1/pods/", "").verb == "list"


@pytest.mark.parametrize(
    ("path", "query", "expected"),
    [
        ("/api/v1/pods", "watch=1", True),
        ("/api/v1/namespaces/a/pods/x/log", "", True),
        ("/api/v1/namespaces/a/pods/x/exec", "", True),
        ("/api/v1/namespaces/a/services/x/proxy", "", True),
        ("/api/v1/pods", "", False),
        ("/healthz", "", False),
    ],
)
def test_long_running(path: str, query: str, expected: bool) -> None:
    assert resolve("GET", path, query).is_long_running is expected
