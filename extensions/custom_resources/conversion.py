"""From one version of a custom resource to another. Made by `build.py`, called through `Resource.converter`.

Mirrors `apiextensions-apiserver/pkg/apiserver/conversion`.
"""

from collections.abc import Mapping, Sequence

from generic.meta import errors
from generic.meta.gvk import GroupVersion
from generic.schema.object_schema import ObjectSchema
from generic.types import JSONObject


class NoneConverter:
    """Strategy None: the apiVersion changes; what the other version does not know goes, its defaults come."""

    def __init__(self, schemas: Mapping[GroupVersion, ObjectSchema]) -> None:
        self._schemas = schemas

    async def convert(self, objects: Sequence[JSONObject], to: GroupVersion) -> list[JSONObject]:
        schema, made = self._schemas[to], []
        for obj in objects:
            converted = {**obj, "apiVersion": str(to)}
            schema.prune(converted)
            schema.default(converted)
            made.append(converted)
        return made


class WebhookConverter:
    """Strategy Webhook. Webhooks are not called yet: a conversion that is needed is an error, never a wrong answer."""

    async def convert(self, objects: Sequence[JSONObject], to: GroupVersion) -> list[JSONObject]:
        for obj in objects:
            if obj["apiVersion"] != str(to):
                raise errors.internal_error(
                    f"conversion webhook for {obj['apiVersion']}, Kind={obj['kind']} failed: "
                    f"conversion webhooks are not supported by this server yet, so {to} cannot be made of it"
                )
        return list(objects)
