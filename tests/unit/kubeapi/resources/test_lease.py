"""Leases as client-go's leader election writes them."""

from kubeapi.resources.validation import platform


def test_a_lease_may_be_given_up() -> None:
    assert platform.lease({"spec": {"holderIdentity": "", "leaseDurationSeconds": 1, "leaseTransitions": 1}}) == []


def test_a_lease_lasts_for_some_time_and_counts_its_holders() -> None:
    found = platform.lease({"spec": {"leaseDurationSeconds": 0, "leaseTransitions": -1}})
    assert [(error.field, error.detail) for error in found] == [
        ("spec.leaseDurationSeconds", "must be greater than 0"),
        ("spec.leaseTransitions", "must be greater than or equal to 0"),
    ]
