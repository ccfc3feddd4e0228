"""The keys of ConfigMaps and Secrets, which have to make file names. Mirrors IsConfigMapKey of
`apimachinery/pkg/util/validation`."""

import re

from generic.meta import names

_LIMIT = 253
_is_key = re.compile(r"[-._a-zA-Z0-9]+").fullmatch


def problems(key: str) -> list[str]:
    """What is wrong with a key."""
    found = [names.too_long(_LIMIT)] if len(key) > _LIMIT else []
    if not _is_key(key):
        what = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'"
        found.append(names.regex_mismatch(what, "[-._a-zA-Z0-9]+", "key.name", "KEY_NAME", "key-name"))
    if key == ".":
        found.append("must not be '.'")
    elif key == "..":
        found.append("must not be '..'")
    elif key.startswith(".."):
        found.append("must not start with '..'")
    return found
