"""Headers on their way through the proxy."""

from aggregator.proxy import headers, tracing
from generic.request.trace import Trace
from generic.request.user import UserInfo
from tests.support.asgi import scope

BOB = UserInfo("bob", ("dev", "ops"), "u1", {"Acme.com/proj%": ("a", "b"), "näh": ("c",)})


def forwarded(*pairs: tuple[str, str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in headers.forwarded(scope("/a b", headers=pairs), identity=headers.identity(BOB), audit_id="x1"):
        found.setdefault(name.decode(), []).append(value.decode())
    return found


def test_the_user_is_told_with_keys_escaped() -> None:
    found = forwarded()
    assert found["x-remote-user"] == ["bob"]
    assert found["x-remote-uid"] == ["u1"]
    assert found["x-remote-group"] == ["dev", "ops"]
    assert found["x-remote-extra-Acme.com%2Fproj%25"] == ["a", "b"]
    assert found["x-remote-extra-n%C3%A4h"] == ["c"]
    assert found["audit-id"] == ["x1"]


def test_credentials_identities_and_what_concerns_the_connection_stay_here() -> None:
    found = forwarded(
        ("authorization", "Bearer t"),
        ("x-remote-user", "root"),
        ("x-remote-extra-a", "b"),
        ("connection", "keep-alive, X-Mine"),
        ("x-mine", "1"),
        ("transfer-encoding", "chunked"),
        ("te", "gzip, trailers"),
        ("content-length", "3"),
        ("accept", "application/json"),
    )
    assert found["accept"] == ["application/json"]
    assert found["x-remote-user"] == ["bob"]
    assert not found.keys() & {"authorization", "x-remote-extra-a", "connection", "x-mine", "transfer-encoding"}
    assert found["te"] == ["trailers"], "we pass them on, and nothing else that it may say"
    assert "content-length" not in found


def test_where_the_request_comes_from_is_added_to_what_is_known() -> None:
    found = forwarded(("host", "api.example.com:6443"), ("x-forwarded-for", "198.51.100.7"), ("x-forwarded-uri", "/x"))
    assert found["x-forwarded-for"] == ["198.51.100.7, 192.0.2.1"]
    assert found["x-forwarded-host"] == ["api.example.com:6443"]
    assert found["x-forwarded-uri"] == ["/a%20b"]
    assert found["x-forwarded-proto"] == ["https"]
    assert "host" not in found


def test_cookies_of_http2_are_one_header_in_http1() -> None:
    assert forwarded(("cookie", "a=1"), ("cookie", "b=2"))["cookie"] == ["a=1; b=2"]


def test_responses_lose_what_concerns_the_connection() -> None:
    sent = [(b"Connection", b"x-hop"), (b"X-Hop", b"1"), (b"Trikube-Trace", b"a=b;t=1"), (b"ETag", b"e")]
    assert headers.returned(sent) == [(b"etag", b"e")]


def test_the_backends_hops_follow_ours_and_nonsense_is_left_out() -> None:
    trace = Trace()
    trace.add("aggregator", "proxy:v1.a")
    tracing.adopt(trace, [(b"trikube-trace", b"aa=serve;t=5, nonsense, store=a;b=c;t=7, x=y;t=-1")], sent_at=1.0)
    assert trace.hops() == [("aggregator", "proxy:v1.a"), ("aa", "serve"), ("store", "a;b=c")]


def test_a_query_goes_on_as_it_was_written() -> None:
    given = scope("/apis/a/v1?x=%2F&y")
    given["raw_path"] = b"/apis/a%2Fv1"
    assert headers.target(given) == b"/apis/a%2Fv1?x=%2F&y"
