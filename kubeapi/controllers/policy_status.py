"""PolicyStatus: tells the authors of ValidatingAdmissionPolicies where expressions do not fit the types of objects.

Started and stopped by hooks of `kubeapi/server.py`. Types come from the OpenAPI this process serves, custom resources
included. Mirrors `pkg/controller/validatingadmissionpolicystatus/controller.go`.
"""

import orjson

from generic.admission.policy import type_checking
from generic.admission.policy.type_checking import MOST_TYPES, Checked
from generic.client.controller import Controller
from generic.client.informer import Informer
from generic.client.rest import APPLY_PATCH, Client
from generic.meta import errors
from generic.meta.gvk import GroupVersion, GroupVersionKind, GroupVersionResource
from generic.schema.cel.types import DeclType
from generic.types import JSONObject

POLICIES = GroupVersionResource("admissionregistration.k8s.io", "v1", "validatingadmissionpolicies")
KIND = POLICIES.group_version.with_kind("ValidatingAdmissionPolicy")
_FIELD_MANAGER = "validatingadmissionpolicy-status"


class PolicyStatus:
    """Looks at a policy once for each of its generations."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._policies = Informer(client, POLICIES)
        self._policies.add_handler(self._hear)
        self._queue: Controller[str] = Controller("validatingadmissionpolicy-status", self._reconcile)

    async def start(self) -> None:
        self._policies.start()
        self._queue.start()

    async def stop(self) -> None:
        await self._queue.stop()
        await self._policies.stop()

    def _hear(self, old: JSONObject | None, new: JSONObject | None) -> None:
        if new is not None and not _is_observed(new):
            self._queue.enqueue(new["metadata"]["name"])

    async def _reconcile(self, name: str) -> None:
        policy = self._policies.get(name)
        if policy is None or _is_observed(policy):
            return
        found = type_checking.warnings(policy, await self._types(policy), await self._params(policy))
        status: JSONObject = {
            "observedGeneration": policy["metadata"]["generation"],
            "typeChecking": {"expressionWarnings": found} if found else {},
        }
        patch = {
            "apiVersion": str(POLICIES.group_version),
            "kind": KIND.kind,
            "metadata": {"name": name},
            "status": status,
        }
        try:
            await self._client.patch(
                POLICIES,
                name,
                orjson.dumps(patch),
                content_type=APPLY_PATCH,
                subresource="status",
                field_manager=_FIELD_MANAGER,
                force=True,
            )
        except errors.StatusError as error:
            if error.code != 404:
                raise

    async def _types(self, policy: JSONObject) -> list[Checked]:
        found: list[Checked] = []
        for resource in type_checking.resources(policy):
            kind = await self._kind(resource)
            if kind is None or any(checked.gvk == kind for checked in found):
                continue
            declared = await self._type(kind)
            if declared is not None:
                found.append(Checked(kind, declared))
            if len(found) == MOST_TYPES:
                break
        return sorted(found, key=lambda checked: checked.gvk)

    async def _params(self, policy: JSONObject) -> DeclType | None:
        kind = policy["spec"].get("paramKind")
        if kind is None:
            return None
        return await self._type(GroupVersion.parse(kind["apiVersion"]).with_kind(kind["kind"]))

    async def _kind(self, resource: GroupVersionResource) -> GroupVersionKind | None:
        entries = (await self._read(resource.group_version.path)).get("resources") or ()
        kinds = (entry["kind"] for entry in entries if entry["name"] == resource.resource)
        kind = next(kinds, None)
        return None if kind is None else resource.group_version.with_kind(kind)

    async def _type(self, kind: GroupVersionKind) -> DeclType | None:
        document = await self._read(f"/openapi/v3{kind.group_version.path}")
        return type_checking.type_of(document, kind)

    async def _read(self, path: str) -> JSONObject:
        """Empty if there is nothing there: what cannot be checked is not warned of."""
        try:
            found: JSONObject = (await self._client.request("GET", path)).json()
        except errors.StatusError as error:
            if error.code != 404:
                raise
            return {}
        return found


def _is_observed(policy: JSONObject) -> bool:
    observed: int = (policy.get("status") or {}).get("observedGeneration") or 0
    generation: int = policy["metadata"].get("generation") or 0
    return generation <= observed
