"""APIServiceStrategy: defaults, what may change, and that local APIServices are available from the start.

Used by the Store of apiservices. Mirrors `kube-aggregator/pkg/registry/apiservice/strategy.go`.
"""

from collections.abc import Sequence

from aggregator.apiservices import conditions, validation
from generic.meta.fields import FieldError
from generic.registry.strategy import HasStatusRules
from generic.request.context import RequestContext
from generic.types import JSONObject

DEFAULT_PORT = 443
_SAYING_NOTHING = ("group", "version", "insecureSkipTLSVerify", "caBundle")
"""Fields that are left out when they are empty."""


class APIServiceStrategy(HasStatusRules):
    """An APIService is named by what it registers; its status is the aggregator's."""

    has_status = True
    tracks_generation = False
    allow_unconditional_update = False
    name_validator = "path"

    def default(self, obj: JSONObject) -> None:
        spec = obj.get("spec") or {}
        for key in _SAYING_NOTHING:
            if key in spec and not spec[key]:
                del spec[key]
        service = spec.get("service")
        if service is not None and service.get("port") is None:
            service["port"] = DEFAULT_PORT

    def prepare_for_create(self, request: RequestContext, obj: JSONObject) -> None:
        obj["status"] = {}
        if (obj.get("spec") or {}).get("service") is None:
            obj["status"] = conditions.status_with(obj, conditions.LOCAL) or {}

    def validate(self, request: RequestContext, obj: JSONObject) -> Sequence[FieldError]:
        return validation.apiservice(obj)

    def prepare_for_update(self, request: RequestContext, obj: JSONObject, old: JSONObject) -> None:
        obj["status"] = old.get("status") or {}

    def validate_update(self, request: RequestContext, obj: JSONObject, old: JSONObject) -> Sequence[FieldError]:
        return validation.apiservice(obj)

    def validate_status_update(self, request: RequestContext, obj: JSONObject, old: JSONObject) -> Sequence[FieldError]:
        return validation.status(obj)
