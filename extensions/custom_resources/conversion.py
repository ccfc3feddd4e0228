"""From one version of a custom resource to another. Made by `build.py`, called through `Resource.converter`.

Whatever a conversion gives is pruned and defaulted by the schema of its version. `reviews.py` speaks with webhooks.
Mirrors `apiextensions-apiserver/pkg/apiserver/conversion`.
"""

from collections.abc import Mapping, Sequence

from extensions.custom_resources.reviews import ReviewedConversion
from generic.meta.gvk import GroupVersion
from generic.schema.object_schema import ObjectSchema
from generic.types import JSONObject


class NoneConverter:
    """Strategy None: the apiVersion changes; what the other version does not know goes, its defaults come."""

    def __init__(self, schemas: Mapping[GroupVersion, ObjectSchema]) -> None:
        self._schemas = schemas

    async def convert(self, objects: Sequence[JSONObject], to: GroupVersion) -> list[JSONObject]:
        schema = self._schemas[to]
        return [_fitted({**obj, "apiVersion": str(to)}, schema) for obj in objects]


class WebhookConverter:
    """Strategy Webhook: objects of other versions go to the webhook, all of a list at once."""

    def __init__(self, schemas: Mapping[GroupVersion, ObjectSchema], webhook: ReviewedConversion) -> None:
        self._schemas = schemas
        self._webhook = webhook

    async def convert(self, objects: Sequence[JSONObject], to: GroupVersion) -> list[JSONObject]:
        """Raises StatusError 500 if the webhook fails."""
        foreign = [at for at, obj in enumerate(objects) if obj["apiVersion"] != str(to)]
        made = list(objects)
        if foreign:
            converted = await self._webhook.convert([objects[at] for at in foreign], to)
            for at, obj in zip(foreign, converted, strict=True):
                made[at] = _fitted(obj, self._schemas[to])
        return made


def _fitted(obj: JSONObject, schema: ObjectSchema) -> JSONObject:
    schema.prune(obj)
    schema.default(obj)
    return obj
