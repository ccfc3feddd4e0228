"""From a checked expression to a Python function: one closure per node, nothing of the tree is looked at when it runs.

Called by `environment.py`. Every step charges the meter, so that whatever an expression does, it ends. Mirrors
`cel-go/interpreter`.
"""

from collections.abc import Callable, Mapping
from typing import Any

from generic.schema.cel import charges, folds, functions
from generic.schema.cel import checked as ast
from generic.schema.cel.checked import Checked, Node
from generic.schema.cel.errors import NO_OVERLOAD, EvaluationError
from generic.schema.cel.frames import Frame, Run, Scope
from generic.schema.cel.functions import Implementation
from generic.schema.cel.values import Built, Optional, TypeValue

Unescape = Callable[[str], str]

_TEXTS = frozenset({str, bytes})
_LIST_COST, _MAP_COST, _MESSAGE_COST = 10, 30, 40


class Compiler:
    """Compiles one expression. `extra`: functions beside those everybody has; `unescape`: how fields are called.

    `built`: the types of objects it may build, by the compiler's names.
    """

    def __init__(
        self,
        checked: Checked,
        scope: Scope,
        *,
        extra: Mapping[str, Implementation],
        unescape: Unescape,
        built: Mapping[str, str],
    ) -> None:
        self._checked = checked
        self._scope = scope
        self._extra = extra
        self._unescape = unescape
        self._built = built

    def compile(self, node: Node) -> Run:
        match node:
            case ast.Const():
                return _constant(node.value)
            case ast.Ident():
                return self._ident(node.id, node.name)
            case ast.Select():
                return self._select(node)
            case ast.Call():
                return self._call(node)
            case ast.ListLiteral():
                return self._list(node)
            case ast.MapLiteral():
                return self._map(node)
            case ast.Comprehension():
                return folds.compile_fold(node, self._scope, self.compile)

    def _ident(self, id: int, written: str) -> Run:
        name = self._checked.names.get(id, written)
        slot = self._scope.find(name)
        if slot is None:
            return _constant(TypeValue(name))

        def run(frame: Frame) -> Any:
            frame[0].charge(1)
            return frame[slot]

        return run

    def _select(self, node: ast.Select) -> Run:
        if node.id in self._checked.names and not node.test_only:
            # A name with dots: a type, or a variable of a container.
            return self._ident(node.id, self._checked.names[node.id])
        operand = self.compile(node.operand)
        is_message = self._checked.type_of(node.operand).kind == "message"
        field = self._unescape(node.field) if is_message else node.field
        return _has(operand, field) if node.test_only else _field(operand, field)

    def _call(self, node: ast.Call) -> Run:
        name, args = node.function, node.args
        if name == "_&&_":
            return _and(self.compile(args[0]), self.compile(args[1]))
        if name == "_||_":
            return _or(self.compile(args[0]), self.compile(args[1]))
        if name == "_?_:_":
            return _conditional(*map(self.compile, args))
        if name == "@not_strictly_false":
            return _not_strictly_false(self.compile(args[0]))
        if name == "cel.@mapInsert":
            return folds.map_insert([self.compile(arg) for arg in args])
        if name == "_?._" and self._is_message(args[0]):
            args = (args[0], ast.Const(0, self._unescape(_text_of(args[1]))))
        implementation = self._extra.get(name) or functions.IMPLEMENTATIONS[name]
        return _invoke(name, implementation, [self.compile(arg) for arg in args])

    def _is_message(self, node: Node) -> bool:
        found = self._checked.type_of(node)
        return found.kind == "message" or any(inside.kind == "message" for inside in found.parameters)

    def _list(self, node: ast.ListLiteral) -> Run:
        elements = [(self.compile(element), at in node.optional) for at, element in enumerate(node.elements)]

        def run(frame: Frame) -> Any:
            frame[0].charge(_LIST_COST)
            made = []
            for element, optional in elements:
                value = element(frame)
                if not optional:
                    made.append(value)
                elif type(value) is Optional:
                    made.extend(value.held)
            return made

        return run

    def _map(self, node: ast.MapLiteral) -> Run:
        entries = []
        for entry in node.entries:
            key = entry.key
            if node.message and isinstance(key, ast.Const):
                key = ast.Const(0, self._unescape(key.value))
            entries.append((self.compile(key), self.compile(entry.value), entry.optional))
        cost = _MESSAGE_COST if node.message else _MAP_COST
        type_name = self._built.get(node.message)

        def run(frame: Frame) -> Any:
            frame[0].charge(cost)
            made: dict[Any, Any] = {} if type_name is None else Built(type_name)
            for key, value, optional in entries:
                found, made_of = key(frame), value(frame)
                if found in made:
                    raise EvaluationError(f"Failed with repeated key: {found}")
                if not optional:
                    made[found] = made_of
                elif type(made_of) is Optional and made_of.held:
                    made[found] = made_of.held[0]
            return made

        return run


def _text_of(node: Node) -> str:
    assert isinstance(node, ast.Const), "the parser lets nothing else stand after `.?`"
    return str(node.value)


def _constant(value: Any) -> Run:
    return lambda frame: value


def _field(operand: Run, field: str) -> Run:
    def run(frame: Frame) -> Any:
        value = operand(frame)
        frame[0].charge(1)
        try:
            return value[field]
        except KeyError:
            raise EvaluationError(f"no such key: {field}") from None
        except TypeError:
            if type(value) is Optional:
                held = value.held
                return Optional((held[0][field],)) if held and field in held[0] else Optional()
            raise EvaluationError(NO_OVERLOAD) from None

    return run


def _has(operand: Run, field: str) -> Run:
    def run(frame: Frame) -> Any:
        value = operand(frame)
        frame[0].charge(1)
        if isinstance(value, dict):
            return field in value
        if type(value) is Optional:
            return bool(value.held) and field in value.held[0]
        raise EvaluationError(NO_OVERLOAD)

    return run


def _invoke(name: str, implementation: Implementation, args: list[Run]) -> Run:
    price = functions.price(name)
    if name in functions.COMPARISONS:
        return _compare(implementation, *args)
    if len(args) == 1 and price is None:
        (only,) = args

        def unary(frame: Frame) -> Any:
            value = only(frame)
            frame[0].charge(1)
            try:
                return implementation(value)
            except (TypeError, AttributeError):
                raise EvaluationError(NO_OVERLOAD) from None
            except (ValueError, ArithmeticError) as error:
                raise EvaluationError(str(error)) from None

        return unary
    if len(args) == 2 and price is None:
        first, second = args

        def binary(frame: Frame) -> Any:
            left, right = first(frame), second(frame)
            frame[0].charge(1)
            try:
                return implementation(left, right)
            except (TypeError, AttributeError):
                raise EvaluationError(NO_OVERLOAD) from None
            except (ValueError, ArithmeticError) as error:
                raise EvaluationError(str(error)) from None

        return binary

    def run(frame: Frame) -> Any:
        values = [arg(frame) for arg in args]
        try:
            frame[0].charge(1 if price is None else price(*values))
            return implementation(*values)
        except (TypeError, AttributeError):
            raise EvaluationError(NO_OVERLOAD) from None
        except (ValueError, ArithmeticError) as error:
            raise EvaluationError(str(error)) from None

    return run


def _compare(implementation: Implementation, left: Run, right: Run) -> Run:
    def run(frame: Frame) -> Any:
        one, other = left(frame), right(frame)
        # Ten characters cost one unit; two parts do, as looking at them takes more.
        units = 1
        if type(one) is type(other):
            if type(one) in _TEXTS:
                units += min(len(one), len(other)) // 10
            elif isinstance(one, list | dict) and len(one) == len(other):
                units += charges.weight_of(one) // 2
        frame[0].charge(units)
        return implementation(one, other)

    return run


# Logic: an error on one side does not matter where the other side decides.


def _and(left: Run, right: Run) -> Run:
    def run(frame: Frame) -> Any:
        return _decide(left, right, frame, decisive=False)

    return run


def _or(left: Run, right: Run) -> Run:
    def run(frame: Frame) -> Any:
        return _decide(left, right, frame, decisive=True)

    return run


def _decide(left: Run, right: Run, frame: Frame, *, decisive: bool) -> bool:
    failed: EvaluationError | None = None
    for side in (left, right):
        try:
            value = side(frame)
        except EvaluationError as error:
            failed = failed or error
            continue
        if value is decisive:
            return bool(value)
        if type(value) is not bool:
            failed = failed or EvaluationError(NO_OVERLOAD)
    if failed is not None:
        raise failed
    return not decisive


def _conditional(condition: Run, then: Run, otherwise: Run) -> Run:
    def run(frame: Frame) -> Any:
        value = condition(frame)
        if value is True:
            return then(frame)
        if value is False:
            return otherwise(frame)
        raise EvaluationError(NO_OVERLOAD)

    return run


def _not_strictly_false(operand: Run) -> Run:
    def run(frame: Frame) -> Any:
        frame[0].charge(1)
        try:
            return operand(frame) is not False
        except EvaluationError:
            return True

    return run
