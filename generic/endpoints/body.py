"""Reading a request's body and turning it into a Python value. Called by the verb handlers.

Mirrors `apiserver/pkg/endpoints/handlers/rest.go` limitedReadBody and `negotiation`.
"""

import asyncio
import math
from collections.abc import Callable
from typing import Any, Literal, TypeVar

import orjson
import yaml

from generic.meta import errors
from generic.protobuf import envelope
from generic.types import Receive, Scope

MAX_BODY = 3 * 1024 * 1024
"""Bytes. The limit etcd and so Kubernetes put on a request."""

LONG_YAML = 16 * 1024
"""Bytes that may take some hundredths of a second to read."""

Format = Literal["json", "yaml", "protobuf"]
T = TypeVar("T")

_FORMATS: dict[str, Format] = {
    "application/json": "json",
    "application/yaml": "yaml",
}
ACCEPTED = ("application/json", "application/yaml")


def header(scope: Scope, name: bytes) -> str:
    """One request header by its lower-case name; the empty string if it is not there."""
    for key, value in scope["headers"]:
        if key == name:
            return str(value, "latin-1")
    return ""


async def read(receive: Receive, scope: Scope, limit: int = MAX_BODY) -> bytes:
    """The whole body. Raises 413 over the limit, 400 if the client left in the middle."""
    declared = header(scope, b"content-length")
    if declared.isdigit() and int(declared) > limit:
        raise _too_large(limit)
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise errors.bad_request("the client closed the connection before the body was complete")
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > limit:
            # The rest is the listener's to receive and drop (generic.serving).
            raise _too_large(limit)
        chunks.append(chunk)
        if not message.get("more_body", False):
            return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def _too_large(limit: int) -> errors.StatusError:
    return errors.request_entity_too_large(f"Request entity too large: limit is {limit}")


def media_type(scope: Scope) -> str:
    """The media type of the body, without parameters; JSON if the client does not say."""
    return header(scope, b"content-type").partition(";")[0].strip().lower() or "application/json"


def format_of(scope: Scope, *, protobuf: bool = False) -> Format:
    """What the body is written in; protobuf only where it can be read. Raises 415 otherwise."""
    given = media_type(scope)
    if protobuf and given == envelope.MEDIA_TYPE:
        return "protobuf"
    found = _FORMATS.get(given)
    if found is None:
        raise errors.unsupported_media_type((*ACCEPTED, envelope.MEDIA_TYPE) if protobuf else ACCEPTED)
    return found


def parse(body: bytes, form: Format) -> Any:
    """The decoded value of JSON or YAML. Raises ValueError with a one-line reason."""
    if form == "json":
        return orjson.loads(body)
    try:
        return yaml.load(body, Loader=_JSONCompatibleLoader)  # noqa: S506, a safe loader below it
    except yaml.YAMLError as error:
        raise ValueError("yaml: " + " ".join(str(error).split())) from None
    except (UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"yaml: {type(error).__name__}") from None
    except (IndexError, KeyError) as error:
        # What the loader says of a text that is none of what its tag claims, such as `!!bool maybe`.
        raise ValueError(f"yaml: a value is not what its tag says: {error}") from None


async def apart(body: bytes, form: Format, decode: Callable[[], T]) -> T:
    """What `decode` makes of the body; of long YAML on a thread, for it takes seconds, and others want to be served."""
    if form == "yaml" and len(body) > LONG_YAML:
        return await asyncio.to_thread(decode)
    return decode()


class _JSONCompatibleLoader(yaml.CSafeLoader):
    """YAML as Kubernetes reads it: what JSON can say, so dates stay text and keys are text."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002, yaml's signature
        mapping = super().construct_mapping(node, deep=deep)
        return {_key(key): value for key, value in mapping.items()}


def _key(key: Any) -> str:
    if isinstance(key, bool):
        return "true" if key else "false"
    return key if isinstance(key, str) else str(key)


def _as_text(loader: _JSONCompatibleLoader, node: yaml.ScalarNode) -> str:
    return str(loader.construct_scalar(node))


def _integer(loader: _JSONCompatibleLoader, node: yaml.ScalarNode) -> int | str:
    # `22:22` is no number to the base of 60 to Kubernetes.
    return _as_text(loader, node) if ":" in node.value else loader.construct_yaml_int(node)


def _float(loader: _JSONCompatibleLoader, node: yaml.ScalarNode) -> float | str:
    if ":" in node.value:
        return _as_text(loader, node)
    value = loader.construct_yaml_float(node)
    if not math.isfinite(value):
        raise ValueError(f"json: unsupported value: {node.value}")
    return value


_JSONCompatibleLoader.add_constructor("tag:yaml.org,2002:timestamp", _as_text)
_JSONCompatibleLoader.add_constructor("tag:yaml.org,2002:int", _integer)
_JSONCompatibleLoader.add_constructor("tag:yaml.org,2002:float", _float)
