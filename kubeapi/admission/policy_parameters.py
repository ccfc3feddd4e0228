"""PolicyParameterCheck: nobody reads through a policy's parameters what they may not read themselves.

Among the validating admission plugins, for it changes nothing, right behind the other validation, where Kubernetes has
it. Built by `policies.py`. Mirrors `pkg/registry/admissionregistration/*/authz.go`.
"""

from collections.abc import Mapping

from generic.admission.interface import Attributes
from generic.admission.policy.params import ConfigurationError, ParamReader
from generic.authorization.interface import AuthorizationAttributes, Authorizer, Decision
from generic.meta import errors, fields
from generic.meta.gvk import GroupVersion
from generic.request.user import PRIVILEGED_GROUP, UserInfo
from generic.types import JSONObject
from kubeapi.admission.reading import Reader

_GROUP = "admissionregistration.k8s.io"
_POLICIES = frozenset({"mutatingadmissionpolicies", "validatingadmissionpolicies"})
_OF_BINDINGS = {
    "mutatingadmissionpolicybindings": "mutatingadmissionpolicies",
    "validatingadmissionpolicybindings": "validatingadmissionpolicies",
}


class PolicyParameterCheck:
    """`policies`: by the plural names of their resources. Members of system:masters are free."""

    name = "PolicyParameterCheck"

    def __init__(self, authorizer: Authorizer, params: ParamReader, policies: Mapping[str, Reader]) -> None:
        self._authorizer = authorizer
        self._params = params
        self._policies = policies

    def handles(self, attributes: Attributes) -> bool:
        resource = attributes.resource
        return (
            resource.group == _GROUP
            and not attributes.subresource
            and attributes.operation in ("CREATE", "UPDATE")
            and (resource.resource in _POLICIES or resource.resource in _OF_BINDINGS)
        )

    async def validate(self, attributes: Attributes) -> None:
        """Raises StatusError 422."""
        user, obj = attributes.request.user, attributes.object
        if user is None or PRIVILEGED_GROUP in user.groups or obj is None:
            return
        spec, old = obj["spec"], (attributes.old_object or {}).get("spec") or {}
        if attributes.resource.resource in _POLICIES:
            path, why = "spec.paramKind", await self._policy_problem(user, spec, old)
        else:
            path, why = "spec.paramRef", await self._binding_problem(user, spec, old, attributes.resource.resource)
        if why:
            raise errors.invalid(attributes.kind.group_kind, attributes.name, [fields.forbidden(path, why)])

    async def _policy_problem(self, user: UserInfo, spec: JSONObject, old: JSONObject) -> str:
        kind = spec.get("paramKind")
        if kind is None or kind == old.get("paramKind"):
            return ""
        asked, _ = await self._question(user, kind, "get", name="*", namespace="*")
        if await self._may(asked):
            return ""
        return (
            f'user {_shown(user)} must have "get" permission on all objects of the referenced paramKind '
            f"(kind={kind['kind']}, apiVersion={kind['apiVersion']})"
        )

    async def _binding_problem(self, user: UserInfo, spec: JSONObject, old: JSONObject, plural: str) -> str:
        ref = spec.get("paramRef")
        if ref is None or (ref == old.get("paramRef") and spec["policyName"] == old.get("policyName")):
            return ""
        verb = "get" if ref.get("name") else "list"
        policy = await self._policies[_OF_BINDINGS[plural]].get("", spec["policyName"])
        kind = None if policy is None else policy.decoded()["spec"].get("paramKind")
        asked, is_known = await self._question(
            user, kind, verb, name=ref.get("name") or "", namespace=ref.get("namespace") or ""
        )
        if await self._may(asked):
            return ""
        lacking = f'user {_shown(user)} does not have "{verb}" permission'
        unknown = f"to determine minimum required permissions and {lacking} for all groups, versions and resources"
        if policy is None:
            return f"unable to get policy {spec['policyName']} {unknown}"
        if not is_known and kind is not None:
            shown = f"&ParamKind{{APIVersion:{kind['apiVersion']},Kind:{kind['kind']},}}"
            return f"unable to resolve paramKind {shown} {unknown}"
        return f"{lacking} on the object referenced by paramRef"

    async def _question(
        self, user: UserInfo, kind: JSONObject | None, verb: str, *, name: str, namespace: str
    ) -> tuple[AuthorizationAttributes, bool]:
        """What the user would have to be allowed, and whether it is known which resource the parameters are."""
        group, version, resource, is_known = "*", "*", "*", False
        if kind is not None:
            group, version = GroupVersion.parse(kind["apiVersion"])
            try:
                resource, is_known = (await self._params.kind(kind)).resource.resource, True
            except ConfigurationError:
                # Nobody serves it yet: then it takes the right to everything in the group.
                resource = "*"
        asked = AuthorizationAttributes(
            user=user,
            verb=verb,
            is_resource_request=True,
            group=group,
            version=version,
            resource=resource,
            namespace=namespace,
            name=name,
        )
        return asked, is_known

    async def _may(self, asked: AuthorizationAttributes) -> bool:
        return (await self._authorizer.authorize(asked)).decision is Decision.ALLOW


def _shown(user: UserInfo) -> str:
    """As Go prints a user."""
    extra = " ".join(f"{key}:[{' '.join(values)}]" for key, values in sorted(user.extra.items()))
    return f"&{{{user.name} {user.uid} [{' '.join(user.groups)}] map[{extra}]}}"
