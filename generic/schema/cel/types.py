"""The static types of variables: what an expression may do with them, and how large their values can be.

Made by `schema_types.py` of structural schemas, or by whoever declares variables; read by `declarations.py` (for the
compiler), `conversion.py` (for values) and `cost.py` (for sizes). Mirrors `apiserver/pkg/cel/types.go` DeclType.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal[
    "dyn",
    "object",
    "map",
    "list",
    "string",
    "bytes",
    "int",
    "double",
    "bool",
    "timestamp",
    "duration",
    "abstract",
    "optional",
]

UNBOUNDED = float("inf")
MAX_REQUEST = 3 * 1024 * 1024
"""Bytes of the largest request, and so of the largest value."""


@dataclass(frozen=True, slots=True)
class DeclType:
    """`fields`: of objects, by their names in JSON; `element`: of lists, maps and optionals.

    `max_elements`: bytes of strings, items of lists and members of maps at most, 0 for what has no length;
    `min_size`: bytes of JSON at least; `list_type`, `map_keys`: how items correlate; `name`: of abstract types, and of
    objects that expressions make.
    """

    kind: Kind
    element: "DeclType | None" = None
    fields: Mapping[str, "DeclType"] = field(default_factory=dict)
    max_elements: float = 0
    min_size: int = 1
    list_type: str = ""
    map_keys: tuple[str, ...] = ()
    name: str = ""


DYN = DeclType("dyn", max_elements=MAX_REQUEST - 2)
STRING = DeclType("string", max_elements=MAX_REQUEST - 2, min_size=2)
BOOL = DeclType("bool", max_elements=0, min_size=4)
INT = DeclType("int", max_elements=0)
DOUBLE = DeclType("double", max_elements=0)
TIMESTAMP = DeclType("timestamp", max_elements=0, min_size=21)
DURATION = DeclType("duration", max_elements=0, min_size=4)
