"""What the compiler is told: functions in a notation of ours, variables and the fields of their types.

Called by `environment.py`. A signature reads `string.find(string): string` for a method, `quantity(string): ...` for a
function; one capital letter is a type parameter. Objects become protobuf messages, which is how the engine knows their
fields; lists in lists and in maps cannot be said there, and are checked when they run.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson
from cel_expr_python import cel
from google.protobuf import descriptor_pb2, descriptor_pool, duration_pb2, struct_pb2, timestamp_pb2

from generic.schema.cel.types import DeclType
from generic.types import JSONObject

_PACKAGE = "trikube"
_SIMPLE = frozenset({"bool", "int", "uint", "double", "string", "bytes", "dyn", "timestamp", "duration", "type", "any"})
_RESERVED = frozenset({
    *("true", "false", "null", "in", "as", "break", "const", "continue", "else", "for", "function", "if", "import"),
    *("let", "loop", "package", "namespace", "return", "var", "void", "while"),
})
_IDENTIFIER = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_ESCAPES = {"__": "__underscores__", ".": "__dot__", "-": "__dash__", "/": "__slash__"}
_UNESCAPES = {escaped: plain for plain, escaped in _ESCAPES.items()}


def escape(name: str) -> str | None:
    """A field's name as expressions write it; None if there is no way."""
    if name in _RESERVED:
        return f"__{name}__"
    made = re.sub(r"__|[./-]", lambda found: _ESCAPES[found[0]], name)
    return made if _IDENTIFIER.fullmatch(made) else None


@lru_cache(maxsize=4096)
def unescape(name: str) -> str:
    """The name in JSON of a field an expression calls `name`."""
    if name.startswith("__") and name.endswith("__") and name[2:-2] in _RESERVED:
        return name[2:-2]
    return re.sub("__underscores__|__dot__|__dash__|__slash__", lambda found: _UNESCAPES[found[0]], name)


def config(signatures: Iterable[str], optionals: Mapping[str, JSONObject]) -> Any:
    """The configuration of an environment with these functions and the macros Kubernetes has.

    `optionals`: the types of optional variables, which can be said nowhere else.
    """
    functions: dict[str, list[JSONObject]] = {}
    for at, signature in enumerate(signatures):
        name, overload = _overload(signature, at)
        functions.setdefault(name, []).append(overload)
    # What the engine declares itself and we declare with more overloads.
    ours = [{"name": name} for name in functions if name.startswith("_") or name == "string"]
    said = {
        "name": "kubernetes",
        "stdlib": {"exclude_functions": ours},
        "extensions": [{"name": "optional"}, {"name": "two-var-comprehensions"}],
        "variables": [
            {"name": name, "type_name": "optional_type", "params": [inside]} for name, inside in optionals.items()
        ],
        "functions": [{"name": name, "overloads": overloads} for name, overloads in functions.items()],
    }
    # YAML reads JSON.
    return cel.NewEnvConfigFromYaml(orjson.dumps(said).decode())


def _overload(signature: str, at: int) -> tuple[str, JSONObject]:
    target, name, args, result = _parsed(signature)
    made: JSONObject = {"id": f"k8s_{at}", "args": [_type(arg) for arg in _split(args)], "return": _type(result)}
    if target:
        made["target"] = _type(target)
    return name, made


def _parsed(signature: str) -> tuple[str, str, str, str]:
    head, _, result = signature.rpartition("): ")
    path, _, args = head.partition("(")
    owner, dot, name = path.rpartition(".")
    if dot and (owner in _SIMPLE or owner.startswith("list<") or owner.rpartition(".")[2][:1].isupper()):
        return owner, name, args, result
    return "", path, args, result


def _split(text: str) -> list[str]:
    parts, depth, start = [], 0, 0
    for at, char in enumerate(text):
        depth += (char == "<") - (char == ">")
        if char == "," and not depth:
            parts.append(text[start:at].strip())
            start = at + 1
    return [*parts, text[start:].strip()] if text.strip() else parts


def _type(text: str) -> JSONObject:
    name, opened, rest = text.partition("<")
    if opened:
        called = "optional_type" if name == "optional" else name
        return {"type_name": called, "params": [_type(inside) for inside in _split(rest[:-1])]}
    if len(text) == 1:
        return {"type_name": text, "is_type_param": True}
    return {"type_name": text}


class Messages:
    """The types of variables for the compiler, and the pool that holds the messages among them."""

    def __init__(self) -> None:
        self._file = descriptor_pb2.FileDescriptorProto(name="variables.proto", package=_PACKAGE, syntax="proto2")
        self._file.dependency.extend([
            "google/protobuf/timestamp.proto",
            "google/protobuf/duration.proto",
            "google/protobuf/struct.proto",
        ])
        self._named: dict[str, str] = {}
        self._known: dict[int, tuple[DeclType, str]] = {}

    def pool(self, more: descriptor_pb2.FileDescriptorProto | None = None) -> Any:
        """After every variable was declared; `more`: messages that are of no variable."""
        pool = descriptor_pool.DescriptorPool()
        for module in (timestamp_pb2, duration_pb2, struct_pb2):
            pool.AddSerializedFile(module.DESCRIPTOR.serialized_pb)
        pool.Add(self._file)
        if more is not None:
            pool.Add(more)
        return pool

    def variable(self, declared: DeclType) -> Any:
        """The compiler's type of a variable."""
        match declared.kind:
            case "object":
                return cel.Type(f"{_PACKAGE}.{self._message(declared)}")
            case "list":
                return cel.Type.List(self.variable(_inside(declared)))
            case "map":
                return cel.Type.Map(cel.Type.STRING, self.variable(_inside(declared)))
            case "abstract":
                return cel.Type.AbstractType(declared.name)
        return _PLAIN[declared.kind]

    def described(self, declared: DeclType) -> JSONObject:
        """The same in the words of a configuration."""
        match declared.kind:
            case "object":
                return {"type_name": f"{_PACKAGE}.{self._message(declared)}"}
            case "list":
                return {"type_name": "list", "params": [self.described(_inside(declared))]}
            case "map":
                return {"type_name": "map", "params": [{"type_name": "string"}, self.described(_inside(declared))]}
        return {"type_name": declared.name or declared.kind}

    def _message(self, declared: DeclType) -> str:
        held = self._known.get(id(declared))
        if held is not None:
            return held[1]
        name = declared.name or f"Object{len(self._known)}"
        self._known[id(declared)] = (declared, name)
        message = self._file.message_type.add(name=name)
        for number, (field, found) in enumerate(declared.fields.items(), 1):
            called = escape(field)
            if called is not None:
                self._field(message, called, number, found)
        return name

    def _field(self, message: Any, name: str, number: int, declared: DeclType) -> None:
        made = message.field.add(name=name, number=number, json_name=f"f{number}", label=1)
        kind = declared.kind
        if kind == "list" and _inside(declared).kind not in ("list", "map"):
            made.label, kind, declared = 3, _inside(declared).kind, _inside(declared)
        elif kind == "map" and _inside(declared).kind not in ("list", "map"):
            # Named as protobuf derives it from the field. Two fields can come to one name: the second is unchecked.
            entry = _entry_name(name)
            if all(nested.name != entry for nested in message.nested_type):
                nested = message.nested_type.add(name=entry)
                nested.options.map_entry = True
                nested.field.add(name="key", number=1, label=1, type=9)
                self._field(nested, "value", 2, _inside(declared))
                made.label, made.type, made.type_name = 3, 11, f".{_PACKAGE}.{message.name}.{entry}"
                return
        made.type, referred = self._wire_type(kind, declared)
        if referred:
            made.type_name = referred

    def _wire_type(self, kind: str, declared: DeclType) -> tuple[int, str]:
        if kind == "object":
            return 11, f".{_PACKAGE}.{self._message(declared)}"
        return _WIRE[kind]


@dataclass(frozen=True, slots=True)
class Variables:
    """What the compiler must know of variables: their messages, their types, and those of optional ones."""

    pool: Any
    types: dict[str, Any]
    optionals: dict[str, JSONObject]


def variables(declared: Mapping[str, DeclType], more: descriptor_pb2.FileDescriptorProto | None = None) -> Variables:
    """Declares the variables, and `more` messages beside them."""
    messages = Messages()
    plain = {name: messages.variable(found) for name, found in declared.items() if found.kind != "optional"}
    optional = {
        name: messages.described(_inside(found)) for name, found in declared.items() if found.kind == "optional"
    }
    return Variables(messages.pool(more), plain, optional)


def _entry_name(field: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in field.split("_")) + "Entry"


def _inside(declared: DeclType) -> DeclType:
    assert declared.element is not None, "lists and maps have elements"
    return declared.element


_PLAIN = {
    "dyn": cel.Type.DYN,
    "string": cel.Type.STRING,
    "bytes": cel.Type.BYTES,
    "int": cel.Type.INT,
    "double": cel.Type.DOUBLE,
    "bool": cel.Type.BOOL,
    "timestamp": cel.Type.TIMESTAMP,
    "duration": cel.Type.DURATION,
}
_VALUE = (11, ".google.protobuf.Value")
_WIRE: dict[str, tuple[int, str]] = {
    "string": (9, ""),
    "bytes": (12, ""),
    "int": (3, ""),
    "double": (1, ""),
    "bool": (8, ""),
    "timestamp": (11, ".google.protobuf.Timestamp"),
    "duration": (11, ".google.protobuf.Duration"),
    "dyn": _VALUE,
    "list": _VALUE,
    "map": _VALUE,
    "abstract": _VALUE,
}
