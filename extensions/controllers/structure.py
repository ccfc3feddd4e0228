"""StructureController: says of a definition whether its schemas are structural, should one not be.

Validation lets none of these in; one that was stored past it, or long ago, is told of. Started by
`extensions/server.py`. Mirrors
`apiextensions-apiserver/pkg/controller/nonstructuralschema/nonstructuralschema_controller.go`.
"""

from extensions.controllers.definitions import Definitions, Summary
from extensions.controllers.writing import DefinitionWriter
from extensions.definitions import conditions
from extensions.definitions.conditions import Condition
from extensions.definitions.validation import structural
from generic.client.controller import Controller
from generic.meta import fields
from generic.meta.fields import FieldError
from generic.types import JSONObject


class StructureController:
    """Sets NonStructuralSchema while there is something to say, and takes it away when there is not."""

    def __init__(self, definitions: Definitions, writer: DefinitionWriter) -> None:
        self._definitions = definitions
        self._writer = writer
        self.controller: Controller[str] = Controller("crd-nonstructuralschema-condition-controller", self._reconcile)
        definitions.add_handler(self._hear)

    def _hear(self, before: Summary | None, after: Summary | None) -> None:
        if after is not None and (before is None or before.generation != after.generation):
            self.controller.enqueue(after.name)

    async def _reconcile(self, name: str) -> None:
        definition = self._definitions.read(name)
        if definition is None or _says(definition, _verdict(definition)):
            return
        await self._writer.change_status(name, _judge)


def _verdict(definition: JSONObject) -> Condition | None:
    violations = _violations(definition["spec"])
    if not violations:
        return None
    texts = [str(found) for found in violations]
    message = texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
    return Condition(conditions.NON_STRUCTURAL, "True", "Violations", message)


def _violations(spec: JSONObject) -> list[FieldError]:
    found: list[FieldError] = []
    if spec.get("preserveUnknownFields"):
        found.append(fields.invalid("spec.preserveUnknownFields", True, "must be false"))
    for at, version in enumerate(spec.get("versions") or ()):
        schema = (version.get("schema") or {}).get("openAPIV3Schema")
        if schema is not None:
            found += structural.problems(schema, f"spec.versions[{at}].schema.openAPIV3Schema")
    return found


def _says(definition: JSONObject, verdict: Condition | None) -> bool:
    if verdict is None:
        return conditions.find(definition, conditions.NON_STRUCTURAL) is None
    return conditions.says(definition, verdict)


def _judge(definition: JSONObject) -> None:
    verdict = _verdict(definition)
    if verdict is not None:
        conditions.put(definition, verdict)
        return
    held = (definition.get("status") or {}).get("conditions") or []
    definition["status"]["conditions"] = [one for one in held if one["type"] != conditions.NON_STRUCTURAL]
