"""RBACIndex: roles by name and bindings by subject, kept so that a decision reads only what concerns its user.

Fed by `kubeapi.rbac` from the four RBAC resources, first as they are and then change by change; read by
`rbac.RBACAuthorizer`. Mirrors `pkg/registry/rbac/validation/rule.go`, with an index where Kubernetes
walks all bindings.
"""

from collections.abc import Iterator
from typing import NamedTuple

from generic.authorization.rbac_rules import PolicyRule, compile_rules
from generic.request.user import UserInfo
from generic.types import JSONObject

_SERVICE_ACCOUNT = "system:serviceaccount:"

RoleKey = tuple[str, str]
"""Namespace and name; the namespace of a ClusterRole is empty."""


class Grant(NamedTuple):
    """A binding as it concerns one of its subjects. `because` tells people where a permission comes from."""

    role_kind: str
    role: RoleKey
    because: str


class RBACIndex:
    """The RBAC objects of the cluster, compiled."""

    def __init__(self) -> None:
        self._roles: dict[RoleKey, tuple[PolicyRule, ...]] = {}
        # Subject ("User:bob", "Group:dev") to namespace ("" is the cluster) to binding name to grants.
        self._grants: dict[str, dict[str, dict[str, tuple[Grant, ...]]]] = {}
        self._subjects: dict[tuple[str, str], list[str]] = {}

    # Feeding. `obj` is the object as JSON; kinds are Role, ClusterRole, RoleBinding, ClusterRoleBinding.

    def put(self, obj: JSONObject) -> None:
        """Take in a new or changed object. Raises ValueError on a kind that is not RBAC's."""
        kind, metadata = obj["kind"], obj["metadata"]
        key = (metadata.get("namespace", ""), metadata["name"])
        if kind in ("Role", "ClusterRole"):
            self._roles[key] = compile_rules(obj.get("rules"))
        elif kind in ("RoleBinding", "ClusterRoleBinding"):
            self._unbind(key)
            self._bind(key, obj)
        else:
            raise ValueError(f"{kind} is not a kind of RBAC")

    def remove(self, kind: str, namespace: str, name: str) -> None:
        """Forget an object; nothing happens if it is unknown."""
        if kind in ("Role", "ClusterRole"):
            self._roles.pop((namespace, name), None)
        else:
            self._unbind((namespace, name))

    def clear(self) -> None:
        """Forget everything, before everything is put again."""
        self._roles.clear()
        self._grants.clear()
        self._subjects.clear()

    def _bind(self, key: RoleKey, obj: JSONObject) -> None:
        namespace, name = key
        reference = obj["roleRef"]
        role = (namespace if reference["kind"] == "Role" else "", reference["name"])
        found: dict[str, list[Grant]] = {}
        for subject in obj.get("subjects") or ():
            subject_key = _subject_key(subject, namespace)
            if subject_key:
                grant = Grant(reference["kind"], role, _because(key, reference, subject))
                found.setdefault(subject_key, []).append(grant)
        for subject_key, grants in found.items():
            self._grants.setdefault(subject_key, {}).setdefault(namespace, {})[name] = tuple(grants)
        self._subjects[key] = list(found)

    def _unbind(self, key: RoleKey) -> None:
        namespace, name = key
        for subject in self._subjects.pop(key, ()):
            of_subject = self._grants[subject]
            del of_subject[namespace][name]
            if not of_subject[namespace]:
                del of_subject[namespace]
            if not of_subject:
                del self._grants[subject]

    # Reading.

    def role(self, key: RoleKey) -> tuple[PolicyRule, ...] | None:
        """The rules of a role; None if there is no such role."""
        return self._roles.get(key)

    def grants(self, user: UserInfo, namespace: str) -> Iterator[Grant]:
        """What binds the user: cluster-wide first, then in the namespace, if one is given."""
        held = self._grants
        of_user = [found for found in map(held.get, _keys(user)) if found is not None]
        for scope in ("", namespace) if namespace else ("",):
            for by_namespace in of_user:
                bindings = by_namespace.get(scope)
                if bindings is not None:
                    for grants in bindings.values():
                        yield from grants


def _keys(user: UserInfo) -> Iterator[str]:
    yield f"User:{user.name}"
    for group in user.groups:
        yield f"Group:{group}"


def _subject_key(subject: JSONObject, binding_namespace: str) -> str:
    """How `_keys` names the subject; empty for one that can be nobody."""
    if subject["kind"] == "ServiceAccount":
        # An account is a user of a name of its own; without a namespace the binding's is meant.
        namespace = subject.get("namespace") or binding_namespace
        return f"User:{_SERVICE_ACCOUNT}{namespace}:{subject['name']}" if namespace else ""
    return f"{subject['kind']}:{subject['name']}"


def _because(key: RoleKey, reference: JSONObject, subject: JSONObject) -> str:
    namespace, name = key
    who = subject["name"]
    if subject["kind"] == "ServiceAccount":
        who = f"{who}/{subject.get('namespace') or namespace}"
    role = f'{reference["kind"]} "{reference["name"]}" to {subject["kind"]} "{who}"'
    if namespace:
        return f'RBAC: allowed by RoleBinding "{name}/{namespace}" of {role}'
    return f'RBAC: allowed by ClusterRoleBinding "{name}" of {role}'
