"""The kinds of the newest Kubernetes that are no line in our tables, each with the reason.

Read by the completeness test: a kind is served or it stands here. Nothing is left out silently.
"""

from collections.abc import Mapping

from generic.meta.gvk import GroupVersion

_CORE = GroupVersion("", "v1")
_AUTHENTICATION = GroupVersion("authentication.k8s.io", "v1")
_AUTHORIZATION = GroupVersion("authorization.k8s.io", "v1")
_REVIEW = "a review: created and answered, never stored (kubeapi/reviews.py)"
_ABOUT_THE_API = "what the API says about itself, not a resource"

UNSERVED: Mapping[tuple[GroupVersion, str], str] = {
    (_CORE, "APIGroup"): _ABOUT_THE_API,
    (_CORE, "APIResourceList"): _ABOUT_THE_API,
    (_CORE, "APIVersions"): _ABOUT_THE_API,
    (_CORE, "Status"): _ABOUT_THE_API,
    (_CORE, "Binding"): "what pods/binding and bindings take, never stored (kubeapi/resources/binding_storage.py)",
    (_CORE, "ComponentStatus"): "deprecated since 1.19; asks the health of components that are not part of this chain",
    (GroupVersion("policy", "v1"), "Eviction"): "what pods/eviction takes",
    (GroupVersion("autoscaling", "v1"), "Scale"): "what the scale subresources speak",
    (_AUTHENTICATION, "TokenRequest"): "what serviceaccounts/token takes",
    (_AUTHENTICATION, "TokenReview"): _REVIEW,
    (_AUTHENTICATION, "SelfSubjectReview"): _REVIEW,
    (_AUTHORIZATION, "LocalSubjectAccessReview"): _REVIEW,
    (_AUTHORIZATION, "SelfSubjectAccessReview"): _REVIEW,
    (_AUTHORIZATION, "SelfSubjectRulesReview"): _REVIEW,
    (_AUTHORIZATION, "SubjectAccessReview"): _REVIEW,
    (GroupVersion("apiextensions.k8s.io", "v1"), "CustomResourceDefinition"): "owned by the APIExtensionsServer",
    (GroupVersion("apiregistration.k8s.io", "v1"), "APIService"): "owned by the AggregatorServer",
}
