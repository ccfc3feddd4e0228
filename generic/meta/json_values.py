"""Whether two JSON values are the same, where Python's `==` is not enough.

Called wherever a write asks what it changes: `generic/registry/{update,system_fields}.py` and
`generic/patching/apply`. To Python true is 1 and false is 0; to JSON they are not, and a change from one to the other
must not pass for none. 1 and 1.0 are one number to both.
"""

from typing import Any


def same(one: Any, other: Any) -> bool:
    """Whether the two, as decoded from JSON, stand for the same value."""
    # Python's own comparison is the fast one, and mostly has the last word.
    return bool(one == other) and _same_booleans(one, other)


def _same_booleans(one: Any, other: Any) -> bool:
    """Of equal values: whether each boolean is one in both."""
    if isinstance(one, dict):
        return all(_same_booleans(value, other[key]) for key, value in one.items())
    if isinstance(one, list):
        return all(map(_same_booleans, one, other))
    return isinstance(one, bool) is isinstance(other, bool)
