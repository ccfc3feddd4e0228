"""CelEnvironment and CelProgram: the one way to compile expressions and to evaluate them.

Called by the rules of custom resources (`extensions`) and by admission policies. Parsing and type checking are Google's
engine's, behind `declarations.py`; evaluation is ours (`evaluate.py`), because only so can a run be metered in CEL's
units, cut off, and fail in Kubernetes' words. Mirrors `apiserver/pkg/cel/environment` and `cel.Env` of cel-go.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from cel_expr_python import cel

from generic.schema.cel import checked, conversion, cost, declarations, functions, literals
from generic.schema.cel.checked import Checked, Type
from generic.schema.cel.cost import Range
from generic.schema.cel.errors import NO_OVERLOAD, CompileError, EvaluationError
from generic.schema.cel.evaluate import Compiler
from generic.schema.cel.frames import Run, Scope
from generic.schema.cel.functions import Implementation
from generic.schema.cel.literals import Prepared
from generic.schema.cel.meter import Meter
from generic.schema.cel.types import DeclType

PER_CALL_LIMIT = 1_000_000
"""Units one evaluation may cost."""

_IN_STRUCT = re.compile(r" not found in struct '[^']*'")
_UNDECLARED = re.compile(
    r"(ERROR: <input>:\d+:)(\d+)(: undeclared reference to ')(\w+)((?:\.\w+)*)\.\w+(' [^\n]*\n \| [^\n]*\n \| )(\.*)\^"
)
_WELL_KNOWN = re.compile(r"\bgoogle\.protobuf\.(Timestamp|Duration)\b")
_TOO_DEEP = "expression nested too deeply"
_LONGEST = 100_000
"""Characters, as in cel-go."""
_DOUBLING = re.compile(r"\.\s*opt(?:Flat)?Map\b")
_MOST_DOUBLINGS = 10
"""These macros write what they stand on twice: a chain of thirty would take all memory before it even runs."""


@dataclass(frozen=True, slots=True)
class Library:
    """Functions beside those every environment has, for one of them (an authorizer). See `declarations.py`."""

    signatures: Sequence[str]
    implementations: Mapping[str, Implementation]


@dataclass(frozen=True, slots=True)
class CelProgram:
    """A compiled expression. Safe to use from any thread."""

    source: str
    result_type: Type
    cost: Range
    """What an evaluation can cost, given the bounds of the variables' types."""

    used: frozenset[str]
    """Names of the variables it refers to."""

    _run: Run = field(repr=False)
    _variables: tuple[str, ...]
    _frame_size: int

    def evaluate(self, values: Mapping[str, Any], *, meter: Meter | None = None) -> Any:
        """The result, for values that the environment's `bind` made; `meter`: PER_CALL_LIMIT of its own if None.

        Raises EvaluationError and BudgetExceeded.
        """
        frame: list[Any] = [None] * self._frame_size
        frame[0] = Meter(PER_CALL_LIMIT) if meter is None else meter
        for at, name in enumerate(self._variables, 1):
            frame[at] = values.get(name)
        try:
            return self._run(frame)
        except RecursionError:
            raise EvaluationError(_TOO_DEEP) from None
        except (TypeError, ValueError, ArithmeticError, AttributeError) as error:
            # Values of types no compiler has seen can meet anything; whatever it is, it is the expression's failure.
            raise EvaluationError(f"{NO_OVERLOAD}: {error}") from None


class CelEnvironment:
    """The variables an expression may use, by their types; DYN is checked only when it runs."""

    def __init__(
        self, variables: Mapping[str, DeclType], *, libraries: Sequence[Library] = (), literals: bool = False
    ) -> None:
        """`literals`: expressions may build objects, see `literals.py`."""
        self._declared = dict(variables)
        self._literals = literals
        self._extra = {name: made for library in libraries for name, made in library.implementations.items()}
        self._signatures = (*functions.SIGNATURES, *(line for library in libraries for line in library.signatures))
        self._engine: Any = None if literals else self._new_engine()
        self._converters = {name: conversion.converter(found) for name, found in self._declared.items()}

    def _new_engine(self, prepared: Prepared | None = None) -> Any:
        made = declarations.variables(self._declared, None if prepared is None else prepared.file)
        signatures = self._signatures
        config = declarations.config(signatures, made.optionals) if made.optionals else _config(signatures)
        return cel.NewEnv(made.pool, config=config, variables=made.types)

    def compile(self, source: str) -> CelProgram:
        """Raises CompileError."""
        if len(_DOUBLING.findall(source)) > _MOST_DOUBLINGS or len(source) > _LONGEST:
            raise CompileError(_TOO_DEEP)
        prepared = literals.prepare(source) if self._literals else None
        built = {} if prepared is None else prepared.types
        try:
            engine = self._engine if prepared is None else self._new_engine(prepared)
            serialized = engine.compile(source if prepared is None else prepared.source).serialize()
            found = checked.decode(serialized)
            scope = Scope(tuple(self._declared))
            compiler = Compiler(found, scope, extra=self._extra, unescape=declarations.unescape, built=built)
            run = compiler.compile(found.root)
            price = cost.estimate(found, self._declared)
        except RuntimeError as error:
            text = _TOO_DEEP if isinstance(error, RecursionError) else _plain(str(error))
            raise CompileError(text if prepared is None else prepared.as_written(text)) from None
        return CelProgram(
            source,
            _as_written(found.type_of(found.root), built),
            price,
            _used(found, self._declared),
            _run=run,
            _variables=tuple(self._declared),
            _frame_size=scope.size,
        )

    def bind(self, name: str, value: Any) -> Any:
        """JSON as the variable of that name takes it."""
        convert = self._converters[name]
        return value if convert is None else convert(value)


@lru_cache(maxsize=16)
def _config(signatures: tuple[str, ...]) -> Any:
    return declarations.config(signatures, {})


def _as_written(type: Type, built: Mapping[str, str]) -> Type:
    if not built:
        return type
    parameters = tuple(_as_written(parameter, built) for parameter in type.parameters)
    return Type(type.kind, parameters, built.get(type.name, type.name))


def _used(found: Checked, declared: Mapping[str, DeclType]) -> frozenset[str]:
    return frozenset(name for name in found.names.values() if name in declared)


def _plain(text: str) -> str:
    """The compiler's report in cel-go's form."""
    text = text.removeprefix("INVALID_ARGUMENT: ").removesuffix(" [INVALID_ARGUMENT]")
    text = _WELL_KNOWN.sub(lambda found: found[1].lower(), _IN_STRUCT.sub("", text))
    return _UNDECLARED.sub(_first_name, text)


def _first_name(found: re.Match[str]) -> str:
    """It is the first of several names that is not known, and there the error is."""
    head, column, words, name, rest, shown, _ = found.groups()
    start = int(column) - len(name) - len(rest)
    if start < 1:
        return found[0]
    return f"{head}{start}{words}{name}{shown}{'.' * (start - 1)}^"
