"""The kinds of admissionregistration.k8s.io/v1. Mirrors `pkg/registry/admissionregistration/rest`."""

from functools import partial

from generic.meta.gvk import GroupVersion
from kubeapi.resources.columns import policy as columns
from kubeapi.resources.kinds import STATUS, BuiltinKind
from kubeapi.resources.strategies import platform as strategies

_kind = partial(
    BuiltinKind,
    GroupVersion("admissionregistration.k8s.io", "v1"),
    namespaced=False,
    categories=("api-extensions",),
)

KINDS: tuple[BuiltinKind, ...] = (
    _kind(
        "MutatingAdmissionPolicy",
        "mutatingadmissionpolicies",
        strategy=strategies.MUTATING_POLICY,
        columns=columns.MUTATING_ADMISSION_POLICY,
    ),
    _kind(
        "MutatingAdmissionPolicyBinding",
        "mutatingadmissionpolicybindings",
        strategy=strategies.POLICY_BINDING,
        columns=columns.ADMISSION_POLICY_BINDING,
    ),
    _kind(
        "MutatingWebhookConfiguration",
        "mutatingwebhookconfigurations",
        strategy=strategies.MUTATING_WEBHOOKS,
        columns=columns.WEBHOOKS,
    ),
    _kind(
        "ValidatingAdmissionPolicy",
        "validatingadmissionpolicies",
        strategy=strategies.VALIDATING_POLICY,
        columns=columns.VALIDATING_ADMISSION_POLICY,
        subresources=STATUS,
    ),
    _kind(
        "ValidatingAdmissionPolicyBinding",
        "validatingadmissionpolicybindings",
        strategy=strategies.VALIDATING_BINDING,
        columns=columns.ADMISSION_POLICY_BINDING,
    ),
    _kind(
        "ValidatingWebhookConfiguration",
        "validatingwebhookconfigurations",
        strategy=strategies.VALIDATING_WEBHOOKS,
        columns=columns.WEBHOOKS,
    ),
)
