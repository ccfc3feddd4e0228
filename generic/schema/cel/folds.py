"""Comprehensions: what all, exists, map, filter, transformMap and the like are after parsing. Part of `evaluate.py`.

The usual ones run as loops of their own; what is left folds step by step. Mirrors evalFold of
`cel-go/interpreter/interpretable.go`.
"""

from collections.abc import Callable, Iterable
from typing import Any

from generic.schema.cel import checked as ast
from generic.schema.cel.checked import Comprehension, Node
from generic.schema.cel.errors import NO_OVERLOAD, EvaluationError
from generic.schema.cel.frames import Frame, Run, Scope

Compile = Callable[[Node], Run]

_QUANTIFIER_COST = 3
"""Of one round of all or exists beside its predicate: the condition of the loop, and the accumulator."""
_APPEND_COST = 12
"""Of appending to a list: the list appended, the concatenation, and the accumulator."""


def compile_fold(node: Comprehension, scope: Scope, compile: Compile) -> Run:
    """The loop of a comprehension, its variables in places of their own."""
    source = compile(node.range)
    names = [name for name in (node.variable, node.variable2) if name]
    if isinstance(node.range, ast.ListLiteral) and not node.range.elements and _is(node.condition, False):
        return _bind(node, scope, compile)
    init = compile(node.init)
    accumulator = scope.enter(node.accumulator)
    slots = [scope.enter(name) for name in names]
    try:
        quantified = _quantified(node)
        if quantified is not None:
            decisive, predicate = quantified
            return _quantify(source, slots, compile(predicate), decisive=decisive)
        appended = _appended(node)
        if appended is not None:
            condition, element = appended
            return _collect(source, slots, compile(condition) if condition is not None else None, compile(element))
        return _general(node, source, init, [accumulator, *slots], compile)
    finally:
        for name in (*names, node.accumulator):
            scope.leave(name)


def _bind(node: Comprehension, scope: Scope, compile: Compile) -> Run:
    """A variable: a fold over nothing, whose accumulator is used once."""
    init = compile(node.init)
    slot = scope.enter(node.accumulator)
    result = compile(node.result)
    scope.leave(node.accumulator)

    def run(frame: Frame) -> Any:
        frame[slot] = init(frame)
        return result(frame)

    return run


def _quantified(node: Comprehension) -> tuple[bool, Node] | None:
    """The value that decides, and the predicate, of all and exists."""
    step = node.step
    if not (isinstance(step, ast.Call) and step.function in ("_&&_", "_||_") and _refers(node.result, node)):
        return None
    decisive = step.function == "_||_"
    if not (_refers(step.args[0], node) and _is(node.init, not decisive)):
        return None
    return decisive, step.args[1]


def _appended(node: Comprehension) -> tuple[Node | None, Node] | None:
    """The condition, if there is one, and the element, of map, filter and transformList."""
    starts_empty = isinstance(node.init, ast.ListLiteral) and not node.init.elements
    if not (starts_empty and _is(node.condition, True) and _refers(node.result, node)):
        return None
    step, condition = node.step, None
    if isinstance(step, ast.Call) and step.function == "_?_:_" and _refers(step.args[2], node):
        condition, step = step.args[0], step.args[1]
    if not (isinstance(step, ast.Call) and step.function == "_+_" and _refers(step.args[0], node)):
        return None
    added = step.args[1]
    if not (isinstance(added, ast.ListLiteral) and len(added.elements) == 1 and not added.optional):
        return None
    return condition, added.elements[0]


def _refers(node: Node, fold: Comprehension) -> bool:
    return isinstance(node, ast.Ident) and node.name == fold.accumulator


def _is(node: Node, value: Any) -> bool:
    return isinstance(node, ast.Const) and node.value is value


def _rounds(value: Any, *, pairs: bool) -> Iterable[tuple[Any, ...]]:
    """What the variables are in each round."""
    if isinstance(value, dict):
        return list(value.items()) if pairs else [(key,) for key in value]
    if isinstance(value, list):
        return enumerate(value) if pairs else [(item,) for item in value]
    raise EvaluationError(NO_OVERLOAD)


def _quantify(source: Run, slots: list[int], predicate: Run, *, decisive: bool) -> Run:
    first, second = slots[0], slots[-1]
    pairs = len(slots) == 2

    def run(frame: Frame) -> Any:
        charge, failed = frame[0].charge, None
        for values in _rounds(source(frame), pairs=pairs):
            charge(_QUANTIFIER_COST)
            frame[first], frame[second] = values[0], values[-1]
            try:
                value = predicate(frame)
            except EvaluationError as error:
                failed = failed or error
                continue
            if value is decisive:
                return decisive
            if type(value) is not bool:
                failed = failed or EvaluationError(NO_OVERLOAD)
        if failed is not None:
            raise failed
        return not decisive

    return run


def _collect(source: Run, slots: list[int], condition: Run | None, element: Run) -> Run:
    first, second = slots[0], slots[-1]
    pairs = len(slots) == 2

    def run(frame: Frame) -> Any:
        charge, made = frame[0].charge, []
        for values in _rounds(source(frame), pairs=pairs):
            charge(_APPEND_COST)
            frame[first], frame[second] = values[0], values[-1]
            if condition is None or _true(condition(frame)):
                made.append(element(frame))
        return made

    return run


def _true(value: Any) -> bool:
    if type(value) is not bool:
        raise EvaluationError(NO_OVERLOAD)
    return value


def _general(node: Comprehension, source: Run, init: Run, slots: list[int], compile: Compile) -> Run:
    accumulator, first, second = slots[0], slots[1], slots[-1]
    condition, step, result = compile(node.condition), compile(node.step), compile(node.result)
    pairs = len(slots) == 3

    def run(frame: Frame) -> Any:
        rounds = _rounds(source(frame), pairs=pairs)
        frame[accumulator] = init(frame)
        for values in rounds:
            frame[0].charge(1)
            frame[first], frame[second] = values[0], values[-1]
            if condition(frame) is False:
                break
            frame[accumulator] = step(frame)
        return result(frame)

    return run


def map_insert(args: list[Run]) -> Run:
    """What transformMap (a key and a value) and transformMapEntry (a map) do in each round."""

    def run(frame: Frame) -> Any:
        frame[0].charge(1)
        made, *rest = (arg(frame) for arg in args)
        added = {rest[0]: rest[1]} if len(rest) == 2 else rest[0]
        for key, value in added.items():
            if key in made:
                raise EvaluationError(f"insert failed: key {key} already exists")
            # The accumulator is nobody else's, so that n rounds cost n, not n squared.
            made[key] = value
        return made

    return run
