"""How Flunders and Fischers are written: defaults, what a client may not set, what is checked.

Called by the Store at fixed points of its write path. Mirrors
`sample-apiserver/pkg/registry/wardle/{flunder,fischer}/strategy.go` and `pkg/apis/wardle/v1alpha1/defaults.go`.
"""

from collections.abc import Callable, Sequence

from examples.wardle import validation
from examples.wardle.types import FISCHER, FLUNDER
from generic.meta.fields import FieldError
from generic.registry.strategy import Strategy
from generic.request.context import RequestContext
from generic.types import JSONObject


class FlunderStrategy(Strategy):
    """Of one version: how it is defaulted and validated."""

    has_status = True

    def __init__(
        self, default: Callable[[JSONObject], None], validate: Callable[[JSONObject], Sequence[FieldError]]
    ) -> None:
        self._default = default
        self._validate = validate

    def default(self, obj: JSONObject) -> None:
        spec = obj.get("spec")
        if spec:
            self._default(spec)

    def prepare_for_create(self, request: RequestContext, obj: JSONObject) -> None:
        obj.pop("status", None)

    def prepare_for_update(self, request: RequestContext, obj: JSONObject, old: JSONObject) -> None:
        obj.pop("status", None)
        if "status" in old:
            obj["status"] = old["status"]

    def validate(self, request: RequestContext, obj: JSONObject) -> Sequence[FieldError]:
        return self._validate(obj)

    def validate_update(self, request: RequestContext, obj: JSONObject, old: JSONObject) -> Sequence[FieldError]:
        return self._validate(obj)


def _default_v1alpha1(spec: JSONObject) -> None:
    if spec.get("reference") and not spec.get("referenceType"):
        spec["referenceType"] = FLUNDER


def _default_v1beta1(spec: JSONObject) -> None:
    flunder, fischer = spec.get("flunderReference"), spec.get("fischerReference")
    if bool(flunder) != bool(fischer) and not spec.get("referenceType"):
        spec["referenceType"] = FLUNDER if flunder else FISCHER


FLUNDER_V1ALPHA1 = FlunderStrategy(_default_v1alpha1, validation.flunder_v1alpha1)
FLUNDER_V1BETA1 = FlunderStrategy(_default_v1beta1, validation.flunder_v1beta1)
FISCHERS = Strategy()
"""Nothing beyond the schema."""
