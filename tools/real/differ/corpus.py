"""The good objects of `objects/`, and where each is posted to. Used by the scenarios."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tools.real.differ.asking import Pair
from trikube.pki import issue

NAMESPACE = "differ"
_FOLDER = Path(__file__).parent / "objects"


@dataclass(frozen=True, slots=True)
class Target:
    """Where objects of a kind live."""

    collection: str
    namespaced: bool
    verbs: frozenset[str]
    resource: str

    def named(self, name: str) -> str:
        return f"{self.collection}/{name}"


def objects() -> Iterator[dict[str, Any]]:
    """Every good object."""
    authority = issue.new_authority("differ").pem
    for file in sorted(_FOLDER.glob("*.yaml")):
        text = file.read_text().replace("NS,", f"{NAMESPACE},").replace("NS}", f"{NAMESPACE}}}")
        for document in yaml.safe_load_all(text):
            if document["kind"] == "CertificateSigningRequest":
                document["spec"]["request"] = _request()
            if document["kind"] == "ValidatingWebhookConfiguration":
                document["webhooks"][0]["clientConfig"]["caBundle"] = _base64(authority)
            yield document


def targets(pair: Pair) -> dict[tuple[str, str], Target]:
    """By apiVersion and kind, from the real server's discovery."""
    made = {}
    groups = pair.both("GET", "/apis")[0].body["groups"]
    versions = ["v1", *(version["groupVersion"] for group in groups for version in group["versions"])]
    for version in versions:
        root = f"/api/{version}" if version == "v1" else f"/apis/{version}"
        found = pair.both("GET", root)[0]
        for resource in found.body["resources"] if found.status == 200 else ():
            if "/" in resource["name"]:
                continue
            scope = f"/namespaces/{NAMESPACE}" if resource["namespaced"] else ""
            made[version, resource["kind"]] = Target(
                f"{root}{scope}/{resource['name']}",
                resource["namespaced"],
                frozenset(resource["verbs"]),
                resource["name"],
            )
    return made


def _request() -> str:
    from cryptography import x509  # noqa: PLC0415 - for one object of all
    from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415
    from cryptography.x509.oid import NameOID  # noqa: PLC0415

    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "somebody")])
    request = x509.CertificateSigningRequestBuilder().subject_name(subject)
    signed = request.sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    return _base64(signed.public_bytes(serialization.Encoding.PEM))


def _base64(data: bytes) -> str:
    import base64  # noqa: PLC0415

    return base64.b64encode(data).decode()
