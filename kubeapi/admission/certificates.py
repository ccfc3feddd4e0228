"""CertificateApproval, CertificateSigning, CertificateSubjectRestriction and ClusterTrustBundleAttest.

Four of the admission plugins (`order.py`): who may speak for a signer is asked of the authorizer, as a verb on
`signers`. Mirrors `plugin/pkg/admission/certificates` and `pkg/registry/rbac/helpers.go`.
"""

import base64
import binascii

from cryptography import x509
from cryptography.x509.oid import NameOID

from generic.admission.interface import Attributes
from generic.authorization.interface import AuthorizationAttributes, Authorizer, Decision
from generic.meta import errors
from generic.meta.errors import StatusError
from generic.meta.gvk import GroupResource
from generic.types import JSONObject

GROUP = "certificates.k8s.io"
_REQUESTS = GroupResource(GROUP, "certificatesigningrequests")
_BUNDLES = GroupResource(GROUP, "clustertrustbundles")
_CLIENT_SIGNER = "kubernetes.io/kube-apiserver-client"
_MASTERS = "system:masters"
_HOUSEKEEPING = ("finalizers", "managedFields", "ownerReferences")


class CertificateApproval:
    """Conditions are for those who may `approve` for the signer."""

    name = "CertificateApproval"

    def __init__(self, authorizer: Authorizer) -> None:
        self._authorizer = authorizer

    def handles(self, attributes: Attributes) -> bool:
        return _updates(attributes, "approval")

    async def validate(self, attributes: Attributes) -> None:
        """Raises StatusError 403."""
        signer = _signer(attributes.old_object)
        if not await _may(self._authorizer, attributes, "approve", signer):
            raise _forbidden(attributes, f'user not permitted to approve requests with signerName "{signer}"')


class CertificateSigning:
    """Certificates are for those who may `sign` for the signer."""

    name = "CertificateSigning"

    def __init__(self, authorizer: Authorizer) -> None:
        self._authorizer = authorizer

    def handles(self, attributes: Attributes) -> bool:
        return _updates(attributes, "status")

    async def validate(self, attributes: Attributes) -> None:
        """Raises StatusError 403."""
        new, old = ((obj or {}).get("status") or {} for obj in (attributes.object, attributes.old_object))
        if all((new.get(key) or None) == (old.get(key) or None) for key in ("certificate", "conditions")):
            return
        signer = _signer(attributes.old_object)
        if not await _may(self._authorizer, attributes, "sign", signer):
            raise _forbidden(attributes, f'user not permitted to sign requests with signerName "{signer}"')


class CertificateSubjectRestriction:
    """Nobody becomes an administrator by a certificate of the signer for clients."""

    name = "CertificateSubjectRestriction"

    def handles(self, attributes: Attributes) -> bool:
        return (
            attributes.operation == "CREATE"
            and attributes.resource.group_resource == _REQUESTS
            and not attributes.subresource
        )

    async def validate(self, attributes: Attributes) -> None:
        """Raises StatusError 403."""
        if _signer(attributes.object) != _CLIENT_SIGNER:
            return
        try:
            pem = base64.b64decode((attributes.object or {})["spec"].get("request") or "")
            subject = x509.load_pem_x509_csr(pem).subject
        except (ValueError, binascii.Error) as error:
            raise _forbidden(attributes, f"failed to parse CSR: {error}") from error
        if any(found.value == _MASTERS for found in subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)):
            raise _forbidden(attributes, f"use of {_CLIENT_SIGNER} signer with {_MASTERS} group is not allowed")


class ClusterTrustBundleAttest:
    """The bundle of a signer is for those who may `attest` for it."""

    name = "ClusterTrustBundleAttest"

    def __init__(self, authorizer: Authorizer) -> None:
        self._authorizer = authorizer

    def handles(self, attributes: Attributes) -> bool:
        return attributes.resource.group_resource == _BUNDLES and attributes.operation in ("CREATE", "UPDATE")

    async def validate(self, attributes: Attributes) -> None:
        """Raises StatusError 403."""
        signer = _signer(attributes.object)
        if not signer or _without_housekeeping(attributes.object) == _without_housekeeping(attributes.old_object):
            return
        if not await _may(self._authorizer, attributes, "attest", signer):
            raise _forbidden(attributes, f'user not permitted to attest for signerName "{signer}"')


def _updates(attributes: Attributes, subresource: str) -> bool:
    return (
        attributes.operation == "UPDATE"
        and attributes.subresource == subresource
        and attributes.resource.group_resource == _REQUESTS
    )


def _signer(obj: JSONObject | None) -> str:
    return str(((obj or {}).get("spec") or {}).get("signerName") or "")


def _without_housekeeping(obj: JSONObject | None) -> JSONObject | None:
    if obj is None:
        return None
    return {**obj, "metadata": {k: v for k, v in obj["metadata"].items() if k not in _HOUSEKEEPING}}


async def _may(authorizer: Authorizer, attributes: Attributes, verb: str, signer: str) -> bool:
    """Whether the user may for this signer, or for all of its domain."""
    user = attributes.request.user
    if user is None:
        return False
    for name in (signer, f"{signer.partition('/')[0]}/*"):
        asked = AuthorizationAttributes(
            user=user, verb=verb, is_resource_request=True, group=GROUP, version="*", resource="signers", name=name
        )
        if (await authorizer.authorize(asked)).decision is Decision.ALLOW:
            return True
    return False


def _forbidden(attributes: Attributes, why: str) -> StatusError:
    return errors.forbidden(attributes.resource.group_resource, attributes.name, why)
