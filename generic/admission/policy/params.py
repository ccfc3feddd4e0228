"""The parameters of policies: objects of any kind, by name or by labels.

Called by `dispatching.py`. They are read through the server itself for each write that needs them, which its watch
caches make cheap: so a parameter counts from the moment it is written. Mirrors CollectParams of
`apiserver/pkg/admission/plugin/policy/generic/policy_dispatcher.go`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from generic.client.rest import Client
from generic.meta.errors import StatusError
from generic.meta.gvk import GroupVersion, GroupVersionResource
from generic.meta.selectors import LabelSelector
from generic.types import JSONObject


class ConfigurationError(Exception):
    """What is configured cannot be: the policy's failurePolicy decides."""


@dataclass(frozen=True, slots=True)
class ParamKind:
    """The resource behind a paramKind."""

    resource: GroupVersionResource
    namespaced: bool
    api_version: str
    kind: str


class ParamReader:
    """Reads through `client`."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._kinds: dict[tuple[str, str], ParamKind] = {}

    async def kind(self, param_kind: JSONObject) -> ParamKind:
        """Raises ConfigurationError if nobody serves it."""
        api_version, kind = param_kind["apiVersion"], param_kind["kind"]
        held = self._kinds.get((api_version, kind))
        if held is None:
            held = self._kinds[api_version, kind] = await self._discovered(api_version, kind)
        return held

    async def _discovered(self, api_version: str, kind: str) -> ParamKind:
        group_version = GroupVersion.parse(api_version)
        shown = f"{group_version.group}/{group_version.version}, Kind={kind}"
        missing = f"failed to find resource referenced by paramKind: '{shown}'"
        try:
            found = (await self._client.request("GET", group_version.path)).json()
        except StatusError:
            raise ConfigurationError(missing) from None
        for entry in found.get("resources") or ():
            if entry["kind"] == kind and "/" not in entry["name"]:
                return ParamKind(
                    group_version.with_resource(entry["name"]), bool(entry.get("namespaced")), api_version, kind
                )
        raise ConfigurationError(missing)

    async def find(self, kind: ParamKind, ref: JSONObject, namespace: str) -> Sequence[JSONObject]:
        """The objects a paramRef means for a write in the namespace. Raises ConfigurationError, StatusError."""
        given = ref.get("namespace") or ""
        if given and not kind.namespaced:
            raise ConfigurationError("paramRef.namespace must not be provided for a cluster-scoped `paramKind`")
        within = (given or namespace) if kind.namespaced else ""
        if kind.namespaced and not within:
            raise ConfigurationError(
                "cannot use namespaced paramRef in policy binding that matches cluster-scoped resources"
            )
        found = await self._read(kind, ref, within)
        if not found and ref.get("parameterNotFoundAction") == "Deny":
            raise ConfigurationError("no params found for policy binding with `Deny` parameterNotFoundAction")
        return found

    async def _read(self, kind: ParamKind, ref: JSONObject, namespace: str) -> Sequence[JSONObject]:
        try:
            if ref.get("name"):
                return [await self._client.get(kind.resource, ref["name"], namespace)]
            selector = LabelSelector.from_object(ref.get("selector") or {})
            listed = await self._client.list(
                kind.resource, namespace, label_selector=str(selector), resource_version="0"
            )
        except StatusError as error:
            if error.code == 404:
                # Its kind may be gone as well, and come back as something else.
                self._kinds.pop((kind.api_version, kind.kind), None)
                return ()
            raise ConfigurationError(str(error)) from error
        except ValueError as error:
            raise ConfigurationError(str(error)) from error
        found: Sequence[JSONObject] = listed.get("items") or ()
        return found
