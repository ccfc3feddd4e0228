"""Which handler of a PathMux has a path. BEHAVIOURS A, "Mux order"."""

import pytest

from generic.mux import PathMux
from generic.types import Receive, Scope, Send


async def _first(scope: Scope, receive: Receive, send: Send) -> None: ...
async def _second(scope: Scope, receive: Receive, send: Send) -> None: ...
async def _third(scope: Scope, receive: Receive, send: Send) -> None: ...


def test_an_exact_path_goes_before_a_prefix() -> None:
    mux = PathMux()
    mux.handle_prefix("/apis/", _first)
    mux.handle("/apis/group", _second)
    assert mux.find("/apis/group") is _second
    assert mux.find("/apis/group/v1") is _first


def test_of_prefixes_the_one_with_most_slashes_goes_first() -> None:
    mux = PathMux()
    mux.handle_prefix("/a-very-long-first-part/", _first)
    mux.handle_prefix("/a-very-long-first-part/b/", _second)
    mux.handle_prefix("/", _third)
    assert mux.find("/a-very-long-first-part/b/c") is _second
    assert mux.find("/a-very-long-first-part/x") is _first
    assert mux.find("/elsewhere") is _third


def test_a_prefix_is_not_its_own_path_without_the_slash() -> None:
    mux = PathMux()
    mux.handle_prefix("/openapi/v3/", _first)
    assert mux.find("/openapi/v3") is None


def test_what_is_forgotten_is_not_found() -> None:
    mux = PathMux()
    mux.handle("/a", _first)
    mux.handle_prefix("/b/", _second)
    for path in ("/a", "/b/", "/never-there"):
        mux.unhandle(path)
    assert mux.find("/a") is mux.find("/b/c") is None
    assert mux.paths() == []


def test_a_path_has_one_handler() -> None:
    mux = PathMux()
    mux.handle("/a", _first)
    mux.handle_prefix("/a/", _first)
    with pytest.raises(ValueError, match="path /a is already handled"):
        mux.handle("/a", _second)
    with pytest.raises(ValueError, match="prefix /a/ is already handled"):
        mux.handle_prefix("/a/", _second)
    with pytest.raises(ValueError, match="does not end in a slash"):
        mux.handle_prefix("/a", _second)
