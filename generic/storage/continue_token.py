"""Continue tokens, resource versions, and the refusals of wrong ones.

Called by the Cacher. A token is unpadded base64url of `{"v", "rv", "start"}`; `start` is the first key of
the next page relative to the listed prefix, `rv` the revision all pages are read at, or -1 to go on at the
newest. Mirrors `apiserver/pkg/storage/continue.go` and `api_object_versioner.go`.
"""

import base64
import binascii
import re

import orjson

from generic.meta import errors
from generic.meta.go_text import quote
from generic.types import JSONObject

INCONSISTENT = -1
"""The revision of a token that goes on at the newest state."""

_VERSION = "meta.k8s.io/v1"
_NOT_BASE64URL = re.compile(r"[^A-Za-z0-9_-]")
_MAX_UINT64 = 2**64 - 1
_EXPIRED = (
    "The provided continue parameter is too old to display a consistent list result. You can start a new list "
    "without the continue parameter, or use the continue token in this response to retrieve the remainder of the "
    "results. Continuing with the provided token results in an inconsistent list - objects that were created, "
    "modified, or deleted between the time the first chunk was returned and now may show up in the list."
)


class ContinueExpired(errors.StatusError):
    """410: the token's revision was compacted. `metadata.continue` offers to go on at the newest state."""

    def __init__(self, token: str) -> None:
        super().__init__(410, "Expired", _EXPIRED)
        self.token = token

    def to_status(self) -> JSONObject:
        return {**super().to_status(), "metadata": {"continue": self.token}}


def encode(start: str, prefix: str, revision: int) -> str:
    """The token for a next page that begins at key `start`, which is below `prefix`."""
    token = {"v": _VERSION, "rv": revision, "start": start.removeprefix(prefix)}
    return base64.urlsafe_b64encode(orjson.dumps(token)).rstrip(b"=").decode()


def decode(token: str, prefix: str) -> tuple[str, int]:
    """The first key of the page, always below `prefix`, and its revision. Raises StatusError 400."""
    fields = _fields(token)
    if fields.get("v", "") != _VERSION:
        raise _invalid(
            f"continue key is not valid: server does not recognize this encoded version {fields.get('v', '')}"
        )
    revision, start = fields.get("rv", 0), fields.get("start", "")
    if not isinstance(revision, int) or isinstance(revision, bool) or not isinstance(start, str):
        raise _invalid("continue key is not valid: json: cannot unmarshal token")
    if revision == 0:
        raise _invalid("continue key is not valid: incorrect encoded start resourceVersion (version meta.k8s.io/v1)")
    if not start:
        raise _invalid("continue key is not valid: encoded start key empty (version meta.k8s.io/v1)")
    # The client chose `start`: whatever it says, the page must not reach above the prefix.
    key = start.removeprefix("/")
    if key and any(segment in ("", ".", "..") for segment in key.split("/")):
        raise _invalid(f"continue key is not valid: {start}")
    return prefix + key, revision


def parse_resource_version(text: str) -> int:
    """The revision a `resourceVersion` parameter names; "" and "0" are 0. Raises StatusError 400."""
    if not text:
        return 0
    if text.isascii() and text.isdigit():
        revision = int(text) if len(text) <= 20 else _MAX_UINT64 + 1
        if revision <= _MAX_UINT64:
            return revision
        why = "value out of range"
    else:
        why = "invalid syntax"
    quoted = quote(text)
    raise errors.bad_request(
        f"invalid resource version: resourceVersion: Invalid value: {quoted}: "
        f"strconv.ParseUint: parsing {quoted}: {why}"
    )


def _fields(token: str) -> JSONObject:
    wrong = _NOT_BASE64URL.search(token)
    if wrong is not None or len(token) % 4 == 1:
        at = wrong.start() if wrong is not None else len(token) - 1
        raise _invalid(f"continue key is not valid: illegal base64 data at input byte {at}")
    try:
        fields = orjson.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    except (binascii.Error, ValueError) as error:
        raise _invalid(f"continue key is not valid: {error}") from error
    if not isinstance(fields, dict):
        raise _invalid("continue key is not valid: json: cannot unmarshal token")
    return fields


def _invalid(why: str) -> errors.StatusError:
    return errors.bad_request(f"invalid continue token: {why}")
