"""The controllers of a real kube-controller-manager find the rights they act with."""

from kubeapi.bootstrap import rbac_policy
from kubeapi.bootstrap.rbac_controllers import CONTROLLER_RULES


def test_each_controller_acts_as_a_service_account_of_its_own_bound_to_a_role_of_its_own() -> None:
    roles = {role["metadata"]["name"]: role for role in rbac_policy.CLUSTER_ROLES}
    bindings = {binding["metadata"]["name"]: binding for binding in rbac_policy.CLUSTER_ROLE_BINDINGS}
    assert len(CONTROLLER_RULES) == 41
    for name, rules in CONTROLLER_RULES.items():
        binding = bindings[f"system:controller:{name}"]
        assert roles[binding["roleRef"]["name"]]["rules"] == list(rules)
        assert binding["subjects"] == [{"kind": "ServiceAccount", "name": name, "namespace": "kube-system"}]


def test_the_leader_election_lock_is_a_lease() -> None:
    role = next(
        role for role in rbac_policy.ROLES if role["metadata"]["name"] == "system::leader-locking-kube-scheduler"
    )
    assert [rule["resources"] for rule in role["rules"]] == [["leases"], ["leasecandidates"]]


def test_no_default_role_or_binding_is_there_twice() -> None:
    for objects in (
        rbac_policy.CLUSTER_ROLES,
        rbac_policy.CLUSTER_ROLE_BINDINGS,
        rbac_policy.ROLES,
        rbac_policy.ROLE_BINDINGS,
    ):
        names = [(obj["metadata"].get("namespace"), obj["metadata"]["name"]) for obj in objects]
        assert len(set(names)) == len(names)
