"""Compiles the rules of one part of a schema.

Called by `tree.py` for objects that are written, and by the validation of definitions, which also wants the costs.
Mirrors `apiextensions-apiserver/pkg/apiserver/schema/cel/compilation.go`.
"""

from dataclasses import dataclass
from functools import cached_property

from extensions.rules import field_path
from generic.schema.cel import schema_types
from generic.schema.cel.environment import CelEnvironment, CelProgram
from generic.schema.cel.errors import CompileError
from generic.schema.cel.types import DeclType
from generic.types import JSONObject

RULES = "x-kubernetes-validations"
SELF, OLD_SELF = "self", "oldSelf"


@dataclass(frozen=True, slots=True)
class Compiled:
    """A rule as far as it compiles; the texts say what is wrong with the rest."""

    rule: JSONObject
    program: CelProgram | None = None
    error: str = ""
    message: CelProgram | None = None
    message_error: str = ""
    path: str = ""

    @property
    def uses_old_self(self) -> bool:
        return self.program is not None and OLD_SELF in self.program.used

    @property
    def optional_old_self(self) -> bool:
        return bool(self.rule.get("optionalOldSelf"))


class RuleCompiler:
    """Compiles the rules of one part. `resource_root`: the part is a whole object."""

    def __init__(self, schema: JSONObject, *, resource_root: bool) -> None:
        self.schema = schema
        self.declared = schema_types.of_schema(schema, resource_root=resource_root)

    @cached_property
    def environment(self) -> CelEnvironment:
        """Where oldSelf is a value like self."""
        return CelEnvironment({SELF: self._type, OLD_SELF: self._type})

    @cached_property
    def _optional_environment(self) -> CelEnvironment:
        return CelEnvironment({SELF: self._type, OLD_SELF: DeclType("optional", element=self._type)})

    @property
    def _type(self) -> DeclType:
        assert self.declared is not None, "validation refuses rules on what has no type"
        return self.declared

    def environment_of(self, rule: JSONObject) -> CelEnvironment:
        return self._optional_environment if rule.get("optionalOldSelf") else self.environment

    def compile(self, rule: JSONObject) -> Compiled:
        """Never raises: what does not compile is told."""
        text, message_text = rule.get("rule") or "", rule.get("messageExpression") or ""
        if not text.strip():
            return Compiled(rule)
        program, error = _compile(self.environment_of(rule), text, failed="compilation failed: ")
        if program is not None and program.result_type.kind != "bool":
            program, error = None, "cel expression must evaluate to a bool"
        message, message_error = None, ""
        if message_text.strip() and program is not None:
            message, message_error = _compile(
                self.environment_of(rule), message_text, failed="messageExpression compilation failed: "
            )
            if message is not None and message.result_type.kind != "string":
                message, message_error = None, "messageExpression must evaluate to a string"
        return Compiled(rule, program, error, message, message_error, self._path(rule))

    def _path(self, rule: JSONObject) -> str:
        path = (rule.get("fieldPath") or "").strip()
        try:
            return field_path.normalize(path, self.schema) if path else ""
        except field_path.PathError:
            return ""


def _compile(environment: CelEnvironment, text: str, *, failed: str) -> tuple[CelProgram | None, str]:
    try:
        return environment.compile(text), ""
    except CompileError as error:
        return None, f"{failed}{error}"
