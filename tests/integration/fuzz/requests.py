"""Requests as nobody would write them: hypothesis strategies of everything that makes one."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
import yaml
from hypothesis import strategies as st

from generic.types import JSONObject

_WORDS = st.sampled_from((
    "",
    "a",
    "name",
    "metadata",
    "spec",
    "status",
    "kind",
    "$patch",
    "replace",
    "é",
    "a/b",
    "x" * 300,
    "\u0000",
))
_SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63),
    st.floats(allow_nan=False, allow_infinity=False),
    _WORDS,
    st.text(max_size=8).filter(lambda text: text.isprintable()),
)
JSON = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_WORDS, inner, max_size=3),
    max_leaves=6,
)

_QUERY = {
    "dryRun": ("All", "Some", ""),
    "fieldManager": ("me", "", "x" * 200, "\u0007"),
    "fieldValidation": ("Strict", "Warn", "Ignore", "Other"),
    "force": ("true", "no"),
    "pretty": ("1",),
    "resourceVersion": ("0", "1", "-1", "x"),
    "resourceVersionMatch": ("Exact", "NotOlderThan", "x"),
    "limit": ("0", "1", "-1", "x", "99999999999999999999"),
    "continue": ("x", "eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MX0", "=="),
    "labelSelector": ("a=b", "a in (b,", "!a", "a==b,c!=d", "@"),
    "fieldSelector": ("metadata.name=base", "spec.x=y", "=", "metadata.name!=a"),
    "gracePeriodSeconds": ("0", "-1", "x"),
    "propagationPolicy": ("Orphan", "Foreground", "Background", "x"),
    "orphanDependents": ("true", "x"),
    "includeObject": ("None", "x"),
    "timeout": ("1s", "x", "-1s"),
    "%": ("%",),
}
_WATCHES: tuple[dict[str, str], ...] = (
    {},
    {"allowWatchBookmarks": "true"},
    {"sendInitialEvents": "true", "allowWatchBookmarks": "true", "resourceVersionMatch": "NotOlderThan"},
    {"sendInitialEvents": "true"},
    {"sendInitialEvents": "x"},
)
_ACCEPTS = (
    "application/json",
    "application/yaml",
    "*/*",
    "",
    "application/json;as=Table;g=meta.k8s.io;v=v1",
    "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1",
    "application/vnd.kubernetes.protobuf",
    "a;b;;=",
)
_PATCHES = (
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
    "application/apply-patch+yaml",
)
_TYPES = ("application/json", "application/yaml", "application/vnd.kubernetes.protobuf", "text/plain", "", *_PATCHES)
_METHODS = ("GET", "WATCH", "HEAD", "POST", "PUT", "PUT", "PATCH", "PATCH", "PATCH", "DELETE", "OPTIONS")
_NAMES = ("/{}", "/{}", "/{}", "", "", "/none", "/Not_A_Name", "/{}/none")


@dataclass(frozen=True)
class Attempt:
    """One request to a collection or to something below it."""

    method: str
    path: str
    query: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def is_dry(self) -> bool:
        return self.query.get("dryRun") == "All"

    @property
    def wants_json(self) -> bool:
        """A refusal comes as JSON, and has a body."""
        return self.method != "HEAD" and not self.headers.get("accept", "").startswith("application/yaml")


@st.composite
def attempts(draw: st.DrawFn, valid: JSONObject, parts: Sequence[str]) -> Attempt:
    """A request about an object that is near a valid one."""
    method = draw(st.sampled_from(_METHODS))
    name = valid["metadata"]["name"]
    path = draw(st.sampled_from((*_NAMES, *(f"/{{}}/{part}" for part in parts)))).format(name)
    if method == "POST" and draw(st.booleans()):
        path = ""
    query = draw(st.dictionaries(st.sampled_from(sorted(_QUERY)), st.none(), max_size=3))
    chosen = {name: draw(st.sampled_from(_QUERY[name])) for name in query}
    if method == "WATCH":
        # A watch whose time was up before it began: it tells what is there and ends.
        method, path = "GET", "" if draw(st.booleans()) else path
        chosen |= {"watch": "true", "timeoutSeconds": "-1", **draw(st.sampled_from(_WATCHES))}
    content_type = draw(st.sampled_from(_PATCHES if method == "PATCH" else _TYPES))
    headers = {"content-type": content_type, "accept": draw(st.sampled_from(_ACCEPTS))}
    body = b"" if method in ("GET", "HEAD") else draw(_bodies(valid, content_type))
    return Attempt(method, path, chosen, {name: value for name, value in headers.items() if value}, body)


@st.composite
def _bodies(draw: st.DrawFn, valid: JSONObject, content_type: str) -> bytes:
    value: Any
    shape = draw(st.integers(0, 9))
    if shape == 0:
        return draw(st.binary(max_size=12))
    if shape == 1:
        value = draw(JSON)
    elif content_type == "application/json-patch+json":
        value = draw(st.lists(_operations(valid), max_size=3))
    else:
        value = draw(_mutated(valid))
        if draw(st.booleans()):
            # The name of another, or none.
            value.pop("metadata", None)
    if "yaml" in content_type:
        return yaml.dump(value, Dumper=yaml.CSafeDumper).encode("utf-8", "surrogatepass")
    return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS) if _fits(value) else b"1e999"


def _fits(value: Any) -> bool:
    try:
        orjson.dumps(value)
    except TypeError:
        return False
    return True


@st.composite
def _operations(draw: st.DrawFn, valid: JSONObject) -> JSONObject:
    way = draw(st.sampled_from([place for place in _places(valid) if place]))
    pointer = "".join(f"/{step}" for step in way) + draw(st.sampled_from(("", "", "/-", "/9", "/~2")))
    return {
        "op": draw(st.sampled_from(("add", "remove", "replace", "test", "move", "copy", "x"))),
        "path": pointer,
        "from": draw(st.sampled_from(("/metadata", "/spec", ""))),
        "value": draw(JSON),
    }


@st.composite
def _mutated(draw: st.DrawFn, valid: JSONObject) -> JSONObject:
    """The valid object with up to two of its values replaced, removed or added to."""
    made = copy.deepcopy(valid)
    for _ in range(draw(st.integers(0, 2))):
        places = [place for place in _places(made) if place]
        if not places:
            break
        *way, last = draw(st.sampled_from(places))
        holder: Any = made
        for step in way:
            holder = holder[step]
        match draw(st.integers(0, 3)):
            case 0:
                del holder[last]
            case 1 if isinstance(holder, dict):
                holder[draw(_WORDS)] = draw(JSON)
            case _:
                holder[last] = draw(JSON)
    return made


def _places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to every value."""
    found = [at]
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in inside:
        found += _places(inner, (*at, key))
    return found
