"""Strategies of the remaining groups. Mirrors `pkg/registry/{networking,rbac,storage,certificates,...}`."""

from collections.abc import Sequence

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
from kubeapi.resources.validation import admission_policies, endpoints, events, flowcontrol, networking, storage
from kubeapi.resources.validation import admissionregistration as admission
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
    def validate(self, request: RequestContext, obj: JSONObject) -> Sequence[FieldError]:
        return [*super().validate(request, obj), *networking.new_ingress(obj)]

    def initial_status(self, obj: JSONObject) -> JSONObject:
        return {"loadBalancer": {}}


class NewEventStrategy(EventStrategy):
    """The newer form is checked when it is made; the older says less and is let be."""

    name_validator = "subdomain"

    def validate_update(self, request: RequestContext, obj: JSONObject, old: JSONObject) -> Sequence[FieldError]:
        return events.new_event_update(obj, old)


class LeaseStrategy(ConditionalStrategy):
    allow_create_on_update = True


class PathNameStrategy(KindStrategy):
    name_validator = "path"


class PathNameStatusStrategy(StatusKindStrategy):
    name_validator = "path"


class VolumeAttachmentStrategy(ConditionalStatusStrategy):
    def initial_status(self, obj: JSONObject) -> JSONObject:
        return {"attached": False}


class DriverStrategy(ConditionalGenerationStrategy):
    """A driver counts how often its spec changed; a new one has not counted yet."""

    first_generation = 0


INGRESS = IngressStrategy(default=defaults.ingress, validate=networking.ingress)
INGRESS_CLASS = GenerationStrategy(
    default=defaults.ingress_class,
    validate=networking.ingress_class,
    validate_update=networking.ingress_class_update,
)
NETWORK_POLICY = GenerationStrategy(default=defaults.network_policy, validate=networking.network_policy)
SERVICE_CIDR = StatusKindStrategy(default=defaults.service_cidr, validate=validation.service_cidr, status_keeps=None)
IP_ADDRESS = PathNameStrategy(validate=validation.ip_address, validate_update=validation.ip_address_update)
ENDPOINT_SLICE = GenerationStrategy(
    default=defaults.endpoint_slice, validate=endpoints.endpoint_slice, validate_update=validation.address_type_frozen
)
ROLE = RBACStrategy(validate=validation.role)
CLUSTER_ROLE = RBACStrategy(validate=validation.cluster_role)
ROLE_BINDING = RBACStrategy(
    default=defaults.role_binding, validate=validation.role_binding, validate_update=validation.role_reference_frozen
)
CLUSTER_ROLE_BINDING = RBACStrategy(
    default=defaults.role_binding,
    validate=validation.cluster_role_binding,
    validate_update=validation.role_reference_frozen,
)
STORAGE_CLASS = KindStrategy(
    default=defaults.storage_class,
    validate=storage.storage_class,
    validate_update=storage.storage_class_update,
    returns_deleted_object=True,
)
CSI_DRIVER = DriverStrategy(
    default=defaults.csi_driver, validate=storage.driver, warn=storage.driver_warnings, returns_deleted_object=True
)
CSI_NODE = ConditionalStatusStrategy(validate=storage.node, returns_deleted_object=True, status_keeps=None)
VOLUME_ATTACHMENT = VolumeAttachmentStrategy(
    default=defaults.volume_attachment,
    validate=storage.attachment,
    validate_update=storage.attachment_update,
    returns_deleted_object=True,
    status_keeps=None,
)
VOLUME_ATTRIBUTES_CLASS = KindStrategy(
    validate=storage.attributes_class, validate_update=storage.attributes_class_update, returns_deleted_object=True
)
CSI_STORAGE_CAPACITY = ConditionalStrategy(validate=storage.capacity, validate_update=storage.capacity_update)
STORAGE_VERSION_MIGRATION = StatusKindStrategy(validate=storage.migration, status_keeps=None)
PRIORITY_CLASS = GenerationStrategy(
    default=defaults.priority_class,
    validate=validation.priority_class,
    validate_update=validation.priority_class_update,
)
RUNTIME_CLASS = ConditionalStrategy(validate=validation.runtime_class, validate_update=validation.handler_frozen)
LEASE = LeaseStrategy(default=defaults.lease, validate=validation.lease)
VALIDATING_WEBHOOKS = ConditionalGenerationStrategy(default=defaults.validating_webhooks, validate=admission.webhooks)
MUTATING_WEBHOOKS = ConditionalGenerationStrategy(default=defaults.mutating_webhooks, validate=admission.webhooks)
VALIDATING_POLICY = ConditionalWorkloadStrategy(
    default=defaults.admission_policy, validate=admission_policies.validating_policy, status_keeps=None
)
MUTATING_POLICY = ConditionalGenerationStrategy(
    default=defaults.admission_policy, validate=admission_policies.mutating_policy
)
POLICY_BINDING = ConditionalGenerationStrategy(
    default=defaults.admission_policy_binding, validate=admission_policies.policy_binding
)
VALIDATING_BINDING = ConditionalGenerationStrategy(
    default=defaults.admission_policy_binding, validate=admission_policies.validating_binding
)
FLOW_SCHEMA = WorkloadStrategy(default=defaults.flow_schema, validate=flowcontrol.flow_schema, status_keeps=None)
PRIORITY_LEVEL = WorkloadStrategy(
    default=defaults.priority_level, validate=flowcontrol.priority_level, status_keeps=None
)
CLUSTER_TRUST_BUNDLE = PathNameStrategy()
EVENT = NewEventStrategy(default=defaults.event, validate=events.new_event)
RESOURCE_CLAIM = StatusKindStrategy(default=defaults.resource_claim, returns_deleted_object=True, status_keeps=None)
RESOURCE_CLAIM_TEMPLATE = KindStrategy(default=defaults.resource_claim_template, returns_deleted_object=True)
DEVICE = GenerationStrategy(returns_deleted_object=True)
GENERATION = GenerationStrategy()
STATUS = StatusKindStrategy(status_keeps=None)
WORKLOAD = WorkloadStrategy(status_keeps=None)
