"""Content negotiation: which representation a client wants, from its Accept header.

Called once a request by the endpoints, so results are remembered by header. Mirrors
`apiserver/pkg/endpoints/handlers/negotiation/negotiate.go` and the transforms of
`handlers/response.go` (Table, PartialObjectMetadata). Protobuf is for who takes neither JSON nor YAML
(`generic/endpoints/representation.py`): clients that ask for it name JSON as well. CBOR is not offered.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

JSON = "application/json"
YAML = "application/yaml"
SUPPORTED = (JSON, YAML)

_META_GROUP = "meta.k8s.io"
META_TRANSFORMS = frozenset(
    (kind, _META_GROUP, version)
    for kind in ("Table", "PartialObjectMetadata", "PartialObjectMetadataList")
    for version in ("v1", "v1beta1")
)
"""The `(as, g, v)` any resource can be turned into."""

NO_TRANSFORMS: frozenset[tuple[str, str, str]] = frozenset()

_HUMAN_CLIENTS = ("curl", "Wget", "Mozilla/5.0")


@dataclass(frozen=True, slots=True)
class Accepted:
    """The representation to answer with. The `as_` parts are empty for the object as it is."""

    media_type: str
    as_kind: str = ""
    as_group: str = ""
    as_version: str = ""
    stream: str = ""
    pretty: bool = False

    @property
    def transforms(self) -> bool:
        """Whether the object is to be turned into another kind."""
        return bool(self.as_kind or self.as_group or self.as_version)

    @property
    def api_version(self) -> str:
        """The apiVersion of the kind to turn it into."""
        return f"{self.as_group}/{self.as_version}" if self.as_group else self.as_version


@lru_cache(maxsize=1024)
def negotiate(
    accept: str,
    transforms: frozenset[tuple[str, str, str]] = META_TRANSFORMS,
    *,
    supported: tuple[str, ...] = SUPPORTED,
) -> Accepted | None:
    """The best representation `accept` asks for, or None if there is none to give (406).

    `transforms` are the `(as, g, v)` the endpoint can serve, `supported` its media types. An empty header means JSON.
    """
    if not accept:
        return Accepted(JSON)
    clauses = sorted(_clauses(accept), key=lambda clause: clause.rank)
    for clause in clauses:
        for offered in supported:
            if clause.covers(offered):
                accepted = _accept(offered, clause.parameters, transforms)
                if accepted is not None:
                    return accepted
    return None


def names(accept: str, media_type: str) -> bool:
    """Whether a header names a media type at all, whatever its parameters ask for."""
    return any(clause.partition(";")[0].strip().lower() == media_type for clause in accept.split(","))


def pretty(accepted: Accepted, parameter: str | None, user_agent: str) -> bool:
    """Whether to indent: asked for in Accept, by the `pretty` query parameter, or the client is a person's."""
    if accepted.pretty:
        return True
    if parameter:
        return parameter in ("1", "t", "T", "true", "TRUE", "True")
    return user_agent.startswith(_HUMAN_CLIENTS)


@dataclass(frozen=True, slots=True)
class _Clause:
    main: str
    sub: str
    quality: float
    parameters: dict[str, str]

    @property
    def rank(self) -> tuple[float, bool, bool]:
        # Sorting is stable: equal clauses stay in the client's order.
        return (-self.quality, self.main == "*", self.sub == "*")

    def covers(self, media_type: str) -> bool:
        main, _, sub = media_type.partition("/")
        return (self.main, self.sub) in ((main, sub), (main, "*"), ("*", "*"))


def _clauses(accept: str) -> Iterator[_Clause]:
    for part in _split(accept, ","):
        media_range, *raw = (piece.strip() for piece in _split(part, ";"))
        main, _, sub = media_range.lower().partition("/")
        if main == "*" and not sub:
            sub = "*"
        if not main or not sub:
            continue
        parameters = {}
        quality = 1.0
        for piece in raw:
            key, equals, value = piece.partition("=")
            key, value = key.strip().lower(), value.strip().strip('"')
            if key == "q":
                quality = _quality(value)
            elif equals:
                parameters[key] = value
        yield _Clause(main, sub, quality, parameters)


def _split(text: str, separator: str) -> list[str]:
    if '"' not in text:
        return text.split(separator)
    parts, start, quoted = [], 0, False
    for at, char in enumerate(text):
        if char == '"':
            quoted = not quoted
        elif char == separator and not quoted:
            parts.append(text[start:at])
            start = at + 1
    return [*parts, text[start:]]


def _quality(text: str) -> float:
    try:
        quality = float(text)
    except ValueError:
        return 1.0
    return quality if 0.0 <= quality <= 1.0 else 1.0


def _accept(
    media_type: str, parameters: dict[str, str], transforms: frozenset[tuple[str, str, str]]
) -> Accepted | None:
    target = (parameters.get("as", ""), parameters.get("g", ""), parameters.get("v", ""))
    if any(key in parameters for key in ("as", "g", "v")) and target not in transforms:
        return None
    stream = parameters.get("stream", "")
    if stream not in ("", "watch"):
        return None
    if parameters.get("sv"):
        return None
    return Accepted(media_type, *target, stream=stream, pretty=parameters.get("pretty") == "1")
