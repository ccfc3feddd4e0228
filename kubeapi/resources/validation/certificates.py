"""Validation of certificate signing requests. Mirrors `pkg/apis/certificates/validation`.

What is asked for is checked when it is asked; what was decided and signed, at `/approval` and `/status`.
"""

import base64
import binascii
import re
from collections.abc import Iterator
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

from generic.meta import fields
from generic.meta.fields import FieldError
from generic.types import JSONObject
from kubeapi.resources.validation import common
from kubeapi.resources.validation.common import each

_USAGES = (
    "any", "cert sign", "client auth", "code signing", "content commitment", "crl sign", "data encipherment",
    "decipher only", "digital signature", "email protection", "encipher only", "ipsec end system", "ipsec tunnel",
    "ipsec user", "key agreement", "key encipherment", "microsoft sgc", "netscape sgc", "ocsp signing", "s/mime",
    "server auth", "signing", "timestamping",
)  # fmt: skip
_DECISIONS = ("Approved", "Denied")
_FINAL = (*_DECISIONS, "Failed")
_CONDITIONS = "status.conditions"
_BEGIN = re.compile(rb"-----BEGIN ([^\n-]{0,64})-----\r?\n")


def certificate_request(obj: JSONObject) -> list[FieldError]:
    spec = obj.get("spec") or {}
    found: list[FieldError] = []
    why = _refused_request(_bytes(spec.get("request")))
    if why:
        found.append(fields.invalid("spec.request", spec.get("request") or "", why))
    if not spec.get("usages"):
        found.append(fields.required("spec.usages"))
    for at, usage in enumerate(each(spec.get("usages"))):
        found += common.among(usage, f"spec.usages[{at}]", _USAGES)
        if usage in spec["usages"][:at]:
            found.append(fields.duplicate(f"spec.usages[{at}]", usage))
    signer = spec.get("signerName") or ""
    if not signer:
        found.append(fields.required("spec.signerName"))
    elif signer.count("/") != 1:
        why = "must be a fully qualified domain and path of the form 'example.com/signer-name'"
        found.append(fields.invalid("spec.signerName", signer, why))
    seconds = spec.get("expirationSeconds")
    if seconds is not None and seconds < 600:
        why = "may not specify a duration less than 600 seconds (10 minutes)"
        found.append(fields.invalid("spec.expirationSeconds", seconds, why))
    return found


def approval(obj: JSONObject, old: JSONObject) -> list[FieldError]:
    """What a decision leaves."""
    return [*_conditions(obj), *_removed(obj, old), *_both_decisions(obj)]


def status(obj: JSONObject, old: JSONObject) -> list[FieldError]:
    """What a signer leaves: deciding is for `/approval`."""
    found = _conditions(obj)
    now, before = ((whole.get("status") or {}).get("certificate") or "" for whole in (obj, old))
    why = _refused_certificate(_bytes(now)) if now != before else ""
    if why:
        found.append(fields.invalid("status.certificate", "<certificate data>", why))
    found += _removed(obj, old)
    for type in _DECISIONS:
        held, given = of_type(old, type), of_type(obj, type)
        if len(given) > len(held):
            found.append(fields.forbidden(_CONDITIONS, f'updates may not add a condition of type "{type}"'))
    if before and now != before:
        found.append(fields.forbidden("status.certificate", "updates may not modify existing certificate content"))
    return found + _both_decisions(obj)


def of_type(obj: JSONObject, type: str) -> list[JSONObject]:
    """The conditions of that type."""
    return [found for found in each((obj.get("status") or {}).get("conditions")) if found.get("type") == type]


def _conditions(obj: JSONObject) -> list[FieldError]:
    found: list[FieldError] = []
    seen: set[str] = set()
    for at, condition in enumerate(each((obj.get("status") or {}).get("conditions"))):
        path, type = f"{_CONDITIONS}[{at}]", condition.get("type") or ""
        if not type:
            found.append(fields.required(f"{path}.type"))
        choices = ("True",) if type in _FINAL else ("False", "True", "Unknown")
        found += common.required_among(condition.get("status"), f"{path}.status", choices)
        if type in seen:
            found.append(fields.duplicate(f"{path}.type", type))
        seen.add(type)
    return found


def _removed(obj: JSONObject, old: JSONObject) -> list[FieldError]:
    return [
        fields.forbidden(_CONDITIONS, f'updates may not remove a condition of type "{type}"')
        for type in _FINAL
        if len(of_type(obj, type)) < len(of_type(old, type))
    ]


def _both_decisions(obj: JSONObject) -> list[FieldError]:
    if not all(of_type(obj, type) for type in _DECISIONS):
        return []
    members = [f'conditions[{{"type": "{type}"}}]' for type in _DECISIONS]
    why = f"must specify at most one of: {', '.join(f'`{member}`' for member in members)}"
    return [fields.invalid(_CONDITIONS, f"{{{', '.join(members)}}}", why)]


def _bytes(text: Any) -> bytes:
    try:
        return base64.b64decode(text or "")
    except (TypeError, binascii.Error):
        return b""


def _blocks(pem: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The types of the PEM blocks, and the blocks."""
    at = 0
    while found := _BEGIN.search(pem, at):
        last = b"-----END %b-----" % found[1]
        end = pem.find(last, found.end())
        if end < 0:
            return
        at = end + len(last)
        yield found[1], pem[found.start() : at]


def _refused_request(pem: bytes) -> str:
    type, block = next(_blocks(pem), (b"", b""))
    if type != b"CERTIFICATE REQUEST":
        return "PEM block type must be CERTIFICATE REQUEST"
    try:
        return "" if x509.load_pem_x509_csr(block).is_signature_valid else "x509: signature does not match"
    except (ValueError, UnsupportedAlgorithm) as error:
        return f"asn1: structure error: {error}"


def _refused_certificate(pem: bytes) -> str:
    blocks = list(_blocks(pem))
    for type, block in blocks:
        if type != b"CERTIFICATE":
            return f'only CERTIFICATE PEM blocks are allowed, found "{type.decode(errors="replace")}"'
        if b":" in block:
            return "no PEM block headers are permitted"
        try:
            x509.load_pem_x509_certificate(block)
        except ValueError:
            return "x509: malformed certificate"
    return "" if blocks or not pem else "must contain at least one CERTIFICATE PEM block"
