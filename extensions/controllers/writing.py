"""DefinitionWriter: how the controllers change a definition, whoever else writes it meanwhile.

Writes through the Stores of this very server, so that admission sees it. Called by the controllers beside this file.
"""

from collections.abc import Callable

from extensions.definitions.resource import DEFINITIONS
from generic.meta import errors
from generic.registry.options import WriteOptions
from generic.registry.rest import InstalledResource, Transform, Updater
from generic.request.context import RequestContext
from generic.request.info import resolve
from generic.request.user import LOOPBACK_USER
from generic.types import JSONObject

Change = Callable[[JSONObject], None]
"""Changes a definition in place; may run again, each time on a newer one."""

_OPTIONS = WriteOptions(kind="UpdateOptions", field_manager="apiextensions-apiserver")


class DefinitionWriter:
    """Writes as system:apiserver. A definition that is gone is left alone. Raises StatusError."""

    def __init__(self, installed: InstalledResource) -> None:
        self._main: Updater = installed.storage
        self._status: Updater = installed.subresources["status"].storage

    async def change_status(self, name: str, change: Change) -> int:
        """Change the status of a definition. Returns the revision that has it, 0 if the definition is gone."""
        return await self._write(self._status, f"{name}/status", name, change)

    async def change(self, name: str, change: Change) -> int:
        """Change anything but the status. Returns the revision that has it, 0 if the definition is gone."""
        return await self._write(self._main, name, name, change)

    @staticmethod
    async def _write(storage: Updater, path: str, name: str, change: Change) -> int:
        async def apply(definition: JSONObject | None) -> JSONObject:
            if definition is None:
                raise errors.not_found(DEFINITIONS.group_resource, name)
            change(definition)
            return definition

        request = internal_request("PUT", f"{DEFINITIONS.group_version.path}/{DEFINITIONS.resource}/{path}")
        try:
            written = await storage.update(request, "", name, Transform(apply), _OPTIONS)
        except errors.StatusError as error:
            if error.code == 404:
                return 0
            raise
        return written.object.revision


def internal_request(method: str, path: str) -> RequestContext:
    """A request of this server to itself."""
    return RequestContext(resolve(method, path, ""), user=LOOPBACK_USER)
