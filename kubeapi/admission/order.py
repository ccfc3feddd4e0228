"""The order in which admission plugins run, and which of them do. One place for all.

Called by `build.py`, which makes the plugins, and by `options.py`. A new plugin needs its name here. Mirrors
AllOrderedPlugins and DefaultOffAdmissionPlugins of `pkg/kubeapiserver/options/plugins.go`.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from generic.admission.interface import AdmissionPlugin

DEFAULT_ON = (
    "NamespaceLifecycle",
    "LimitRanger",
    "ServiceAccount",
    "TaintNodesByCondition",
    "PodSecurity",
    "Priority",
    "DefaultTolerationSeconds",
    "DefaultStorageClass",
    "StorageObjectInUseProtection",
    "PersistentVolumeClaimResize",
    "RuntimeClass",
    "CertificateApproval",
    "CertificateSigning",
    "ClusterTrustBundleAttest",
    "CertificateSubjectRestriction",
    "DefaultIngressClass",
    "PodTopologyLabels",
    "PodResizeValidator",
    # What others wrote comes last, and quotas behind it: what is refused is not charged.
    "MutatingAdmissionPolicy",
    "MutatingAdmissionWebhook",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionWebhook",
    "ResourceQuota",
)
"""All the plugins there are here, in their order. Which of them are named in a flag, and how, does not change it."""

ABSENT = frozenset({
    "AlwaysAdmit",
    "AlwaysDeny",
    "AlwaysPullImages",
    "DenyServiceExternalIPs",
    "EventRateLimit",
    "ExtendedResourceToleration",
    "ImagePolicyWebhook",
    "LimitPodHardAntiAffinityTopology",
    "NamespaceAutoProvision",
    "NamespaceExists",
    "NodeDeclaredFeatureValidator",
    "NodeRestriction",
    "OwnerReferencesPermissionEnforcement",
    "PodGroupProtection",
    "PodNodeSelector",
    "PodTolerationRestriction",
})
"""Plugins of kube-apiserver that are not here: to turn one off is nothing, to turn it on an error."""


@dataclass(frozen=True, slots=True)
class PluginSelection:
    """Of the plugins that are on by default, which are off; `enabled` says it of others, of which there are none."""

    enabled: tuple[str, ...] = ()
    disabled: tuple[str, ...] = ()

    def check(self) -> None:
        """Raises ValueError, in kube-apiserver's words where it has any."""
        for flag, names in (("enable", self.enabled), ("disable", self.disabled)):
            for name in names:
                if name not in DEFAULT_ON and name not in ABSENT:
                    raise ValueError(f'{flag}-admission-plugins plugin "{name}" is unknown')
        both = sorted({*self.enabled} & {*self.disabled})
        if both:
            raise ValueError(f"[{' '.join(both)}] in enable-admission-plugins and disable-admission-plugins overlapped")
        for name in self.enabled:
            if name in ABSENT:
                raise ValueError(f'enable-admission-plugins plugin "{name}" is not implemented')

    def chain(self, plugins: Iterable[AdmissionPlugin]) -> list[AdmissionPlugin]:
        """Those that run, in order. Raises KeyError for one whose name is not in the list."""
        place = {name: at for at, name in enumerate(DEFAULT_ON)}
        return sorted((found for found in plugins if found.name not in self.disabled), key=lambda p: place[p.name])
