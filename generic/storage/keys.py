"""Key ranges: what text bounds the keys that begin with a prefix.

Called by the storage engines, whose keys are ordered by their UTF-8 bytes, which is the order of code points.
"""

LAST = "\U0010ffff"
SURROGATES = range(0xD800, 0xE000)
"""Not characters: no key holds them."""


def prefix_end(prefix: str) -> str | None:
    """The smallest text greater than every key beginning with `prefix`; None if there is no such text."""
    stem = prefix.rstrip(LAST)
    if not stem:
        return None
    following = ord(stem[-1]) + 1
    return stem[:-1] + chr(SURROGATES.stop if following in SURROGATES else following)
