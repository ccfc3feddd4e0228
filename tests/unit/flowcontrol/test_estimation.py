"""How many seats a request takes."""

import pytest

from generic.flowcontrol.estimation import Estimator, Stored
from generic.flowcontrol.queueset import Work
from generic.request.info import resolve

KILO = 1000
PODS = "/api/v1/namespaces/a/pods"


def stored(group: str, resource: str) -> Stored | None:
    return {"pods": Stored(1000, KILO), "secrets": Stored(1000, 100 * KILO)}.get(resource)


def estimate(method: str, path: str, query: str = "", *, widest: int = 0, of: Estimator | None = None) -> Work:
    return (of or Estimator(stored)).estimate(resolve(method, path, query), query.encode(), widest)


@pytest.mark.parametrize(
    ("path", "query", "seats"),
    [
        (PODS, "", 10),
        (PODS, "limit=500", 5),
        (PODS, "limit=1", 1),
        (PODS, "fieldSelector=metadata.name%3Dx", 1),
        ("/api/v1/secrets", "", 10),
        ("/api/v1/secrets", "continue=x&limit=500", 100),
        ("/api/v1/secrets", "continue=x&limit=5&labelSelector=a", 100),
        ("/api/v1/secrets", "continue=x&limit=3", 3),
        (PODS, "watch=1", 10),
        (PODS, "watch=1&resourceVersion=7", 1),
        (PODS, "watch=1&resourceVersion=7&sendInitialEvents=true", 10),
        ("/apis/remote.example.com/v1/things", "", 1),
        ("/version", "", 1),
    ],
)
def test_lists_take_seats_by_the_bytes_they_read(path: str, query: str, seats: int) -> None:
    assert estimate("GET", path, query) == Work(seats)


def test_a_level_bounds_the_width_of_its_requests() -> None:
    assert estimate("GET", PODS, widest=3) == Work(3)


def test_writes_take_seats_by_who_watches_what_they_change() -> None:
    estimator = Estimator(stored)
    ends = [
        estimator.watch_began(resolve("GET", path, "watch=1"))
        for path in ["/api/v1/pods"] * 10 + [PODS] * 10 + ["/api/v1/namespaces/b/pods"] * 10
    ]
    assert estimate("POST", PODS, of=estimator) == Work(1, 2, 0.005)
    assert estimate("DELETE", f"{PODS}/x", of=estimator) == Work(1, 2, 0.005)
    assert estimate("DELETE", f"{PODS}/x", of=estimator, widest=1) == Work(1, 1, 0.01)
    assert estimate("GET", f"{PODS}/x", of=estimator) == Work(1)
    for end in ends[:11]:
        end()
    assert estimate("POST", PODS, of=estimator) == Work(1)


def test_watches_of_one_node_do_not_count_with_writes_of_pods() -> None:
    estimator = Estimator(stored)
    for query in ("fieldSelector=spec.nodeName%3Dn&watch=1", "fieldSelector=status.phase%3DRunning&watch=1"):
        estimator.watch_began(resolve("GET", "/api/v1/pods", query))
    assert estimator.watches(resolve("POST", PODS, "")) == 1
