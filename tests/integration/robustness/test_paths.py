"""Paths and headers a careful client would not send: an answer each, and never one of somebody else's."""

import httpx
import pytest

from tests.integration.robustness.refusals import CONFIG_MAPS
from tests.support.plane import Running

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    "path", ["/version", "/api", "/api/v1", "/apis", "/apis/apps", "/apis/apps/v1", "/apis/apiextensions.k8s.io/v1"]
)
async def test_discovery_answers_with_and_without_the_last_slash(control_plane: Running, path: str) -> None:
    without, with_slash = await control_plane.http.get(path), await control_plane.http.get(f"{path}/")
    assert without.status_code == with_slash.status_code == 200
    assert without.json() == with_slash.json()


@pytest.mark.parametrize(
    "path",
    [
        f"{CONFIG_MAPS}/%00",
        f"{CONFIG_MAPS}/%2e%2e",
        f"{CONFIG_MAPS}/a%2Fb",
        f"{CONFIG_MAPS}/%ff",
        f"{CONFIG_MAPS}/{'a' * 5000}",
        f"{CONFIG_MAPS}/%0d%0aX-Evil:%201",
        "/api/v1/namespaces/..%2fkube-system/configmaps/extension-apiserver-authentication",
        "/api/v1/namespaces/default/namespaces",
        "/api/v1/namespaces/default/nodes",
        "/api/v1/namespaces/x/y/z/a/b/c",
    ],
)
async def test_a_path_that_leads_nowhere_is_404(control_plane: Running, path: str) -> None:
    answer = await control_plane.http.get(path)
    assert (answer.status_code, answer.json()["reason"]) == (404, "NotFound"), answer.text
    assert "x-evil" not in answer.headers


@pytest.mark.parametrize("http2", [False, True], ids=["http/1.1", "http/2"])
@pytest.mark.parametrize("name", ["a\r\nX-Evil: 1", "\x00", "\x1b[31m", "é", "x" * 10_000])
async def test_what_a_body_says_makes_no_header_of_ours_break(control_plane: Running, name: str, http2: bool) -> None:
    async with control_plane.client(http2=http2) as http:
        body = {"metadata": {"name": "w"}, name: 1}
        answer = await http.post(CONFIG_MAPS, params={"dryRun": "All"}, json=body)
        assert answer.status_code == 201
        assert "x-evil" not in answer.headers
        assert name not in answer.json()
        assert (await http.get("/healthz")).text == "ok"


@pytest.mark.parametrize("http2", [False, True], ids=["http/1.1", "http/2"])
async def test_headers_in_other_alphabets_are_read_and_answered(control_plane: Running, http2: bool) -> None:
    odd = "\u00e9\u4e2d".encode()
    expected = {
        "audit-id": 200,
        "user-agent": 200,
        "accept-encoding": 200,
        "origin": 200,
        "accept": 406,
        "impersonate-user": 403,
    }
    async with control_plane.client(http2=http2) as http:
        for header, status in expected.items():
            answer = await http.get(CONFIG_MAPS, headers=httpx.Headers([(header.encode(), odd)]))
            assert answer.status_code == status, (header, answer.text)
    async with control_plane.client(http2=http2, anonymous=True) as http:
        answer = await http.get(CONFIG_MAPS, headers=httpx.Headers([(b"authorization", b"Bearer " + odd)]))
        assert answer.status_code == 401


NOT_ALLOWED = "the server does not allow this method on the requested resource"
NOT_FOUND = "the server could not find the requested resource"


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize(
    ("path", "produced"),
    [
        ("/version", "application/json"),
        ("/.well-known/openid-configuration", "application/json"),
        ("/openid/v1/jwks", "application/jwk-set+json"),
        ("/api", "application/json, application/yaml, application/vnd.kubernetes.protobuf"),
        ("/apis/apps/v1", "application/json, application/yaml, application/vnd.kubernetes.protobuf"),
    ],
)
async def test_documents_are_routed_as_in_kubernetes(
    control_plane: Running, path: str, produced: str, slash: str
) -> None:
    http, path = control_plane.http, path + slash
    assert (await http.get(path)).status_code == 200
    assert (await http.head(path)).status_code == 405
    posted, refused = await http.post(path), await http.get(path, headers={"accept": "text/html"})
    assert (posted.status_code, posted.json()["message"]) == (405, NOT_ALLOWED)
    said = f"406: Not Acceptable\n\nAvailable representations: {produced}"
    assert (refused.status_code, refused.json()["message"]) == (406, said)
    # Who accepts nothing we have reads it as people do.
    assert refused.text.startswith('{\n  "kind"')


@pytest.mark.parametrize(
    "path", ["/api/v2", "/version/x", "/apis/apps/v2", "/apis/apps/v2/things", "/openid/v1/jwks/x"]
)
async def test_below_what_is_routed_a_miss_is_a_status(control_plane: Running, path: str) -> None:
    answer = await control_plane.http.get(path)
    assert (answer.status_code, answer.json()["message"]) == (404, NOT_FOUND)


@pytest.mark.parametrize(
    "path", ["/apis/none.example.com/v1", "/apis/none.example.com/v1/things", "/versions", "/none"]
)
async def test_elsewhere_it_is_text(control_plane: Running, path: str) -> None:
    answer = await control_plane.http.get(path)
    assert (answer.status_code, answer.text) == (404, "404 page not found\n")


@pytest.mark.parametrize("path", ["/", "/index.html"])
async def test_the_index_lists_paths_for_people(control_plane: Running, path: str) -> None:
    # No router stands before it: nobody asks for the method, nor for what is accepted.
    answer = await control_plane.http.post(path, headers={"accept": "application/yaml"})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert answer.text.startswith('{\n  "paths": [\n')
    assert not answer.text.endswith("\n")
    paths = answer.json()["paths"]
    assert paths == sorted(paths)
    assert {"/apis", "/apis/", "/apis/apps", "/apis/apps/v1", "/openapi/v3/", "/metrics/slis"} <= set(paths)
    assert not {"/", "/index.html", "/version/", "/api/"} & set(paths)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "BREW"])
async def test_all_namespaces_at_once_are_for_reading(control_plane: Running, method: str) -> None:
    kept = f"{CONFIG_MAPS}/kept-by-all"
    assert (await control_plane.http.post(CONFIG_MAPS, json={"metadata": {"name": "kept-by-all"}})).status_code == 201
    answer = await control_plane.http.request(method, "/api/v1/configmaps", json={})
    assert (answer.status_code, answer.json()["message"]) == (405, NOT_ALLOWED)
    assert (await control_plane.http.delete(kept)).status_code == 200
