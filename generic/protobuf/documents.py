"""OpenAPI documents in protobuf, as older kubectl and Go clients ask for them.

Called by `generic/endpoints/openapi`, in a thread: a large document takes a fraction of a second.
Mirrors `gnostic-models` ParseDocument and Marshal, save that a member of a type that OpenAPI does not know is left out,
where gnostic gives the document up: one aggregated server shall not take it from everybody.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import orjson

from generic.protobuf import plain_yaml, wire
from generic.protobuf.definitions import Field
from generic.types import JSONObject

MAX_DEPTH = 100
"""Of schemas in schemas; what is deeper is left empty."""

_RESPONSE_CODE = re.compile(r"[0-9X]{3}|default").fullmatch
_DOCUMENT, _ANY, _YAML = "Document", "Any", 2
_REFERENCES = frozenset(("Reference", "JsonReference"))
_PARAMETERS = {"header": "HeaderParameterSubSchema", "formData": "FormDataParameterSubSchema"}
_PARAMETERS |= {"query": "QueryParameterSubSchema", "path": "PathParameterSubSchema"}
_SECURITY = {"basic": "BasicAuthenticationSecurity", "apiKey": "ApiKeySecurity"}
_FLOWS = {"implicit": "Implicit", "password": "Password", "application": "Application", "accessCode": "AccessCode"}


@dataclass(slots=True)
class _Layout:
    """How one message is written. `itself`: its list, or only item, is what stands for it in JSON."""

    members: dict[str, Field] = field(default_factory=dict)
    extensions: Field | None = None
    paths: Field | None = None
    codes: Field | None = None
    others: Field | None = None
    itself: Field | None = None
    union: list[Field] = field(default_factory=list)

    @classmethod
    def of(cls, table: Mapping[str, str]) -> "_Layout":
        made = cls()
        for number, text in table.items():
            found = Field.parse(number, text)
            if ",oneof" in text:
                made.union.append(found)
            elif found.itself:
                made.itself = found
            elif found.name.endswith("*"):
                setattr(made, _MAPS[found.name], found)
            else:
                made.members[found.name] = found
        return made

    def of_key(self, key: str) -> Field | None:
        """The field that a member of the JSON object goes to; None if to none."""
        known = self.members.get(key)
        if known is not None:
            return known
        if key.startswith("x-"):
            return self.extensions or self.others
        if key.startswith("/"):
            return self.paths or self.others
        return self.codes if self.codes is not None and _RESPONSE_CODE(key) else self.others


_MAPS = {"x-*": "extensions", "/*": "paths", "2*": "codes", "*": "others"}
"""By the names that `tools/protobuf` gives to fields which hold a map."""


class DocumentEncoder:
    """One version of OpenAPI: that of a table made by `tools/protobuf`, loaded when first used."""

    def __init__(self, table: Path) -> None:
        self._table = table
        self._layouts: dict[str, _Layout] = {}

    def encode(self, document: JSONObject) -> bytes:
        """The message `Document`."""
        if not self._layouts:
            types = orjson.loads(self._table.read_bytes())["types"]
            self._layouts = {name: _Layout.of(layout) for name, layout in types.items()}
        return self._message(_DOCUMENT, document, 0)

    def _message(self, name: str, value: Any, depth: int) -> bytes:
        if name == _ANY:
            return _any(value)
        if depth > MAX_DEPTH:
            return b""
        layout = self._layouts[name]
        if layout.union:
            chosen = _chosen(layout.union, value)
            return b"" if chosen is None else self._one(chosen, value, depth, zero=True)
        if layout.itself is not None:
            return self._list(layout.itself, value if isinstance(value, list) else [value], depth)
        if not isinstance(value, dict):
            return b""
        parts = []
        for key, inner in value.items():
            found = layout.of_key(key)
            if found is None:
                continue
            if key not in layout.members:
                parts.append((found.number, self._entry(found, key, inner, depth)))
            elif found.shape == "list":
                parts.append((found.number, self._list(found, inner, depth)))
            else:
                parts.append((found.number, self._one(found, inner, depth)))
        parts.sort(key=_number)
        return b"".join([part for _, part in parts])

    def _list(self, found: Field, value: Any, depth: int) -> bytes:
        items = value if isinstance(value, list) else []
        return b"".join([self._one(found, item, depth, zero=True) for item in items])

    def _entry(self, found: Field, key: str, value: Any, depth: int) -> bytes:
        """A key and its value: a message of these two."""
        name = wire.bytes_field(1, key.encode()) if key else b""
        return wire.bytes_field(found.number, name + self._one(self._value_of(found.element), value, depth))

    def _value_of(self, element: str) -> Field:
        return self._layouts[element].members["value"]

    def _one(self, found: Field, value: Any, depth: int, *, zero: bool = False) -> bytes:
        """A field, empty if the value is of another type. `zero`: it is written even if it is zero."""
        number = found.number
        if not found.is_scalar:
            return wire.bytes_field(number, self._message(found.element, value, depth + 1))
        if not value and not zero:
            return b""
        if found.element == "string":
            return wire.bytes_field(number, value.encode()) if isinstance(value, str) else b""
        if found.element == "bool":
            return wire.number_field(number, value) if isinstance(value, bool) else b""
        if isinstance(value, bool) or not isinstance(value, int | float):
            return b""
        if found.element == "float64":
            return wire.double_field(number, value)
        return wire.number_field(number, value) if isinstance(value, int) else b""


def _number(part: tuple[int, bytes]) -> int:
    return part[0]


def _any(value: Any) -> bytes:
    try:
        return wire.bytes_field(_YAML, plain_yaml.dump(value).encode())
    except ValueError:
        return b""


def _chosen(union: list[Field], value: Any) -> Field | None:
    """Which of several messages a value is: its type says it, a reference in it, or what OpenAPI tells them by."""
    if not isinstance(value, dict):
        scalar = {bool: "bool", str: "string", int: "float64", float: "float64"}.get(type(value), "")
        return next((one for one in union if one.element == scalar), None)
    by_name = {one.element: one for one in union}
    if "$ref" in value:
        reference = next((one for one in union if one.element in _REFERENCES), None)
        if reference is not None:
            return reference
    if "BodyParameter" in by_name:
        return by_name["BodyParameter" if value.get("in") == "body" else "NonBodyParameter"]
    if "FileSchema" in by_name:
        return by_name["FileSchema" if value.get("type") == "file" else "Schema"]
    if "QueryParameterSubSchema" in by_name:
        return by_name.get(_PARAMETERS.get(_text(value, "in"), ""))
    if "ApiKeySecurity" in by_name:
        oauth2 = f"Oauth2{_FLOWS.get(_text(value, 'flow'), '')}Security"
        return by_name.get(_SECURITY.get(_text(value, "type"), oauth2))
    return next((one for one in union if not one.is_scalar), None)


def _text(value: JSONObject, key: str) -> str:
    found = value.get(key)
    return found if isinstance(found, str) else ""


@cache
def v2() -> DocumentEncoder:
    return DocumentEncoder(Path(__file__).with_name("openapi_v2.json"))


@cache
def v3() -> DocumentEncoder:
    return DocumentEncoder(Path(__file__).with_name("openapi_v3.json"))
