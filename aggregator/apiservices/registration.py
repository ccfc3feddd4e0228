"""Registration: one APIService as routing, the proxy and discovery read it.

Made from the object once, by `routes.py`; compared by value, so that a new one that says the same changes nothing.
"""

from dataclasses import dataclass

from aggregator.apiservices import conditions
from aggregator.apiservices.strategy import DEFAULT_PORT
from generic.client.resolving import ServiceReference
from generic.meta.gvk import GroupVersion
from generic.types import JSONObject

LEGACY_NAME = "v1."
"""The APIService of the core group: it stands for all of `/api`."""


@dataclass(frozen=True, slots=True)
class Registration:
    """What an APIService says, and whether it is available. Without a service it is local."""

    name: str
    group_version: GroupVersion
    group_priority: int
    version_priority: int
    service: ServiceReference | None = None
    ca_bundle: str = ""
    """PEM in base64; empty: the system's roots."""
    insecure: bool = False
    available: bool = False

    @classmethod
    def of(cls, apiservice: JSONObject) -> "Registration":
        """Read a stored, hence valid, APIService."""
        spec = apiservice.get("spec") or {}
        service = spec.get("service")
        reference = None
        if service is not None:
            port = service.get("port") or DEFAULT_PORT
            reference = ServiceReference(service.get("namespace") or "", service.get("name") or "", port)
        return cls(
            name=apiservice["metadata"]["name"],
            group_version=GroupVersion(spec.get("group") or "", spec.get("version") or ""),
            group_priority=spec.get("groupPriorityMinimum") or 0,
            version_priority=spec.get("versionPriority") or 0,
            service=reference,
            ca_bundle=spec.get("caBundle") or "",
            insecure=bool(spec.get("insecureSkipTLSVerify")),
            available=conditions.is_available(apiservice),
        )

    @property
    def path(self) -> str:
        """Everything at and below this path is routed by it."""
        return "/api" if self.name == LEGACY_NAME else self.group_version.path

    @property
    def discovery_path(self) -> str:
        """What a server of this group-version must answer."""
        return self.group_version.path


def name_of(group_version: GroupVersion) -> str:
    """The name an APIService for it has to have."""
    return f"{group_version.version}.{group_version.group}"
