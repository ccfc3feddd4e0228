"""What is left of two answers when everything that may differ is taken out. Used by `asking.py`."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from tools.real.differ.servers import Answer

HEADERS = (
    "content-type", "warning", "vary", "retry-after", "location", "allow", "www-authenticate",
    "x-content-type-options", "cache-control", "etag", "content-encoding", "strict-transport-security",
)  # fmt: skip
"""Those a client may act on."""

_VOLATILE = {
    "uid": "UID",
    "resourceVersion": "RV",
    "creationTimestamp": "TIME",
    "selfLink": "LINK",
    "clusterIP": "IP",
    "continue": "CONTINUE",
    "token": "TOKEN",
    "deletionTimestamp": "TIME",
}
_TEXTS = (
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "UID"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"), "TIME"),
    (re.compile(r"127\.0\.0\.1:\d+|localhost:\d+"), "HOST"),
)
Difference = tuple[str, Any, Any]


def differences(real: Answer, ours: Answer) -> list[Difference]:
    """Where two answers differ: path, what the real one has, what ours has."""
    found: list[Difference] = []
    if real.status != ours.status:
        found.append(("status", real.status, ours.status))
    one, other = _headers(real), _headers(ours)
    for name in HEADERS:
        if one.get(name) != other.get(name):
            found.append((f"header {name}", one.get(name), other.get(name)))
    found += _walk("", cleaned(real.body), cleaned(ours.body))
    return found


def _headers(answer: Answer) -> Mapping[str, Any]:
    made: dict[str, Any] = {}
    for name, value in answer.headers:
        key = name.lower()
        if key == "etag":
            value = "ETAG"
        if key == "vary":
            value = ", ".join(sorted(value.split(", ")))
        made[key] = value if key not in made else f"{made[key]} | {value}"
    return made


def cleaned(value: Any, key: str = "") -> Any:
    """Without what no two servers share: identities, times, revisions, addresses."""
    if isinstance(value, dict):
        return {name: cleaned(inner, name) for name, inner in value.items()}
    if isinstance(value, list):
        return [cleaned(inner, f"{key}[]") for inner in value]
    if isinstance(value, str):
        if key in _VOLATILE and value and value != "None":
            return _VOLATILE[key]
        for pattern, word in _TEXTS:
            value = pattern.sub(word, value)
    return value


_ABSENT = "<absent>"


def _walk(path: str, real: Any, ours: Any) -> Iterator[Difference]:
    if isinstance(real, dict) and isinstance(ours, dict):
        for key in [*real, *(key for key in ours if key not in real)]:
            yield from _walk(f"{path}.{key}", real.get(key, _ABSENT), ours.get(key, _ABSENT))
    elif isinstance(real, list) and isinstance(ours, list) and len(real) == len(ours):
        for at, (one, other) in enumerate(zip(real, ours, strict=True)):
            yield from _walk(f"{path}[{at}]", one, other)
    elif isinstance(real, list) and isinstance(ours, list) and real and all(map(_named, [*real, *ours])):
        yield from _walk(path, {_named(each): each for each in real}, {_named(each): each for each in ours})
    elif real != ours or type(real) is not type(ours):
        yield path or ".", real, ours


def _named(item: Any) -> str:
    """What tells list members apart, so that one missing does not make all the others differ."""
    if not isinstance(item, dict):
        return ""
    name = item.get("name") or (item.get("metadata") or {}).get("name") or item.get("field")
    return str(name or "")
