"""Authorizers in order. Mirrors `apiserver/pkg/authorization/union/union.go`."""

from collections.abc import Sequence

from generic.authorization.interface import AuthorizationAttributes, Authorizer, Decision, Verdict
from generic.meta import errors
from generic.meta.errors import StatusError


class UnionAuthorizer:
    """The first Allow or Deny wins. One that errs is passed over; its error counts only if nobody else decides."""

    def __init__(self, authorizers: Sequence[Authorizer]) -> None:
        self._authorizers = authorizers

    async def authorize(self, attributes: AuthorizationAttributes) -> Verdict:
        """Raises StatusError (500) if an authorizer erred and none allowed or denied."""
        reasons: list[str] = []
        failures: list[str] = []
        for authorizer in self._authorizers:
            try:
                verdict = await authorizer.authorize(attributes)
            except StatusError as error:
                failures.append(error.message)
                continue
            if verdict.decision is not Decision.NO_OPINION:
                return verdict
            if verdict.reason:
                reasons.append(verdict.reason)
        if failures:
            message = failures[0] if len(failures) == 1 else f"[{', '.join(failures)}]"
            raise errors.StatusError(500, "InternalError", message)
        return Verdict(Decision.NO_OPINION, "\n".join(reasons))
