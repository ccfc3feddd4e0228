"""MatchConditions: the expressions that decide whether a webhook is asked about a write its rules match.

Made by `configurations.py`, asked by `calling.py`; expressions are those of policies. Mirrors
`apiserver/pkg/admission/plugin/webhook/matchconditions/matcher.go`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from generic.admission.cel import evaluating, expressions
from generic.admission.cel.authorizing import Decisions
from generic.admission.cel.evaluating import Inputs
from generic.admission.cel.expressions import Expression, ExpressionCompiler
from generic.admission.webhook.review import Seen
from generic.authorization.interface import Authorizer
from generic.meta import errors
from generic.request.user import LOOPBACK_USER
from generic.types import JSONObject


@dataclass(frozen=True, slots=True)
class MatchConditions:
    """All of them must hold. `ignore_failures`: a write they cannot judge passes the webhook by."""

    conditions: tuple[Expression, ...]
    ignore_failures: bool

    @classmethod
    def of(cls, conditions: Sequence[JSONObject], *, ignore_failures: bool) -> Self:
        compiler = ExpressionCompiler()
        made = (compiler.compile(each["expression"], expressions.CONDITION, name=each["name"]) for each in conditions)
        return cls(tuple(made), ignore_failures)

    async def hold(self, seen: Seen, authorizer: Authorizer) -> bool:
        """Raises StatusError, 403, where some fail and none is false."""
        attributes = seen.attributes
        decisions = Decisions(authorizer, attributes.request.user or LOOPBACK_USER)
        inputs = Inputs(attributes, seen.match, decisions, object=seen.object, old_object=seen.old_object)
        found = await decisions.run(lambda: evaluating.conditions(self.conditions, inputs))
        if found.errors and not self.ignore_failures:
            raise errors.forbidden(attributes.resource.group_resource, attributes.name, found.error)
        return found.hold
