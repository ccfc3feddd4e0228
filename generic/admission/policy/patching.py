"""Applies one mutation of a MutatingAdmissionPolicy: an apply configuration or a JSON patch that CEL made.

Called by `mutating.py`. Mirrors `apiserver/pkg/admission/plugin/policy/mutating/patch`.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from generic.admission.cel.evaluating import Activation, Inputs
from generic.admission.policy.compiled import Mutation
from generic.patching import json_patch
from generic.patching.apply import configurations, merging
from generic.patching.apply.shapes import Shape
from generic.patching.errors import InapplicablePatch, InvalidPatch
from generic.schema.cel import operators
from generic.schema.cel.values import Built
from generic.types import JSONObject


class PatchError(Exception):
    """The mutation failed; the policy's failurePolicy decides."""


def patched(mutation: Mutation, inputs: Inputs, shape: Shape | None) -> JSONObject:
    """The object after the mutation; that of `inputs` is left alone.

    Raises PatchError, OutOfBudget, and Undecided for what the authorizer has not been asked yet.
    """
    expression, obj = mutation.expression, inputs.object
    assert obj is not None, "without an object there is nothing to patch"
    if expression.program is None:
        raise PatchError(expression.error)
    outcome = Activation(inputs).evaluate(expression)
    if outcome.error:
        raise PatchError(outcome.error)
    if mutation.type == "JSONPatch":
        return _json_patched(obj, outcome.value)
    return _applied(obj, outcome.value, shape)


def _json_patched(obj: JSONObject, patch: Any) -> JSONObject:
    operations = []
    for operation in patch:
        made = {key: value for key, value in operation.items() if key != "from" or value}
        if "value" in made:
            _check_types(made["value"])
            made["value"] = plain(made["value"])
        operations.append({"op": "", "path": "", **made})
    try:
        found: JSONObject = json_patch.apply(obj, operations)
    except (InapplicablePatch, InvalidPatch) as error:
        if operations and _only_a_test_failed(obj, operations):
            return obj
        raise PatchError(f"JSON Patch: {error}") from error
    return found


def _only_a_test_failed(obj: JSONObject, operations: list[JSONObject]) -> bool:
    """A test that fails means that the patch is not for this object."""
    for count in range(1, len(operations) + 1):
        try:
            json_patch.apply(obj, operations[:count])
        except (InapplicablePatch, InvalidPatch):
            return bool(operations[count - 1]["op"] == "test")
    return False


def _applied(obj: JSONObject, value: Any, shape: Shape | None) -> JSONObject:
    _check_types(value)
    config = {**plain(value), "apiVersion": obj["apiVersion"], "kind": obj["kind"]}
    if shape is None:
        raise PatchError("error applying patch: type converter must not be nil")
    found = configurations.problems(shape, config)
    if found:
        why = found[0] if len(found) == 1 else "\n".join(["errors:", *(f"  {one}" for one in found)])
        raise PatchError(f"error applying patch: failed to convert patch object to typed object: {why}")
    atomics = list(_atomics(shape, config, ""))
    if atomics:
        why = f"may not mutate atomic arrays, maps or structs: {', '.join(atomics)}"
        raise PatchError(f"error applying patch: invalid ApplyConfiguration: {why}")
    return merging.merge(shape, obj, config)


def _atomics(shape: Shape, value: Any, path: str) -> Iterator[str]:
    """Where a configuration would replace something as a whole, and so drop what it does not name."""
    if isinstance(value, dict):
        if shape.kind == "leaf" and shape.scalar == "map":
            yield path
        elif shape.kind == "map":
            for key, inside in value.items():
                if shape.names(key):
                    yield from _atomics(shape.member(key), inside, f"{path}.{key}")
    elif isinstance(value, list):
        if shape.kind == "leaf" and shape.scalar == "list":
            yield path
        elif shape.kind in ("list-map", "set"):
            for at, inside in enumerate(value):
                yield from _atomics(shape.item, inside, f"{path}[{at}]")


def _check_types(value: Any) -> None:
    """The type of an object has to be the path of fields that leads to it. Raises PatchError."""
    wrong = list(_wrong_types(value, [value.type_name])) if isinstance(value, Built) else ()
    if wrong:
        raise PatchError("type mismatch: " + "\n".join(wrong))


def _wrong_types(value: Any, path: list[str]) -> Iterator[str]:
    if isinstance(value, Built):
        wanted = ".".join(path)
        if value.type_name != wanted:
            yield (
                f'unexpected type name "{value.type_name}", expected "{wanted}", which matches field name path '
                "from root Object type"
            )
        for key, inside in value.items():
            yield from _wrong_types(inside, [*path, key])
    elif isinstance(value, dict | list):
        for inside in value.values() if isinstance(value, dict) else value:
            yield from _wrong_types(inside, path)


def plain(value: Any) -> Any:
    """A value of CEL as JSON."""
    if isinstance(value, dict):
        return {str(key): plain(inside) for key, inside in value.items()}
    if isinstance(value, list):
        return [plain(inside) for inside in value]
    if isinstance(value, str | bool | int | float) or value is None:
        return value
    if isinstance(value, bytes | datetime | timedelta):
        return operators.to_text(value)
    raise PatchError("value expression evaluated to a type that could not marshal to JSON")
