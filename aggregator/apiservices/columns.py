"""The columns of `kubectl get apiservices`. Mirrors `kube-aggregator/pkg/registry/apiservice/etcd/etcd.go`."""

from typing import Any

from aggregator.apiservices import conditions
from generic.meta.tables import AGE_COLUMN, NAME_COLUMN, Column
from generic.types import JSONObject


def _service(obj: JSONObject) -> Any:
    service = (obj.get("spec") or {}).get("service")
    return "Local" if service is None else f"{service.get('namespace', '')}/{service.get('name', '')}"


def _available(obj: JSONObject) -> Any:
    held = conditions.find(obj)
    if held is None:
        return "Unknown"
    status, reason = held.get("status") or "", held.get("reason") or ""
    return f"{status} ({reason})" if reason and status != "True" else status


COLUMNS = (
    NAME_COLUMN,
    Column(
        "Service",
        "string",
        description="The reference to the service that hosts this API endpoint.",
        getter=_service,
    ),
    Column("Available", "string", description="Whether this service is available.", getter=_available),
    AGE_COLUMN,
)
