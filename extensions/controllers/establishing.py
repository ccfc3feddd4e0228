"""EstablishingController: a definition whose names are accepted is established, and so served.

Started by `extensions/server.py`. Mirrors
`apiextensions-apiserver/pkg/controller/establish/establishing_controller.go`.
"""

import base64
import binascii

from cryptography import x509

from extensions.controllers.definitions import Definitions, Summary
from extensions.controllers.writing import DefinitionWriter
from extensions.definitions import conditions
from extensions.definitions.conditions import Condition
from generic.client.controller import Controller
from generic.types import JSONObject

_ESTABLISHED = Condition(conditions.ESTABLISHED, "True", "InitialNamesAccepted", "the initial names have been accepted")
_BAD_CA = Condition(conditions.ESTABLISHED, "False", "InvalidCABundle", "The conversion webhook CABundle is invalid")


class EstablishingController:
    """Sets Established."""

    def __init__(self, definitions: Definitions, writer: DefinitionWriter) -> None:
        self._definitions = definitions
        self._writer = writer
        self.controller: Controller[str] = Controller("crd-establishing-controller", self._reconcile)
        definitions.add_handler(self._hear)

    def _hear(self, before: Summary | None, after: Summary | None) -> None:
        if after is not None and after.names_accepted and not after.established:
            self.controller.enqueue(after.name)

    async def _reconcile(self, name: str) -> None:
        summary = self._definitions.get(name)
        if summary is not None and summary.names_accepted and not summary.established:
            await self._writer.change_status(name, establish)


def establish(definition: JSONObject) -> None:
    """Set Established, if it is time."""
    accepted = conditions.is_true(definition, conditions.NAMES_ACCEPTED)
    if accepted and not conditions.is_true(definition, conditions.ESTABLISHED):
        conditions.put(definition, _ESTABLISHED if _has_good_ca(definition["spec"]) else _BAD_CA)


def _has_good_ca(spec: JSONObject) -> bool:
    bundle = (((spec.get("conversion") or {}).get("webhook") or {}).get("clientConfig") or {}).get("caBundle")
    if not bundle:
        return True
    try:
        return bool(x509.load_pem_x509_certificates(base64.b64decode(bundle)))
    except (ValueError, binascii.Error):
        return False
