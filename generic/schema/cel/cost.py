"""What an expression can cost at least and at most, before it ever runs, in CEL's units.

Called by `environment.py`. Sizes come from the bounds of the variables' types; what has none may be as large as can be.
Mirrors `cel-go/checker/cost.go` with the estimator of `apiserver/pkg/cel/library/cost.go`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from generic.schema.cel import charges, declarations
from generic.schema.cel import checked as ast
from generic.schema.cel.checked import Checked, Node
from generic.schema.cel.types import UNBOUNDED, DeclType

_LIST_COST, _MAP_COST, _MESSAGE_COST = 10, 30, 40
_SCALARS = frozenset({"bool", "int", "uint", "double", "timestamp", "duration", "null", "type"})
_SAME_SIZE = frozenset({"lowerAscii", "upperAscii", "substring", "trim", "dyn", "bytes", "find", "charAt"})


@dataclass(frozen=True, slots=True)
class Range:
    """From the least to the most."""

    low: float = 0
    high: float = 0

    def __add__(self, other: "Range") -> "Range":
        return Range(self.low + other.low, self.high + other.high)

    def __mul__(self, other: "Range") -> "Range":
        return Range(_times(self.low, other.low), _times(self.high, other.high))

    def __or__(self, other: "Range") -> "Range":
        return Range(min(self.low, other.low), max(self.high, other.high))


def _times(one: float, other: float) -> float:
    return one * other if one and other else 0


_ONE = Range(1, 1)
_ANY_SIZE = Range(0, UNBOUNDED)


@dataclass(frozen=True, slots=True)
class Estimate:
    """Of a node: what it costs, how large its value is, and the declared type of the value where it is known."""

    cost: Range
    size: Range
    declared: DeclType | None = None


def estimate(checked: Checked, variables: Mapping[str, DeclType]) -> Range:
    """The cost of one evaluation."""
    known = {name: _of_declared(declared) for name, declared in variables.items()}
    return _Estimator(checked, known).visit(checked.root).cost


def _of_declared(declared: DeclType | None, cost: Range = _ONE) -> Estimate:
    if declared is None:
        return Estimate(cost, _ANY_SIZE)
    return Estimate(cost, Range(0, declared.max_elements), declared)


class _Estimator:
    def __init__(self, checked: Checked, known: dict[str, Estimate]) -> None:
        self._checked = checked
        self._known = known

    def visit(self, node: Node) -> Estimate:
        match node:
            case ast.Const():
                size = charges.size_of(node.value)
                return Estimate(Range(), Range(size, size))
            case ast.Ident():
                held = self._known.get(node.name)
                return Estimate(_ONE, *((held.size, held.declared) if held else (self._size_of(node),)))
            case ast.Select():
                return self._select(node)
            case ast.Call():
                return self._call(node)
            case ast.ListLiteral():
                inside = [self.visit(element) for element in node.elements]
                count = len(inside)
                least = count - len(node.optional)
                return Estimate(_sum(inside) + Range(_LIST_COST, _LIST_COST), Range(least, count))
            case ast.MapLiteral():
                parts = [self.visit(part) for entry in node.entries for part in (entry.key, entry.value)]
                base = _MESSAGE_COST if node.message else _MAP_COST
                count = len(node.entries)
                return Estimate(_sum(parts) + Range(base, base), Range(count, count))
            case ast.Comprehension():
                return self._fold(node)

    def _size_of(self, node: Node) -> Range:
        return _ONE if self._checked.type_of(node).kind in _SCALARS else _ANY_SIZE

    def _select(self, node: ast.Select) -> Estimate:
        operand = self.visit(node.operand)
        cost = operand.cost + _ONE
        if node.test_only:
            return Estimate(cost, _ONE)
        inside = _member(operand.declared, node.field)
        return _of_declared(inside, cost) if inside is not None else Estimate(cost, self._size_of(node))

    def _call(self, node: ast.Call) -> Estimate:
        args = [self.visit(arg) for arg in node.args]
        name, spent, sizes = node.function, _sum(args), [arg.size for arg in args]
        if name in ("_&&_", "_||_"):
            return Estimate(Range(args[0].cost.low, spent.high), _ONE)
        if name == "_?_:_":
            return Estimate(args[0].cost + (args[1].cost | args[2].cost), sizes[1] | sizes[2], args[1].declared)
        if name in ("_[_]", "_[?_]", "_?._"):
            inside = _element(args[0].declared, node.args[1])
            cost = spent + _ONE
            return _of_declared(inside, cost) if inside is not None else Estimate(cost, self._size_of(node))
        if name == "_+_":
            size = sizes[0] + sizes[1]
            kind = self._checked.type_of(node).kind
            if kind in ("string", "bytes"):
                return Estimate(spent + _grown(charges.CONCATENATION, sizes), size)
            return Estimate(spent + _ONE, size if kind in ("list", "dyn") else self._size_of(node), args[0].declared)
        growth = charges.GROWTH.get(name)
        own = _ONE if growth is None else _grown(growth, sizes)
        return Estimate(spent + own, self._result_size(node, args), self._result_type(node, args))

    def _result_size(self, node: ast.Call, args: list[Estimate]) -> Range:
        name = node.function
        if name in _SAME_SIZE and args:
            return Range(0, args[0].size.high)
        if name == "string" and self._checked.type_of(node.args[0]).kind in ("string", "bytes"):
            return args[0].size
        if name in ("orValue", "or"):
            return args[0].size | args[1].size
        if name in ("split", "findAll"):
            return Range(0, args[0].size.high)
        if name == "replace":
            return Range(0, _times(args[0].size.high, max(1, args[2].size.high)))
        if name in ("value", "optional.of", "min", "max") and args:
            return args[0].size
        return self._size_of(node)

    def _result_type(self, node: ast.Call, args: list[Estimate]) -> DeclType | None:
        declared = args[0].declared if args else None
        if node.function in ("value", "orValue") and declared is not None and declared.kind == "optional":
            return declared.element
        if node.function in ("value", "optional.of", "orValue", "or", "dyn"):
            return declared
        return None

    def _fold(self, node: ast.Comprehension) -> Estimate:
        source, init = self.visit(node.range), self.visit(node.init)
        hidden = dict(self._known)
        element = source.declared.element if source.declared is not None else None
        item = _of_declared(element) if element is not None else Estimate(_ONE, _ANY_SIZE)
        is_map = self._checked.type_of(node.range).kind == "map"
        key = Estimate(_ONE, _ANY_SIZE if is_map and source.declared is None else _KEY_SIZE if is_map else _ONE)
        if node.variable2:
            self._known |= {node.variable: key, node.variable2: item}
        else:
            self._known[node.variable] = key if is_map else item
        self._known[node.accumulator] = init
        try:
            rounds = self.visit(node.condition).cost + self.visit(node.step).cost
            # The result of map and filter is at most as long as what they walk over.
            self._known[node.accumulator] = Estimate(_ONE, _folded_size(node, source, init))
            result = self.visit(node.result)
        finally:
            self._known = hidden
        cost = source.cost + init.cost + rounds * source.size + result.cost
        return Estimate(cost, result.size, None)


_KEY_SIZE = Range()
"""Kubernetes declares no length of the keys of maps, and so takes them for nothing. Nor do we know better."""


def _folded_size(node: ast.Comprehension, source: Estimate, init: Estimate) -> Range:
    collects = isinstance(node.init, ast.ListLiteral | ast.MapLiteral)
    return Range(0, source.size.high) if collects else init.size


def _sum(parts: list[Estimate]) -> Range:
    total = Range()
    for part in parts:
        total = total + part.cost
    return total


def _grown(growth: Callable[[list[float]], float], sizes: list[Range]) -> Range:
    lowest, highest = growth([size.low for size in sizes]), growth([size.high for size in sizes])
    # 0 times endless is not a number: nothing to look at costs nothing.
    return Range(lowest if lowest == lowest else 0, highest if highest == highest else 0)


def _member(declared: DeclType | None, name: str) -> DeclType | None:
    if declared is None:
        return None
    if declared.kind == "optional":
        return _member(declared.element, name)
    if declared.kind == "object":
        return declared.fields.get(name) or declared.fields.get(declarations.unescape(name))
    return declared.element if declared.kind == "map" else None


def _element(declared: DeclType | None, at: Node) -> DeclType | None:
    if declared is None:
        return None
    if declared.kind == "object" and isinstance(at, ast.Const):
        return _member(declared, str(at.value))
    return declared.element
