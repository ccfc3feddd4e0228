"""allOf, anyOf, oneOf and not: schemas of values inside the schema of a value. Called by `structural.py`.

Inside them only values are judged, never structure: no defaults, no pruning. Mirrors `schemaPropsValidator` of
`kube-openapi/pkg/validation/validate`.
"""

from collections.abc import Callable
from typing import Any

from generic.meta import fields
from generic.meta.fields import FieldError
from generic.schema.nodes import Node, Rule
from generic.types import JSONObject

Compile = Callable[[JSONObject], Node]


def of(schema: JSONObject, compile_part: Compile) -> list[Rule]:
    """The rules of the logical keywords at the top of a schema."""
    made: list[Rule] = []
    for keyword, make in (("allOf", _all_of), ("anyOf", _any_of), ("oneOf", _one_of)):
        if schema.get(keyword):
            made.append(make([compile_part(part) for part in schema[keyword]]))
    if isinstance(schema.get("not"), dict):
        made.append(_not(compile_part(schema["not"])))
    return made


def _all_of(parts: list[Node]) -> Rule:
    def check(value: Any, path: str, found: list[FieldError]) -> None:
        wrong = [problems for problems in _each(parts, value, path) if problems]
        for problems in wrong:
            found += problems
        if wrong:
            none = ". None validated" if len(wrong) == len(parts) else ""
            found.append(_composite(f'"{path}" must validate all the schemas (allOf){none}'))

    return check


def _any_of(parts: list[Node]) -> Rule:
    def check(value: Any, path: str, found: list[FieldError]) -> None:
        wrong = _each(parts, value, path)
        if all(wrong):
            found.append(_composite(f'"{path}" must validate at least one schema (anyOf)'))
            found += _closest(wrong)

    return check


def _one_of(parts: list[Node]) -> Rule:
    def check(value: Any, path: str, found: list[FieldError]) -> None:
        wrong = _each(parts, value, path)
        valid = sum(not problems for problems in wrong)
        if valid == 1:
            return
        why = f"Found {valid} valid alternatives" if valid else "Found none valid"
        found.append(_composite(f'"{path}" must validate one and only one schema (oneOf). {why}'))
        if not valid:
            found += _closest(wrong)

    return check


def _not(part: Node) -> Rule:
    def check(value: Any, path: str, found: list[FieldError]) -> None:
        if not _each([part], value, path)[0]:
            found.append(_composite(f'"{path}" must not validate the schema (not)'))

    return check


def _each(parts: list[Node], value: Any, path: str) -> list[list[FieldError]]:
    results = []
    for part in parts:
        problems: list[FieldError] = []
        part.validate(value, path, problems)
        results.append(problems)
    return results


def _closest(wrong: list[list[FieldError]]) -> list[FieldError]:
    """What is wrong under the alternative that fits best."""
    return min(wrong, key=lambda problems: len(problems))


def _composite(message: str) -> FieldError:
    # Kubernetes loses the path of these, and says so.
    return fields.invalid("<nil>", "", message)
