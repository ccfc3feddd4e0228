"""Decorators that make methods of a Resource class columns and subresources, and how they are found again.

Used by AA authors; read by `definition.py`'s users: `columns.py` and `subresources.py`. A decorated method stays the
method it was.
"""

import inspect
import typing
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from pydantic import BaseModel

from trikube.aa.definition import DefinitionError

Verb = Literal["get", "update", "create"]

_F = TypeVar("_F", bound=Callable[..., Any])
_MARKS = "__aa_marks__"
_RESERVED = ("status", "scale")


@dataclass(frozen=True, slots=True)
class ColumnMark:
    """The method's result is a cell of `kubectl get`."""

    name: str
    type: str
    description: str
    priority: int


@dataclass(frozen=True, slots=True)
class ActionMark:
    """The method answers one verb of a subresource."""

    subresource: str
    verb: Verb


@dataclass(frozen=True, slots=True)
class ConnectMark:
    """The method takes the connections of a subresource over."""

    subresource: str
    methods: tuple[str, ...]


def column(name: str, *, type: str = "string", description: str = "", priority: int = 0) -> Callable[[_F], _F]:
    """`@aa.column("Age in cat years", type="integer")` over a method without arguments, plain and quick."""
    return _marking(ColumnMark(name, type, description, priority))


def subresource(name: str, verb: Verb = "create") -> Callable[[_F], _F]:
    """`@aa.subresource("feed")` over a method: one verb of a subresource that speaks a kind of its own.

    get: `(self, ctx) -> Kind`. update and create: `(self, ctx, body: Kind)`; what they change in `self` is stored, and
    they may run again on a newer object if somebody else was faster. An update (PUT and PATCH) needs a get. What a
    create returns is the answer; None stands for the object itself. `Kind` is an `aa.Model`.
    """
    return _marking(ActionMark(name, verb))


def connect(name: str, methods: Sequence[str] = ("GET",)) -> Callable[[_F], _F]:
    """`@aa.connect("log")` over `async def log(self, ctx, connection: aa.Connection)`: streams, WebSockets."""
    return _marking(ConnectMark(name, tuple(methods)))


Mark = ColumnMark | ActionMark | ConnectMark


def _marking(mark: Mark) -> Callable[[_F], _F]:
    def keep(function: _F) -> _F:
        setattr(function, _MARKS, (*getattr(function, _MARKS, ()), mark))
        return function

    return keep


def marks(cls: type) -> Iterator[tuple[Mark, Callable[..., Any]]]:
    """Every marked method of a class and its bases, the nearest of each name, in the order they were written."""
    seen: dict[str, Callable[..., Any]] = {}
    for base in reversed(cls.__mro__):
        seen |= {name: value for name, value in vars(base).items() if callable(value) and hasattr(value, _MARKS)}
    for function in seen.values():
        for mark in getattr(function, _MARKS):
            yield mark, function


def check(cls: type) -> None:
    """Raises DefinitionError on a mark that cannot be served."""
    kinds: dict[str, type] = {}
    verbs: dict[str, set[str]] = {}
    for mark, function in marks(cls):
        where = f"{cls.__name__}.{function.__name__}"
        if isinstance(mark, ColumnMark):
            if inspect.iscoroutinefunction(function):
                raise DefinitionError(f"{where}: a column is a plain method, it is read for each row")
            continue
        if mark.subresource in _RESERVED:
            raise DefinitionError(f"{where}: subresource {mark.subresource!r} is made by subresources=, not by hand")
        taken = verbs.setdefault(mark.subresource, set())
        for verb in mark.methods if isinstance(mark, ConnectMark) else (mark.verb,):
            if verb in taken:
                raise DefinitionError(f"{where}: {verb} of subresource {mark.subresource!r} is there already")
            taken.add(verb)
        if isinstance(mark, ActionMark):
            kind = body_of(function, mark, where)
            if kinds.setdefault(mark.subresource, kind) is not kind:
                raise DefinitionError(f"{where}: subresource {mark.subresource!r} speaks one kind, not two")
        elif not inspect.iscoroutinefunction(function):
            raise DefinitionError(f"{where}: what takes a connection over is an async method")
    for name, taken in verbs.items():
        if "update" in taken and "get" not in taken:
            raise DefinitionError(f"{cls.__name__}: subresource {name!r} has an update but no get")


def is_async(function: Callable[..., Any]) -> bool:
    """Whether a hook has to be awaited."""
    return inspect.iscoroutinefunction(function)


def body_of(function: Callable[..., Any], mark: ActionMark, where: str = "") -> type[BaseModel]:
    """The model a subresource speaks, from the annotations of its method. Raises DefinitionError."""
    try:
        hints = typing.get_type_hints(function)
    except Exception as error:
        raise DefinitionError(f"{where}: its annotations cannot be read: {error}") from None
    taken = hints.get("return")
    if mark.verb != "get":
        parameters = list(inspect.signature(function).parameters)
        taken = hints.get(parameters[2]) if len(parameters) == 3 else None
    if not isinstance(taken, type) or not issubclass(taken, BaseModel):
        wanted = "(self, ctx) -> Kind" if mark.verb == "get" else "(self, ctx, body: Kind)"
        raise DefinitionError(f"{where}: a {mark.verb} is {wanted}, where Kind is an aa.Model")
    return taken
