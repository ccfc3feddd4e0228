"""Groups that may do everything. Mirrors `apiserver/pkg/authorization/authorizerfactory/builtin.go`."""

from collections.abc import Iterable

from generic.authorization.interface import AuthorizationAttributes, Decision, Verdict
from generic.request.user import PRIVILEGED_GROUP

_ALLOW = Verdict(Decision.ALLOW)
_NO_OPINION = Verdict(Decision.NO_OPINION)


class PrivilegedGroups:
    """Allows members of the groups everything, whatever the rest of authorization says or however it is broken."""

    def __init__(self, groups: Iterable[str] = (PRIVILEGED_GROUP,)) -> None:
        self._groups = frozenset(groups)

    async def authorize(self, attributes: AuthorizationAttributes) -> Verdict:
        return _NO_OPINION if self._groups.isdisjoint(attributes.user.groups) else _ALLOW
