"""Strategies of the remaining groups. Mirrors `pkg/registry/{networking,rbac,storage,certificates,...}`."""

from collections.abc import Sequence

from generic.meta import fields
from generic.meta.fields import FieldError
from generic.request.context import RequestContext
from generic.types import JSONObject
from kubeapi.resources.defaults import platform as defaults
from kubeapi.resources.strategies.base import (
    GenerationStrategy,
    KindStrategy,
    StatusKindStrategy,
    WorkloadStrategy,
)
from kubeapi.resources.strategies.core import EventStrategy
from kubeapi.resources.validation import platform as validation


class RBACStrategy(KindStrategy):
    """Role names go into paths and may hold colons; PUT makes what is missing."""

    name_validator = "path"
    allow_create_on_update = True


class ConditionalStrategy(KindStrategy):
    """PUT has to say which version of the object it replaces."""

    allow_unconditional_update = False


class ConditionalGenerationStrategy(ConditionalStrategy):
    tracks_generation = True


class ConditionalWorkloadStrategy(WorkloadStrategy):
    allow_unconditional_update = False


class ConditionalStatusStrategy(StatusKindStrategy):
    allow_unconditional_update = False


class IngressStrategy(WorkloadStrategy):
    def initial_status(self, obj: JSONObject) -> JSONObject:
        return {"loadBalancer": {}}


class LeaseStrategy(ConditionalStrategy):
    allow_create_on_update = True


class PathNameStrategy(KindStrategy):
    name_validator = "path"


class PathNameStatusStrategy(StatusKindStrategy):
    name_validator = "path"


class VolumeAttachmentStrategy(ConditionalStatusStrategy):
    def initial_status(self, obj: JSONObject) -> JSONObject:
        return {"attached": False}


class CertificateRequestStrategy(PathNameStatusStrategy):
    """Who asks for a certificate is what authentication says, not what the request says; it never changes."""

    def prepare_for_create(self, request: RequestContext, obj: JSONObject) -> None:
        super().prepare_for_create(request, obj)
        spec = obj["spec"]
        for key in ("username", "uid", "groups", "extra"):
            spec.pop(key, None)
        user = request.user
        if user is None:
            return
        spec["username"], spec["groups"] = user.name, list(user.groups)
        if user.uid:
            spec["uid"] = user.uid
        if user.extra:
            spec["extra"] = {key: list(values) for key, values in user.extra.items()}

    def prepare_for_update(self, request: RequestContext, obj: JSONObject, old: JSONObject) -> None:
        super().prepare_for_update(request, obj, old)
        obj["spec"] = old["spec"]

    def validate_status_update(self, request: RequestContext, obj: JSONObject, old: JSONObject) -> Sequence[FieldError]:
        """Approving and denying is for `/approval`."""
        found: list[FieldError] = []
        for type in ("Approved", "Denied"):
            if _of_type(obj, type) != _of_type(old, type):
                why = f"updates may not add or remove a condition of type {_quoted(type)}"
                found.append(fields.forbidden("status.conditions", why))
        return found


def _of_type(obj: JSONObject, type: str) -> list[JSONObject]:
    return [found for found in (obj.get("status") or {}).get("conditions") or () if found.get("type") == type]


def _quoted(text: str) -> str:
    return f'"{text}"'


class ApprovalStrategy(CertificateRequestStrategy):
    """The strategy of `certificatesigningrequests/approval`: only conditions may change."""

    def prepare_for_update(self, request: RequestContext, obj: JSONObject, old: JSONObject) -> None:
        conditions = (obj.get("status") or {}).get("conditions") or []
        obj["spec"] = old["spec"]
        obj["status"] = {**(old.get("status") or {}), "conditions": conditions}


INGRESS = IngressStrategy(default=defaults.ingress, validate=validation.ingress)
INGRESS_CLASS = GenerationStrategy(default=defaults.ingress_class)
NETWORK_POLICY = GenerationStrategy(default=defaults.network_policy)
SERVICE_CIDR = StatusKindStrategy(default=defaults.service_cidr)
IP_ADDRESS = PathNameStrategy()
ENDPOINT_SLICE = GenerationStrategy(
    default=defaults.endpoint_slice, validate=validation.endpoint_slice, validate_update=validation.address_type_frozen
)
ROLE = RBACStrategy(default=defaults.role, validate=validation.role)
CLUSTER_ROLE = RBACStrategy(default=defaults.cluster_role, validate=validation.cluster_role)
ROLE_BINDING = RBACStrategy(
    default=defaults.role_binding, validate=validation.role_binding, validate_update=validation.role_reference_frozen
)
CLUSTER_ROLE_BINDING = RBACStrategy(
    default=defaults.role_binding,
    validate=validation.cluster_role_binding,
    validate_update=validation.role_reference_frozen,
)
STORAGE_CLASS = KindStrategy(
    default=defaults.storage_class, validate=validation.storage_class, validate_update=validation.storage_class_update
)
CSI_DRIVER = ConditionalGenerationStrategy(default=defaults.csi_driver)
CSI_NODE = ConditionalStrategy()
VOLUME_ATTACHMENT = VolumeAttachmentStrategy(default=defaults.volume_attachment)
PRIORITY_CLASS = GenerationStrategy(
    default=defaults.priority_class,
    validate=validation.priority_class,
    validate_update=validation.priority_class_update,
)
RUNTIME_CLASS = ConditionalStrategy(validate=validation.runtime_class, validate_update=validation.handler_frozen)
LEASE = LeaseStrategy(default=defaults.lease, validate=validation.lease)
VALIDATING_WEBHOOKS = ConditionalGenerationStrategy(default=defaults.validating_webhooks, validate=validation.webhooks)
MUTATING_WEBHOOKS = ConditionalGenerationStrategy(default=defaults.mutating_webhooks, validate=validation.webhooks)
VALIDATING_POLICY = ConditionalWorkloadStrategy(default=defaults.admission_policy)
MUTATING_POLICY = ConditionalGenerationStrategy(default=defaults.admission_policy)
POLICY_BINDING = ConditionalGenerationStrategy(default=defaults.admission_policy_binding)
FLOW_SCHEMA = ConditionalWorkloadStrategy(default=defaults.flow_schema, validate=validation.flow_schema)
PRIORITY_LEVEL = ConditionalWorkloadStrategy(default=defaults.priority_level, validate=validation.priority_level)
CERTIFICATE_REQUEST = CertificateRequestStrategy(
    default=defaults.certificate_request, validate=validation.certificate_request
)
CERTIFICATE_APPROVAL = ApprovalStrategy(default=defaults.certificate_request, validate=validation.certificate_request)
CLUSTER_TRUST_BUNDLE = PathNameStrategy()
EVENT = EventStrategy(default=defaults.event)
RESOURCE_CLAIM = StatusKindStrategy(default=defaults.resource_claim)
RESOURCE_CLAIM_TEMPLATE = KindStrategy(default=defaults.resource_claim_template)
GENERATION = GenerationStrategy()
STATUS = StatusKindStrategy()
WORKLOAD = WorkloadStrategy()
