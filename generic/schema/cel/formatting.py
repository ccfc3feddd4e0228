"""`"...".format([...])`: the clauses %s, %d, %f, %e, %b, %o, %x, %X and %%. Called by `strings.py`.

Mirrors `cel-go/ext/formatting.go`.
"""

import re
from typing import Any

from generic.schema.cel import operators
from generic.schema.cel.errors import EvaluationError
from generic.schema.cel.values import TypeValue, UInt, type_name

_CLAUSE = re.compile(r"%(\.\d+)?(.)?", re.DOTALL)
_PRECISION = 6
_LARGEST_PRECISION = 100


def render(template: str, args: list[Any]) -> str:
    """Raises EvaluationError."""
    made, at, used = [], 0, 0
    for clause in _CLAUSE.finditer(template):
        made.append(template[at : clause.start()])
        at = clause.end()
        precision, verb = clause.groups()
        if verb is None:
            raise EvaluationError("unexpected end of string")
        if verb == "%":
            made.append("%")
            continue
        if used >= len(args):
            raise EvaluationError(f"index {used} out of range")
        digits = int(precision[1:5]) if precision else _PRECISION
        if digits > _LARGEST_PRECISION:
            raise EvaluationError(f"precision of a formatting clause must not exceed {_LARGEST_PRECISION}")
        made.append(_clause(verb, digits, args[used]))
        used += 1
    return "".join(made) + template[at:]


def _clause(verb: str, precision: int, value: Any) -> str:
    if verb == "s":
        return _text(value)
    if verb == "d":
        return _decimal(value)
    if verb in "fe":
        number = operators.to_double(value)
        return operators.double_text(number) if number - number != 0 else f"{number:.{precision}{verb}}"
    if verb in "box" or verb == "X":
        return _radix(verb, value)
    raise EvaluationError(f'could not parse formatting clause: unrecognized formatting clause "{verb}"')


def _decimal(value: Any) -> str:
    if type(value) not in (int, UInt, float):
        raise EvaluationError(f"decimal clause can only be used on numbers, was given {type_name(value)}")
    return operators.to_text(value)


def _radix(verb: str, value: Any) -> str:
    if type(value) is bool and verb == "b":
        return "1" if value else "0"
    if type(value) in (int, UInt):
        return format(int(value), verb)
    if verb in "xX" and type(value) in (str, bytes):
        text: str = (value.encode() if type(value) is str else value).hex()
        return text.upper() if verb == "X" else text
    raise EvaluationError(f"only integers can be formatted this way, was given {type_name(value)}")


def _text(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, list):
        return f"[{', '.join(_text(item) for item in value)}]"
    if isinstance(value, dict):
        parts = sorted((_text(key), _text(inside)) for key, inside in value.items())
        return "{" + ", ".join(f"{key}: {inside}" for key, inside in parts) + "}"
    if isinstance(value, TypeValue):
        return value.name
    return operators.to_text(value)
