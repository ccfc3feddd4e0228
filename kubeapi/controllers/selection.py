"""Which controllers run: the `--controllers` flag of kube-controller-manager.

Parsed in `trikube/options.py`; asked by `kubeapi/server.py`. Mirrors IsControllerEnabled of
`k8s.io/controller-manager/app/helper.go` and the names in `cmd/kube-controller-manager/names`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

CLAIM_PROTECTION = "persistentvolumeclaim-protection-controller"
CLASS_PROTECTION = "volumeattributesclass-protection-controller"
CLUSTER_ROLE_AGGREGATION = "clusterrole-aggregation-controller"
GARBAGE_COLLECTOR = "garbage-collector-controller"
NAMESPACE = "namespace-controller"
RESOURCE_QUOTA = "resourcequota-controller"
ROOT_CA_PUBLISHER = "root-ca-certificate-publisher-controller"
SERVICE_ACCOUNT = "serviceaccount-controller"
SERVICE_ACCOUNT_TOKEN = "serviceaccount-token-controller"
VOLUME_PROTECTION = "persistentvolume-protection-controller"
VALIDATING_ADMISSION_POLICY_STATUS = "validatingadmissionpolicy-status-controller"

ALIASES: Mapping[str, str] = {
    "clusterrole-aggregation": CLUSTER_ROLE_AGGREGATION,
    "garbagecollector": GARBAGE_COLLECTOR,
    "namespace": NAMESPACE,
    "pv-protection": VOLUME_PROTECTION,
    "pvc-protection": CLAIM_PROTECTION,
    "resourcequota": RESOURCE_QUOTA,
    "root-ca-cert-publisher": ROOT_CA_PUBLISHER,
    "serviceaccount": SERVICE_ACCOUNT,
    "serviceaccount-token": SERVICE_ACCOUNT_TOKEN,
    "volumeattributesclass-protection": CLASS_PROTECTION,
    "validatingadmissionpolicy-status": VALIDATING_ADMISSION_POLICY_STATUS,
}
"""The names of old, which still do."""

ALL = "*"


@dataclass(frozen=True, slots=True)
class ControllerSelection:
    """`*` is all, `foo` that one, `-foo` all but that one; the first to name a controller counts."""

    wanted: tuple[str, ...] = (ALL,)

    @classmethod
    def parse(cls, given: Sequence[str]) -> "ControllerSelection":
        """Raises ValueError for a name that is none of ours."""
        wanted = []
        for asked in given:
            name = asked.removeprefix("-")
            proper = ALIASES.get(name, name)
            if proper not in (*ALIASES.values(), ALL) or asked == f"-{ALL}":
                raise ValueError(f'"{name}" is not in the list of known controllers')
            wanted.append(f"-{proper}" if asked.startswith("-") else proper)
        return cls(tuple(wanted))

    def runs(self, name: str) -> bool:
        """Whether the controller of that (new) name is to run."""
        for wanted in self.wanted:
            if wanted.removeprefix("-") == name:
                return wanted == name
        return ALL in self.wanted
