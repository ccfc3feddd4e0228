"""ApprovalController: says whether a definition in a group of the Kubernetes project was approved.

Started by `extensions/server.py`. Mirrors
`apiextensions-apiserver/pkg/controller/apiapproval/apiapproval_controller.go`.
"""

from extensions.controllers.definitions import Definitions, Summary
from extensions.controllers.writing import DefinitionWriter
from extensions.definitions import approval, conditions
from extensions.definitions.approval import Approval
from extensions.definitions.conditions import Condition
from generic.client.controller import Controller
from generic.types import JSONObject


class ApprovalController:
    """Sets KubernetesAPIApprovalPolicyConformant where it means something."""

    def __init__(self, definitions: Definitions, writer: DefinitionWriter) -> None:
        self._writer = writer
        name = "kubernetes-api-approval-policy-conformant-condition-controller"
        self.controller: Controller[str] = Controller(name, self._reconcile)
        definitions.add_handler(self._hear)

    def _hear(self, before: Summary | None, after: Summary | None) -> None:
        if after is None or not approval.is_protected(after.group):
            return
        if before is None or before.approval != after.approval:
            self.controller.enqueue(after.name)

    async def _reconcile(self, name: str) -> None:
        await self._writer.change_status(name, _judge)


def _judge(definition: JSONObject) -> None:
    state, why = approval.approval(definition["metadata"].get("annotations") or {})
    status = "True" if state is Approval.APPROVED else "False"
    conditions.put(definition, Condition(conditions.APPROVAL, status, state.value, why))
