"""Compiles the expressions of policies and match conditions.

Called by `compiled.py`, by the webhooks for their match conditions, and by the validation of all of them, which tells
the errors to whoever writes a policy. Mirrors `apiserver/pkg/admission/plugin/cel/{compile,composition}.go`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from generic.admission.cel import authorizing, variables
from generic.schema.cel.checked import Type
from generic.schema.cel.environment import CelEnvironment, CelProgram
from generic.schema.cel.errors import CompileError
from generic.schema.cel.types import BOOL, DOUBLE, DURATION, DYN, INT, STRING, TIMESTAMP, DeclType

Results = Sequence[str]
"""What an expression may evaluate to, as CEL calls the types; none: anything."""

CONDITION: Results = ("bool",)
MESSAGE: Results = ("string",)
ANNOTATION: Results = ("string", "null_type")
APPLY_CONFIGURATION: Results = ("Object",)
JSON_PATCH: Results = ("list(JSONPatch)",)
ANYTHING: Results = ()

_SCALARS = {
    "bool": BOOL,
    "int": INT,
    "double": DOUBLE,
    "string": STRING,
    "bytes": DeclType("bytes"),
    "timestamp": TIMESTAMP,
    "duration": DURATION,
}
_NAMES = {"null": "null_type", "message": ""}


@dataclass(frozen=True, slots=True)
class Expression:
    """What became of the text of an expression: a program, or words about why it is none."""

    source: str
    program: CelProgram | None = None
    error: str = ""
    name: str = ""
    """Of a match condition or a variable."""


class ExpressionCompiler:
    """Compiles the expressions of one policy, its variables first and in their order.

    `object_type` and `params_type` are more than DYN only where types are checked.
    """

    def __init__(
        self, *, params: bool = False, object_type: DeclType = DYN, params_type: DeclType = DYN, prefix: bool = True
    ) -> None:
        """`prefix`: errors of the compiler say that compilation failed."""
        self._params = params
        self._types = {variables.OBJECT: object_type, variables.OLD_OBJECT: object_type}
        if params:
            self._types[variables.PARAMS] = params_type
        self._is_typed = object_type is not DYN or params_type is not DYN
        self._prefix = "compilation failed: " if prefix else ""
        self._variables: dict[str, DeclType] = {}
        self._environments: dict[bool, CelEnvironment] = {}

    def _environment(self, *, authorizer: bool) -> CelEnvironment:
        """With the variables there are so far."""
        held = self._environments.get(authorizer)
        if held is None:
            if self._variables or self._is_typed:
                held = _environment(self._types, self._variables, authorizer=authorizer)
            else:
                held = _plain_environment(params=self._params, authorizer=authorizer)
            self._environments[authorizer] = held
        return held

    def variable(self, name: str, source: str) -> Expression:
        """Compile a variable; those that come after it can refer to it, also if it is broken."""
        made = self.compile(source, ANYTHING, name=name)
        self._variables[name] = _declared(made.program.result_type) if made.program is not None else DYN
        self._environments = {}
        return made

    def compile(self, source: str, results: Results, *, name: str = "", authorizer: bool = True) -> Expression:
        """Never raises: the error is told. `authorizer`: it may be asked."""
        return self._compiled(self._environment(authorizer=authorizer), source, results, name)

    def mutation(self, source: str, results: Results) -> Expression:
        """The same for an expression that may build objects."""
        return self._compiled(_environment(self._types, self._variables, literals=True), source, results, "")

    def _compiled(self, environment: CelEnvironment, source: str, results: Results, name: str) -> Expression:
        try:
            program = environment.compile(source)
        except CompileError as error:
            return Expression(source, None, f"{self._prefix}{error}", name)
        made = type_text(program.result_type)
        if results and made not in results:
            wanted = results[0] if len(results) == 1 else f"one of [{' '.join(results)}]"
            return Expression(source, None, f"must evaluate to {wanted} but got {made}", name)
        return Expression(source, program, "", name)


def _environment(
    types: Mapping[str, DeclType],
    composed: Mapping[str, DeclType],
    *,
    authorizer: bool = True,
    literals: bool = False,
) -> CelEnvironment:
    declared = {
        **types,
        variables.REQUEST: variables.REQUEST_TYPE,
        variables.NAMESPACE_OBJECT: variables.NAMESPACE_TYPE,
    }
    if authorizer:
        declared[variables.AUTHORIZER] = authorizing.AUTHORIZER
        declared[variables.REQUEST_RESOURCE] = authorizing.RESOURCE_CHECK
    if composed:
        declared[variables.VARIABLES] = DeclType("object", fields=dict(composed))
    return CelEnvironment(declared, libraries=[authorizing.LIBRARY], literals=literals)


@lru_cache(maxsize=4)
def _plain_environment(*, params: bool, authorizer: bool) -> CelEnvironment:
    """What most expressions are compiled in: nothing is known of the object, and no variables."""
    types = {variables.OBJECT: DYN, variables.OLD_OBJECT: DYN}
    return _environment(types | ({variables.PARAMS: DYN} if params else {}), {}, authorizer=authorizer)


def type_text(type: Type) -> str:
    """A type as CEL prints it."""
    name = type.name if type.kind == "message" else _NAMES.get(type.kind, type.kind)
    inside = ", ".join(map(type_text, type.parameters))
    return f"{name}({inside})" if inside else name


def _declared(made: Type) -> DeclType:
    """The type of a variable, from that of its expression; DYN for what no declaration can say."""
    if made.kind in _SCALARS:
        return _SCALARS[made.kind]
    if made.kind == "list":
        return DeclType("list", element=_declared(made.parameters[0]))
    if made.kind == "map" and made.parameters[0].kind == "string":
        return DeclType("map", element=_declared(made.parameters[1]))
    return DYN
