"""Bodies refused before they are decoded: small to send, but not to hold, to walk or to write again.

Called by `EndpointRequest.body`, so for every verb. YAML is read as a stream of events first, because its loader
recurses on the C stack: some hundred thousand brackets would end the process. Mirrors the depth limit of
`sigs.k8s.io/json` and the alias limit of `go.yaml.in/yaml`.
"""

from typing import Any

import orjson
import yaml

from generic.meta import errors

MAX_DEPTH = 240
"""Levels of nesting. Our encoder writes 254; envelopes around an object (reviews) take some of them."""

MAX_ALIASED = 3 * 1024 * 1024
"""What aliases may add to a document, in characters and nodes: as much as a body may have."""

MAX_NODES = 250_000
"""Of a YAML document. Each takes more than half a kilobyte while it is read; what could be stored has fewer."""

_ENVELOPE = 254 - MAX_DEPTH
_PLAIN_TAGS = frozenset(
    f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null", "map", "seq", "timestamp", "merge")
)


def check(content: bytes, media_type: str) -> None:
    """Raises 400. What does not parse at all is left to the decoder to refuse."""
    if media_type.endswith("yaml"):
        why = _json_problem(content) if _is_json(content) else _yaml_problem(content)
    elif media_type.endswith("json"):
        why = _json_problem(content)
    else:
        return
    if why:
        raise errors.bad_request(f"error decoding the request body: {why}")


def _is_json(content: bytes) -> bool:
    """What clients apply is called YAML, but most send JSON, which takes a fraction of the time to look through."""
    if content[:1] != b"{":
        return False
    try:
        orjson.loads(content)
    except ValueError:
        return False
    return True


def _json_problem(content: bytes) -> str:
    # Counting takes next to nothing, and few bodies have so many brackets.
    if content.count(b"{") + content.count(b"[") <= MAX_DEPTH:
        return ""
    try:
        value: Any = orjson.loads(content)
    except ValueError:
        return ""
    return depth_problem(value)


def depth_problem(value: Any) -> str:
    """Why a decoded value cannot be written again, if so."""
    for _ in range(_ENVELOPE):
        value = [value]
    try:
        orjson.dumps(value)
    except TypeError:
        return "exceeded max depth"
    return ""


class _Aliases:
    """How much each anchor stands for, once its aliases are replaced by it."""

    def __init__(self) -> None:
        self._weights: dict[str, int] = {}
        self._open: list[tuple[str | None, int]] = []
        self._total = 0
        self.added = 0

    @property
    def depth(self) -> int:
        return len(self._open)

    def scalar(self, anchor: str | None, weight: int) -> None:
        self._total += weight
        if anchor is not None:
            self._weights[anchor] = weight

    def enter(self, anchor: str | None) -> None:
        if anchor is not None:
            self._weights.pop(anchor, None)
        self._open.append((anchor, self._total))
        self._total += 1

    def leave(self) -> None:
        anchor, before = self._open.pop()
        if anchor is not None:
            self._weights[anchor] = self._total - before

    def alias(self, anchor: str | None) -> str:
        if anchor is None or anchor not in self._weights:
            inside = any(anchor == name for name, _ in self._open)
            return f"yaml: anchor '{anchor}' value contains itself" if inside else ""
        self.added += self._weights[anchor]
        self._total += self._weights[anchor]
        return "yaml: document contains excessive aliasing" if self.added > MAX_ALIASED else ""


def _yaml_problem(content: bytes) -> str:
    seen = _Aliases()
    try:
        for count, event in enumerate(yaml.parse(content, Loader=yaml.CSafeLoader)):
            why = _event_problem(event, seen) if count < MAX_NODES else "yaml: document contains too many nodes"
            if why:
                return why
    except (yaml.YAMLError, UnicodeDecodeError):
        return ""
    return ""


def _event_problem(event: yaml.Event, seen: _Aliases) -> str:
    if isinstance(event, yaml.AliasEvent):
        return seen.alias(event.anchor)
    if isinstance(event, yaml.CollectionEndEvent):
        seen.leave()
        return ""
    if not isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent):
        return ""
    if event.tag is not None and event.tag != "!" and event.tag not in _PLAIN_TAGS:
        return f"yaml: JSON has no {event.tag.replace('tag:yaml.org,2002:', '!!')}"
    if isinstance(event, yaml.ScalarEvent):
        seen.scalar(event.anchor, len(event.value) + 1)
        return ""
    seen.enter(event.anchor)
    return "exceeded max depth" if seen.depth > MAX_DEPTH else ""
