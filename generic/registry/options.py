"""The options of each verb, parsed. Mirrors `apimachinery/pkg/apis/meta/v1` ListOptions and kin.

Made by `generic/endpoints/options.py` from query and body; read by REST storage.
"""

from dataclasses import dataclass, field
from typing import Literal

from generic.meta.selectors import FieldSelector, LabelSelector
from generic.types import JSONObject

FieldValidation = Literal["Strict", "Warn", "Ignore"]


@dataclass(frozen=True, slots=True)
class GetOptions:
    resource_version: str = ""


@dataclass(frozen=True, slots=True)
class ListOptions:
    """For list, watch and deletecollection. `timeout_seconds` None means the server's choice."""

    labels: LabelSelector
    fields: FieldSelector
    resource_version: str = ""
    resource_version_match: str = ""
    limit: int = 0
    continue_token: str = ""
    timeout_seconds: int | None = None
    allow_watch_bookmarks: bool = False
    send_initial_events: bool | None = None


@dataclass(frozen=True, slots=True)
class WriteOptions:
    """CreateOptions, UpdateOptions and PatchOptions in one; `kind` says which."""

    kind: Literal["CreateOptions", "UpdateOptions", "PatchOptions"]
    dry_run: bool = False
    field_manager: str = ""
    field_validation: FieldValidation = "Warn"
    force: bool | None = None
    given: JSONObject = field(default_factory=dict)
    """What the client said itself of manager and validation."""

    def to_object(self, operation: Literal["CREATE", "UPDATE"]) -> JSONObject:
        """As admission plugins and webhooks see it: to them a patch is an update, or creates."""
        kind = "CreateOptions" if operation == "CREATE" else "UpdateOptions"
        obj: JSONObject = {"kind": kind, "apiVersion": "meta.k8s.io/v1"}
        if self.dry_run:
            obj["dryRun"] = ["All"]
        return {**obj, **self.given} if self.given else obj


@dataclass(frozen=True, slots=True)
class DeleteOptions:
    """How to delete. `grace_period_seconds` None means the resource's default."""

    grace_period_seconds: int | None = None
    precondition_uid: str | None = None
    precondition_resource_version: str | None = None
    propagation_policy: Literal["Orphan", "Background", "Foreground"] | None = None
    orphan_dependents: bool | None = None
    dry_run: bool = False
    raw: JSONObject = field(default_factory=dict)
    """As the client sent it, for admission."""
