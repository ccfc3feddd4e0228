"""YAML as Kubernetes reads it: what JSON can say, keys as text, plain scalars by Go's rules instead of YAML's.

Called by `generic/endpoints`. Mirrors YAMLToJSON of `sigs.k8s.io/yaml` and `resolve.go` of `go.yaml.in/yaml/v2`.
"""

import re
from math import copysign, inf, isfinite
from struct import pack, unpack
from typing import Any

import orjson
import yaml

from generic.meta import go_text

_MERGE = "tag:yaml.org,2002:merge"
_NUMBER = "!number"
"""Ours: of what may be a number by its first character, unless it has a tag of its own."""

_INTEGER = re.compile(r"[-+]?(?:0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_INFINITE = {
    **dict.fromkeys((".nan", ".NaN", ".NAN"), "NaN"),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), "+Inf"),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), "-Inf"),
}
_BOOLEANS = {
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"), False),
}
_NULLS = ("", "~", "null", "Null", "NULL")
_WORDS = re.compile(f"(?:{'|'.join(_BOOLEANS)})$")
_LOOSE_UNDERSCORE = re.compile("(?<![0-9])_|_(?![0-9])")
_INTEGERS = range(-(2**63), 2**64)
_WHOLE = 2.0**63
_LONGEST_NUMBER = 400
MAX_REPORTED = 100


def load(body: bytes) -> Any:
    """The value of the first document, whatever follows it. Raises ValueError with a one-line reason."""
    try:
        value = next(yaml.load_all(body, Loader=_Loader), None)
        # What an alias repeats must be a copy: objects are changed in place.
        return orjson.loads(orjson.dumps(value))
    except yaml.YAMLError as error:
        raise ValueError(f"yaml: {_told(error)}") from None
    except (UnicodeDecodeError, RecursionError, TypeError) as error:
        raise ValueError(f"yaml: {type(error).__name__}") from None


def repeated_keys(body: bytes) -> list[str]:
    """What a strict decoder says of keys that stand more than once, such as `line 4: key "a" already set in map`.

    A body that is not YAML has none: somebody else says so.
    """
    loader = _Loader(body)
    finder = _Repeated(loader)
    try:
        root = loader.get_node() if loader.check_node() else None
        if root is not None:
            finder.walk(root)
    except (yaml.YAMLError, ValueError, TypeError, RecursionError):
        return []
    return finder.found[:MAX_REPORTED]


def _told(error: yaml.YAMLError) -> str:
    """In the words of Go's parser, which is the same one in another language."""
    if isinstance(error, yaml.reader.ReaderError):
        return str(error.reason)
    if not isinstance(error, yaml.MarkedYAMLError):
        return " ".join(str(error).split())
    line = error.problem_mark.line if error.problem_mark is not None else 0
    if line and isinstance(error, yaml.scanner.ScannerError):
        line += 1
    elif not line and error.context_mark is not None:
        line = error.context_mark.line
    problem = error.problem or "unknown problem parsing YAML content"
    return f"line {line}: {problem}" if line else problem


class _Loader(yaml.CSafeLoader):
    """Resolves plain scalars, and merges mappings, in Go's way."""

    # Not those of the class above: what YAML calls a number or a date is not what Go does.
    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012, yaml's own name

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002, yaml's signature
        mapping: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if key_node.tag == _MERGE:
                # As if it were written out here: it replaces what stands before it, and is replaced by what follows.
                for merged in _merged(value_node):
                    mapping.update(self.construct_mapping(merged, deep=True))
            else:
                key = self.construct_object(key_node, deep=True)
                value = self.construct_object(value_node, deep=deep)
                mapping[_key(key, value)] = _written(value)
        return mapping

    def construct_sequence(self, node: yaml.SequenceNode, deep: bool = False) -> list[Any]:  # noqa: FBT001, FBT002, yaml's signature
        return list(map(_written, super().construct_sequence(node, deep=deep)))


def _written(value: Any) -> Any:
    """A value of a mapping or a sequence: JSON writes a whole float without a fraction, and then it is none."""
    if isinstance(value, float) and value.is_integer() and abs(value) < _WHOLE:
        return int(value)
    return value


class _Repeated:
    """Looks through a document in the order in which Go sets its keys: what is inside a value before its own key."""

    def __init__(self, loader: _Loader) -> None:
        self._loader = loader
        self._walked: set[int] = set()
        self.found: list[str] = []

    def walk(self, node: yaml.Node) -> None:
        # An alias stands for the very node of its anchor.
        if id(node) in self._walked:
            return
        self._walked.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            for item in node.value:
                self.walk(item)
        elif isinstance(node, yaml.MappingNode):
            self._members(node, set())

    def _members(self, node: yaml.MappingNode, keys: set[tuple[type, Any]]) -> None:
        for key_node, value_node in node.value:
            if key_node.tag == _MERGE:
                for merged in _merged(value_node):
                    self._members(merged, keys)
                continue
            self.walk(value_node)
            key = self._loader.construct_object(key_node, deep=True)
            # True is 1 to Python.
            if (type(key), key) in keys:
                shown = go_text.quote(key) if isinstance(key, str) else go_text.plain(key)
                self.found.append(f"line {value_node.start_mark.line + 1}: key {shown} already set in map")
            keys.add((type(key), key))


def _merged(node: yaml.Node) -> list[yaml.MappingNode]:
    """The mappings of a merge, in the order they are to be merged in: of several the first counts most."""
    given = node.value[::-1] if isinstance(node, yaml.SequenceNode) else [node]
    found = [each for each in given if isinstance(each, yaml.MappingNode)]
    if len(found) < len(given):
        raise ValueError("yaml: map merge requires map or sequence of maps as the value")
    return found


def _key(key: Any, value: Any) -> str:
    if isinstance(key, bool):
        return "true" if key else "false"
    if isinstance(key, float):
        return _float_key(key)
    if isinstance(key, str | int):
        return str(key)
    if key is None:
        shown = go_text.quote(value) if isinstance(value, str) else go_text.plain(value)
        raise ValueError(f"unsupported map key of type: %!s(<nil>), key: <nil>, value: {shown}")
    raise ValueError(f"yaml: invalid map key: {go_text.plain(key)}")


def _float_key(key: float) -> str:
    """The shortest text that is the same in single precision."""
    single = _single(key)
    if not isfinite(single):
        return ".inf" if key > 0 else "-.inf"
    text = next(text for text in (f"{key:.{digits}e}" for digits in range(10)) if _single(float(text)) == single)
    exponent = int(text.partition("e")[2])
    return text if not -4 <= exponent < 6 else repr(float(text)).removesuffix(".0")


def _single(value: float) -> float:
    try:
        return float(unpack("f", pack("f", value))[0])
    except OverflowError:
        return copysign(inf, value)


def _number(text: str) -> int | float | None:
    """The number a plain scalar is, if it is one. Raises ValueError for one that JSON has not."""
    if text in _INFINITE:
        raise ValueError(f"json: unsupported value: {_INFINITE[text]}")
    if text[0] == "." and _LOOSE_UNDERSCORE.search(text):
        return None
    plain = text.replace("_", "")
    if len(plain) <= _LONGEST_NUMBER and _INTEGER.fullmatch(plain):
        digits = plain.lstrip("+-")
        octal = len(digits) > 1 and digits[0] == "0" and digits[1].isdigit()
        number = int(plain, 8 if octal else 0)
        if number in _INTEGERS:
            return number
    if not _FLOAT.fullmatch(plain):
        return None
    value = float(plain)
    return value if isfinite(value) else None


def _implicit_number(loader: _Loader, node: yaml.ScalarNode) -> int | float | str:
    number = _number(node.value)
    return node.value if number is None else number


def _explicit_number(loader: _Loader, node: yaml.ScalarNode) -> int | float:
    number = _number(node.value) if node.value else None
    if number is None or (isinstance(number, float) and node.tag.endswith("int")):
        raise _cannot_decode(node)
    return number


def _null(loader: _Loader, node: yaml.ScalarNode) -> None:
    if node.value not in _NULLS:
        raise _cannot_decode(node)


def _boolean(loader: _Loader, node: yaml.ScalarNode) -> bool:
    if node.value not in _BOOLEANS:
        raise _cannot_decode(node)
    return _BOOLEANS[node.value]


def _text(loader: _Loader, node: yaml.ScalarNode) -> str:
    return str(loader.construct_scalar(node))


def _cannot_decode(node: yaml.ScalarNode) -> ValueError:
    number = _number(node.value) if node.value else None
    found = "str" if number is None else type(number).__name__
    short = node.tag.replace("tag:yaml.org,2002:", "!!")
    return ValueError(f"yaml: cannot decode !!{found} `{node.value}` as a {short}")


_Loader.add_implicit_resolver(_MERGE, re.compile("<<$"), ["<"])
_Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(f"(?:{'|'.join(_NULLS)})$"), ["~", "n", "N", ""])
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", _WORDS, list("yYnNtTfFoO"))
_Loader.add_implicit_resolver(_NUMBER, re.compile(r"[-+.0-9][-+.0-9a-zA-Z_]*$"), list("-+.0123456789"))
_Loader.add_constructor(_NUMBER, _implicit_number)
_Loader.add_constructor("tag:yaml.org,2002:int", _explicit_number)
_Loader.add_constructor("tag:yaml.org,2002:float", _explicit_number)
_Loader.add_constructor("tag:yaml.org,2002:bool", _boolean)
_Loader.add_constructor("tag:yaml.org,2002:null", _null)
_Loader.add_constructor("tag:yaml.org,2002:timestamp", _text)
_Loader.add_constructor(_MERGE, _text)
