"""EscalationCheck: nobody grants through RBAC what they do not hold themselves.

The last of the mutating admission plugins (it changes nothing; Kubernetes checks at this point, too, behind
mutation and before validation), built by `kubeapi/server.py`. Members of system:masters and those who may
`escalate` (roles) or `bind` (bindings) are free. Mirrors `pkg/registry/rbac/*/policybased/storage.go`.
"""

from collections.abc import Sequence

from generic.admission.interface import Attributes
from generic.authorization.interface import AuthorizationAttributes, Authorizer, Decision
from generic.authorization.rbac import RBACAuthorizer
from generic.authorization.rbac_index import RBACIndex
from generic.authorization.rbac_rules import PolicyRule, compile_rules
from generic.meta import errors
from generic.meta.go_text import quote
from generic.meta.gvk import GroupResource
from generic.request.user import PRIVILEGED_GROUP, UserInfo
from generic.types import JSONObject
from kubeapi.rbac import covering

GROUP = "rbac.authorization.k8s.io"
_ROLES = {"roles", "clusterroles"}
_BINDINGS = {"rolebindings", "clusterrolebindings"}
_EVERYTHING = compile_rules([
    {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]},
    {"verbs": ["*"], "nonResourceURLs": ["*"]},
])


class EscalationCheck:
    """`authorizer` decides on the verbs `escalate` and `bind`; `index` knows what users hold."""

    name = "RBACEscalationCheck"

    def __init__(self, index: RBACIndex, authorizer: Authorizer) -> None:
        self._index = index
        self._rbac = RBACAuthorizer(index)
        self._authorizer = authorizer

    def handles(self, attributes: Attributes) -> bool:
        return (
            attributes.resource.group == GROUP
            and attributes.operation in ("CREATE", "UPDATE")
            and (attributes.resource.resource in _ROLES or attributes.resource.resource in _BINDINGS)
        )

    async def admit(self, attributes: Attributes) -> None:
        """Raises StatusError 403, listing what is missing; 404 if the role to bind does not exist."""
        user, obj = attributes.request.user, attributes.object
        if user is None or PRIVILEGED_GROUP in user.groups or obj is None:
            return
        if attributes.resource.resource in _ROLES:
            await self._check_role(attributes, user, obj)
        else:
            await self._check_binding(attributes, user, obj)

    async def _check_role(self, attributes: Attributes, user: UserInfo, obj: JSONObject) -> None:
        old = attributes.old_object or {}
        same_rules = (obj.get("rules") or []) == (old.get("rules") or [])
        aggregation = obj.get("aggregationRule")
        same_aggregation = aggregation == old.get("aggregationRule")
        if attributes.old_object is not None and same_rules and same_aggregation:
            return
        if await self._may(user, "escalate", attributes.resource.resource, attributes.namespace, attributes.name):
            return
        problem = self._missing(user, attributes.namespace, compile_rules(obj.get("rules")))
        if problem:
            raise _forbidden(attributes, problem)
        if aggregation and not same_aggregation and self._missing(user, "", _EVERYTHING):
            raise _forbidden(attributes, "must have cluster-admin privileges to use the aggregationRule")

    async def _check_binding(self, attributes: Attributes, user: UserInfo, obj: JSONObject) -> None:
        old = attributes.old_object
        if old is not None and all((obj.get(key) or None) == (old.get(key) or None) for key in ("roleRef", "subjects")):
            return
        reference = obj.get("roleRef") or {}
        kind, name = reference.get("kind") or "", reference.get("name") or ""
        role_resource = "roles" if kind == "Role" else "clusterroles"
        if await self._may(user, "bind", role_resource, attributes.namespace, name):
            return
        rules = self._index.role((attributes.namespace if kind == "Role" else "", name))
        if rules is None:
            raise errors.not_found(GroupResource(GROUP, role_resource), name)
        problem = self._missing(user, attributes.namespace, rules)
        if problem:
            raise _forbidden(attributes, problem)

    async def _may(self, user: UserInfo, verb: str, resource: str, namespace: str, name: str) -> bool:
        asked = AuthorizationAttributes(
            user=user,
            verb=verb,
            is_resource_request=True,
            group=GROUP,
            version="*",
            resource=resource,
            namespace=namespace,
            name=name,
        )
        return (await self._authorizer.authorize(asked)).decision is Decision.ALLOW

    def _missing(self, user: UserInfo, namespace: str, wanted: Sequence[PolicyRule]) -> str:
        held = self._rbac.rules_for(user, namespace)
        try:
            lacking = covering.missing(held.rules, wanted)
        except covering.TooMany:
            return f"user {quote(user.name)} is attempting to grant more RBAC permissions than can be compared"
        if not lacking:
            return ""
        text = (
            f"user {quote(user.name)} (groups={covering.listed(user.groups)}) is attempting to grant RBAC permissions "
            "not currently held:\n" + "\n".join(covering.described(lacking))
        )
        if held.errors:
            text += f"; resolution errors: [{', '.join(held.errors)}]"
        return text


def _forbidden(attributes: Attributes, why: str) -> errors.StatusError:
    return errors.forbidden(attributes.resource.group_resource, attributes.name, why)
