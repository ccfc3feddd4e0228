"""Names: which strings may be one, generating them, and new uids.

Called by object_meta and selectors, by the create path for generateName and by strategies. Each rule takes
a string and returns what is wrong with it, in Kubernetes' words; empty means valid. Mirrors
`apimachinery/pkg/util/validation`, `pkg/api/validate/content`, `pkg/api/validation/{generic,name}.go`
and `apiserver/pkg/storage/names`.
"""

import os
import random
import re
from collections.abc import Callable, Mapping
from typing import TypeAlias

NameValidator: TypeAlias = Callable[[str], list[str]]
"""Takes a whole name, returns the messages of what is wrong with it."""

_DNS1123_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_DNS1123_SUBDOMAIN = rf"{_DNS1123_LABEL}(\.{_DNS1123_LABEL})*"
_DNS1035_LABEL = "[a-z]([-a-z0-9]*[a-z0-9])?"
_QUALIFIED_NAME = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_LABEL_VALUE = f"({_QUALIFIED_NAME})?"

_is_dns1123_label = re.compile(_DNS1123_LABEL).fullmatch
_is_dns1123_subdomain = re.compile(_DNS1123_SUBDOMAIN).fullmatch
_is_dns1035_label = re.compile(_DNS1035_LABEL).fullmatch
_is_qualified_name = re.compile(_QUALIFIED_NAME).fullmatch
_is_label_value = re.compile(_LABEL_VALUE).fullmatch

_SUBDOMAIN_LIMIT = 253
_LABEL_LIMIT = 63

_GENERATED_SUFFIX = 5
_GENERATED_BASE_LIMIT = _LABEL_LIMIT - _GENERATED_SUFFIX
# No vowels, no 0, 1, 3: generated names spell no words and are not misread.
_SAFE_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"

EMPTY = "must be non-empty"


def too_long(limit: int) -> str:
    """The message for a DNS name or key of more than `limit` bytes: "characters", whatever they are."""
    return f"must be no more than {limit} characters"


def too_many_bytes(limit: int) -> str:
    """The same for the parts of labels, whose rules are newer and more exact."""
    return f"must be no more than {limit} bytes"


def regex_mismatch(message: str, pattern: str, *examples: str) -> str:
    """The message for a string that is not of the form `pattern`."""
    if not examples:
        return f"{message} (regex used for validation is '{pattern}')"
    shown = " or ".join(f"'{example}', " for example in examples)
    return f"{message} (e.g. {shown}regex used for validation is '{pattern}')"


def dns1123_subdomain(value: str) -> list[str]:
    """The rule most object names follow."""
    problems = [too_long(_SUBDOMAIN_LIMIT)] if _longer_than(_SUBDOMAIN_LIMIT, value) else []
    return problems + _subdomain_form(value)


def _subdomain_form(value: str) -> list[str]:
    problems = []
    if not _is_dns1123_subdomain(value):
        what = (
            "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', "
            "and must start and end with an alphanumeric character"
        )
        problems.append(regex_mismatch(what, _DNS1123_SUBDOMAIN, "example.com"))
    return problems


def wildcard_subdomain(value: str) -> list[str]:
    """A subdomain whose first label is a star."""
    problems = [too_long(_SUBDOMAIN_LIMIT)] if _longer_than(_SUBDOMAIN_LIMIT, value) else []
    if not value.startswith("*.") or not _is_dns1123_subdomain(value[2:]):
        what = (
            "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist "
            "of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character"
        )
        problems.append(regex_mismatch(what, f"\\*\\.{_DNS1123_SUBDOMAIN}", "*.example.com"))
    return problems


def dns1123_label(value: str) -> list[str]:
    """The rule of namespace names: one DNS label."""
    problems = [too_long(_LABEL_LIMIT)] if _longer_than(_LABEL_LIMIT, value) else []
    if not _is_dns1123_label(value):
        if _is_dns1123_subdomain(value):
            problems.append("must not contain dots")
        else:
            what = (
                "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', "
                "and must start and end with an alphanumeric character"
            )
            problems.append(regex_mismatch(what, _DNS1123_LABEL, "my-name", "123-abc"))
    return problems


def dns1035_label(value: str) -> list[str]:
    """A DNS label that starts with a letter: Service names, CRD plurals and kinds."""
    problems = [too_long(_LABEL_LIMIT)] if _longer_than(_LABEL_LIMIT, value) else []
    if not _is_dns1035_label(value):
        what = (
            "a DNS-1035 label must consist of lower case alphanumeric characters or '-', "
            "start with an alphabetic character, and end with an alphanumeric character"
        )
        problems.append(regex_mismatch(what, _DNS1035_LABEL, "my-name", "abc-123"))
    return problems


def qualified_name(value: str) -> list[str]:
    """A label key: an optional DNS prefix and a slash, then a name."""
    mismatch = regex_mismatch(
        "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
        "alphanumeric character",
        _QUALIFIED_NAME,
        "MyName",
        "my.name",
        "123-abc",
    )
    prefix, slash, name = value.rpartition("/")
    if "/" in prefix:
        suffix = " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
        return [f"a valid label key {mismatch}{suffix}"]
    problems: list[str] = []
    if slash and not prefix:
        problems.append(f"prefix part {EMPTY}")
    elif slash:
        long = [too_many_bytes(_SUBDOMAIN_LIMIT)] if _longer_than(_SUBDOMAIN_LIMIT, prefix) else []
        problems += [f"prefix part {message}" for message in (*long, *_subdomain_form(prefix))]
    if not name:
        problems.append(f"name part {EMPTY}")
    elif _longer_than(_LABEL_LIMIT, name):
        problems.append(f"name part {too_many_bytes(_LABEL_LIMIT)}")
    if not _is_qualified_name(name):
        problems.append(f"name part {mismatch}")
    return problems


def label_value(value: str) -> list[str]:
    """The value of a label; may be empty."""
    problems = [too_many_bytes(_LABEL_LIMIT)] if _longer_than(_LABEL_LIMIT, value) else []
    if not _is_label_value(value):
        what = (
            "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', "
            "and must start and end with an alphanumeric character"
        )
        problems.append(regex_mismatch(what, _LABEL_VALUE, "MyValue", "my_value", "12345"))
    return problems


def path_segment_name(value: str) -> list[str]:
    """Anything that can stand between two slashes of a URL: the rule of RBAC's names."""
    if value in (".", ".."):
        return [f"may not be '{value}'"]
    return path_segment_prefix(value)


def path_segment_prefix(value: str) -> list[str]:
    """Like `path_segment_name`, for something a suffix is put after."""
    return [f"may not contain '{illegal}'" for illegal in "/%" if illegal in value]


def anything(value: str) -> list[str]:
    """No rule at all: names of events."""
    return []


def generate_name_problems(validator: NameValidator, base: str) -> list[str]:
    """What is wrong with `base` as a generateName, where names must satisfy `validator`."""
    if validator is path_segment_name:
        return path_segment_prefix(base)
    # The generated suffix makes a trailing dash legal, so validate as if something followed it.
    masked = f"{base[:-2]}a" if len(base) > 1 and base.endswith("-") else base
    return validator(masked)


VALIDATORS: Mapping[str, NameValidator] = {
    "subdomain": dns1123_subdomain,
    "label": dns1123_label,
    "label1035": dns1035_label,
    "path": path_segment_name,
    "any": anything,
}
"""The rules a Strategy may choose from for the names of its objects."""


def generate_name(base: str) -> str:
    """`base`, cut so that the result fits a DNS label, with five random characters."""
    return base[:_GENERATED_BASE_LIMIT] + "".join(random.choices(_SAFE_ALPHABET, k=_GENERATED_SUFFIX))


def new_uid() -> str:
    """A random (version 4) UUID. Formatted here: half the price of the uuid module's."""
    digits = os.urandom(16).hex()
    variant = "89ab"[int(digits[16], 16) & 3]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"


def _longer_than(limit: int, value: str) -> bool:
    # Kubernetes counts bytes; only text that is not ASCII needs encoding for that.
    return len(value) > limit or (not value.isascii() and len(value.encode("utf-8", "surrogatepass")) > limit)
