"""JSON patch (RFC 6902) with the dialect of the library Kubernetes uses.

Called by the patch endpoint. Differences to the RFC, as in `evanphx/json-patch` v4: negative array indexes
count from the end, the whole document cannot be addressed, a `test` for null also holds for a missing key.
Only the containers on the way to a change are copied: a tenth of the price of a deep copy.
"""

from collections.abc import Sequence
from typing import Any

import orjson

from generic.patching.errors import InapplicablePatch, InvalidPatch

MAX_OPERATIONS = 10_000
"""More operations in one patch are refused with 413."""

MAX_COPY_BYTES = 3 * 1024 * 1024
"""Of JSON that the `copy` operations of one patch may add: without it a short patch doubles an object at will."""


def apply(obj: Any, operations: Sequence[Any]) -> Any:
    """The object after all operations; the argument is left alone.

    Raises InapplicablePatch where an operation does not fit, InvalidPatch where it is none.
    """
    if len(operations) > MAX_OPERATIONS:
        allowed = f"The allowed maximum operations in a JSON patch is {MAX_OPERATIONS}, got {len(operations)}"
        raise InvalidPatch(allowed)
    document = _Document(obj)
    for operation in operations:
        if not isinstance(operation, dict):
            raise InvalidPatch("json: cannot unmarshal into Go value of type jsonpatch.Operation")
        kind = operation.get("op")
        change = _CHANGES.get(kind) if isinstance(kind, str) else None
        if change is None:
            raise InapplicablePatch(f"Unexpected kind: {kind if isinstance(kind, str) else 'unknown'}")
        change(document, operation)
    return document.root


class _Document:
    """The object being changed. Containers in `_own` are copies made for this patch and may be changed in place."""

    def __init__(self, root: Any) -> None:
        self.root = root
        self.copied = 0
        # Keyed by identity; the values keep the containers alive, so no identity is ever used twice.
        self._own: dict[int, Any] = {}

    def parent(self, op: str, path: str) -> tuple[Any, str]:
        """The container a path ends in, ready to be changed, and the last key of the path."""
        keys = _keys(path)
        if not keys or not isinstance(self.root, dict | list):
            raise _missing(op, path)
        self.root = container = self._writable(self.root)
        for key in keys[:-1]:
            child = _get(container, key, op, path)
            if not isinstance(child, dict | list):
                raise _missing(op, path)
            writable = self._writable(child)
            if writable is not child:
                container[key if isinstance(container, dict) else _index(key, container)] = writable
            container = writable
        return container, keys[-1]

    def look(self, op: str, path: str) -> tuple[Any, str]:
        """Like `parent`, for reading only."""
        keys = _keys(path)
        container = self.root
        for key in keys[:-1]:
            if not isinstance(container, dict | list):
                break
            container = _get(container, key, op, path)
        if not keys or not isinstance(container, dict | list):
            raise _missing(op, path)
        return container, keys[-1]

    def _writable(self, container: Any) -> Any:
        if id(container) in self._own:
            return container
        copied = container.copy()
        self._own[id(copied)] = copied
        return copied


def _add(document: _Document, operation: dict[str, Any]) -> None:
    _insert(document, "add", _path(operation, "path"), operation.get("value"))


def _insert(document: _Document, op: str, path: str, value: Any) -> None:
    container, key = document.parent(op, path)
    if isinstance(container, dict):
        container[key] = value
    elif key == "-":
        container.append(value)
    else:
        # One more place than there are items, and negative indexes count from behind that one.
        container.insert(_bounded(key, len(container) + 1, path), value)


def _remove(document: _Document, operation: dict[str, Any]) -> None:
    _take(document, "remove", _path(operation, "path"))


def _take(document: _Document, op: str, path: str) -> Any:
    container, key = document.parent(op, path)
    if isinstance(container, list):
        return container.pop(_bounded(key, len(container), path))
    if key not in container:
        raise InapplicablePatch(
            f"error in {op} for path: '{path}': Unable to remove nonexistent key: {key}: missing value"
        )
    return container.pop(key)


def _replace(document: _Document, operation: dict[str, Any]) -> None:
    path = _path(operation, "path")
    container, key = document.parent("replace", path)
    if isinstance(container, list):
        container[_bounded(key, len(container), path)] = operation.get("value")
    elif key in container:
        container[key] = operation.get("value")
    else:
        raise InapplicablePatch(f"replace operation does not apply: doc is missing key: {path}: missing value")


def _move(document: _Document, operation: dict[str, Any]) -> None:
    value = _take(document, "move", _path(operation, "from"))
    _insert(document, "move", _path(operation, "path"), value)


def _copy(document: _Document, operation: dict[str, Any]) -> None:
    source = _path(operation, "from")
    container, key = document.look("copy", source)
    # By way of JSON: the copy shares nothing, and its size is what counts against the limit.
    encoded = orjson.dumps(_get(container, key, "copy", source))
    document.copied += len(encoded)
    if document.copied > MAX_COPY_BYTES:
        raise InapplicablePatch(
            "Unable to complete the copy, the accumulated size increase of copy is "
            f"{document.copied}, exceeding the limit {MAX_COPY_BYTES}"
        )
    _insert(document, "copy", _path(operation, "path"), orjson.loads(encoded))


def _test(document: _Document, operation: dict[str, Any]) -> None:
    path = _path(operation, "path")
    container, key = document.look("test", path)
    expected = operation.get("value")
    actual = container.get(key) if isinstance(container, dict) else _get(container, key, "test", path)
    # Compared as JSON text: unlike in Python, true is not 1 and 1 is not 1.0.
    if orjson.dumps(actual, option=orjson.OPT_SORT_KEYS) != orjson.dumps(expected, option=orjson.OPT_SORT_KEYS):
        raise InapplicablePatch(f"testing value {path} failed: test failed")


_CHANGES = {"add": _add, "remove": _remove, "replace": _replace, "move": _move, "copy": _copy, "test": _test}


def _path(operation: dict[str, Any], member: str) -> str:
    path = operation.get(member)
    if not isinstance(path, str):
        kind = operation["op"]
        raise InapplicablePatch(f"{kind} operation failed to decode path: operation missing {member} field")
    return path


def _keys(path: str) -> list[str]:
    keys = path.split("/")[1:]
    return [key.replace("~1", "/").replace("~0", "~") for key in keys] if "~" in path else keys


def _get(container: Any, key: str, op: str, path: str) -> Any:
    if isinstance(container, list):
        return container[_bounded(key, len(container), path)]
    if key not in container:
        raise _missing(op, path)
    return container[key]


def _index(key: str, container: list[Any]) -> int:
    return _bounded(key, len(container), key)


def _bounded(key: str, size: int, path: str) -> int:
    """The place in an array of `size` that `key` names, not negative."""
    digits = key[1:] if key[:1] in ("-", "+") else key
    if not digits.isascii() or not digits.isdigit() or len(digits) > 18:
        raise InapplicablePatch(f"value was not a proper array index: '{key}' in '{path}'")
    index = int(key)
    if not -size <= index < size:
        raise InapplicablePatch(f"Unable to access invalid index: {index}: invalid index referenced")
    return index + size if index < 0 else index


def _missing(op: str, path: str) -> InapplicablePatch:
    return InapplicablePatch(f'{op} operation does not apply: doc is missing path: "{path}": missing value')
