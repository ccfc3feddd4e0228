"""JSON patch (RFC 6902) with the dialect of the library Kubernetes uses.

Called by the patch endpoint. Differences to the RFC, as in `evanphx/json-patch` v4: negative array indexes
count from the end, `replace` also adds a missing member of an object, a missing member tests and copies as
null, the whole document can be tested and replaced only.
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
    if not isinstance(operations, list):
        raise InvalidPatch("json: cannot unmarshal object into Go value of type jsonpatch.Patch")
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

    def parent(self, path: str) -> tuple[Any, str] | None:
        """The container a path ends in, ready to be changed, and the last key; None if it does not exist."""
        keys = _keys(path)
        if not keys or not isinstance(self.root, dict | list):
            return None
        self.root = container = self._writable(self.root)
        for key in keys[:-1]:
            place = _place(container, key)
            child = None if place is None else container[place]
            if not isinstance(child, dict | list):
                return None
            writable = self._writable(child)
            if writable is not child:
                container[place] = writable
            container = writable
        return container, keys[-1]

    def look(self, path: str) -> tuple[Any, str] | None:
        """Like `parent`, for reading only."""
        keys = _keys(path)
        container = self.root
        for key in keys[:-1]:
            place = _place(container, key) if isinstance(container, dict | list) else None
            if place is None:
                return None
            container = container[place]
        return (container, keys[-1]) if keys and isinstance(container, dict | list) else None

    def _writable(self, container: Any) -> Any:
        if id(container) in self._own:
            return container
        copied = container.copy()
        self._own[id(copied)] = copied
        return copied


def _add(document: _Document, operation: dict[str, Any]) -> None:
    path = _path("add", operation)
    _insert(document, "add", path, operation.get("value"), missing=f'doc is missing path: "{path}"')


def _insert(document: _Document, op: str, path: str, value: Any, *, missing: str) -> None:
    found = document.parent(path)
    if found is None:
        raise InapplicablePatch(f"{op} operation does not apply: {missing}: missing value")
    container, key = found
    if isinstance(container, dict):
        container[key] = value
    elif key == "-":
        container.append(value)
    else:
        # One more place than there are items, and negative indexes count from behind that one.
        container.insert(_index(op, key, len(container) + 1, path), value)


def _remove(document: _Document, operation: dict[str, Any]) -> None:
    path = _path("remove", operation)
    _take(document, "remove", path, missing=f'doc is missing path: "{path}"')


def _take(document: _Document, op: str, path: str, *, missing: str) -> Any:
    found = document.parent(path)
    if found is None:
        raise InapplicablePatch(f"{op} operation does not apply: {missing}: missing value")
    container, key = found
    if isinstance(container, list):
        return container.pop(_index(op, key, len(container), path))
    if key not in container:
        why = f"Unable to remove nonexistent key: {key}: missing value"
        raise InapplicablePatch(f"error in {op} for path: '{path}': {why}")
    return container.pop(key)


def _replace(document: _Document, operation: dict[str, Any]) -> None:
    path, value = _path("replace", operation), operation.get("value")
    if path == "":
        document.root = value
        return
    found = document.parent(path)
    if found is None:
        raise InapplicablePatch(f"replace operation does not apply: doc is missing path: {path}: missing value")
    container, key = found
    place = _place(container, key)
    if isinstance(container, list) and place is None:
        raise InapplicablePatch(f"replace operation does not apply: doc is missing key: {path}: missing value")
    container[key if place is None else place] = value


def _move(document: _Document, operation: dict[str, Any]) -> None:
    source = _path("move", operation, "from")
    value = _take(document, "move", source, missing=f"doc is missing from path: {source}")
    path = _path("move", operation)
    _insert(document, "move", path, value, missing=f"doc is missing destination path: {path}")


def _copy(document: _Document, operation: dict[str, Any]) -> None:
    source = _path("copy", operation, "from")
    found = document.look(source)
    if found is None:
        raise InapplicablePatch(f"copy operation does not apply: doc is missing from path: {source}: missing value")
    # By way of JSON: the copy shares nothing, and its size is what counts against the limit.
    encoded = orjson.dumps(_value("copy", found[0], found[1], source))
    document.copied += len(encoded)
    if document.copied > MAX_COPY_BYTES:
        raise InapplicablePatch(
            "Unable to complete the copy, the accumulated size increase of copy is "
            f"{document.copied}, exceeding the limit {MAX_COPY_BYTES}"
        )
    path = _path("copy", operation)
    _insert(document, "copy", path, orjson.loads(encoded), missing=f"doc is missing destination path: {path}")


def _test(document: _Document, operation: dict[str, Any]) -> None:
    path, expected = _path("test", operation), operation.get("value")
    if path == "":
        actual = document.root
    else:
        found = document.look(path)
        if found is None:
            raise InapplicablePatch(f"test operation does not apply: is missing path: {path}: missing value")
        actual = _value("test", found[0], found[1], path)
    # Compared as JSON text: unlike in Python, true is not 1 and 1 is not 1.0.
    if orjson.dumps(actual, option=orjson.OPT_SORT_KEYS) != orjson.dumps(expected, option=orjson.OPT_SORT_KEYS):
        raise InapplicablePatch(f"testing value {path} failed: test failed")


_CHANGES = {"add": _add, "remove": _remove, "replace": _replace, "move": _move, "copy": _copy, "test": _test}


def _path(op: str, operation: dict[str, Any], member: str = "path") -> str:
    path = operation.get(member)
    if not isinstance(path, str):
        why = f"operation, missing {member} field" if member == "from" else f"operation missing {member} field"
        raise InapplicablePatch(f"{op} operation failed to decode {member}: {why}: missing value")
    return path


def _keys(path: str) -> list[str]:
    keys = path.split("/")[1:]
    return [key.replace("~1", "/").replace("~0", "~") for key in keys] if "~" in path else keys


def _value(op: str, container: Any, key: str, path: str) -> Any:
    """What is under a key; null if an object has no such key."""
    return container.get(key) if isinstance(container, dict) else container[_index(op, key, len(container), path)]


def _place(container: Any, key: str) -> Any:
    """The key or index under which a container holds a child; None if it has none there."""
    if isinstance(container, dict):
        return key if key in container else None
    index = _integer(key)
    if index is None or not -len(container) <= index < len(container):
        return None
    return index


def _index(op: str, key: str, size: int, path: str) -> int:
    """The place in an array of `size` that `key` names, not negative."""
    index = _integer(key)
    if index is None:
        why = f'strconv.Atoi: parsing "{key}": invalid syntax'
        if op == "add":
            why = f"value was not a proper array index: '{key}': {why}"
    elif not -size <= index < size:
        why = f"Unable to access invalid index: {index}: invalid index referenced"
    else:
        return index + size if index < 0 else index
    raise InapplicablePatch(f"error in {op} for path: '{path}': {why}")


def _integer(key: str) -> int | None:
    digits = key[1:] if key[:1] in ("-", "+") else key
    return int(key) if digits.isascii() and digits.isdigit() and len(digits) <= 18 else None
