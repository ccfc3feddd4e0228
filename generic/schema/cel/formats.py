"""Named formats of strings: `format.dns1123Label().validate(x)`. Part of `functions.py`.

Mirrors `apiserver/pkg/cel/library/format.go`.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from generic.meta import names
from generic.schema import formats
from generic.schema.cel import networks
from generic.schema.cel.errors import NO_OVERLOAD, EvaluationError
from generic.schema.cel.values import NONE, NamedFormat, Optional

_FORMAT = "kubernetes.NamedFormat"


def _known(format_name: str, words: str, value: str) -> list[str]:
    return [] if formats.CHECKS[format_name](value) else [words]


def _uri(value: str) -> list[str]:
    try:
        networks.parse_url(value)
    except EvaluationError as error:
        return [str(error)]
    return []


def _prefix(check: Callable[[str], list[str]], value: str) -> list[str]:
    """Of a name that something will be appended to."""
    return check(value.removesuffix("-") if len(value) > 1 else value)


_CHECKS: Mapping[str, Callable[[str], list[str]]] = {
    "dns1123Label": names.dns1123_label,
    "dns1123Subdomain": names.dns1123_subdomain,
    "dns1035Label": names.dns1035_label,
    "dns1123LabelPrefix": partial(_prefix, names.dns1123_label),
    "dns1123SubdomainPrefix": partial(_prefix, names.dns1123_subdomain),
    "dns1035LabelPrefix": partial(_prefix, names.dns1035_label),
    "qualifiedName": names.qualified_name,
    "labelValue": names.label_value,
    "uri": _uri,
    "uuid": partial(_known, "uuid", "does not match the UUID format"),
    "byte": partial(_known, "byte", "invalid base64"),
    "date": partial(_known, "date", "invalid date"),
    "datetime": partial(_known, "datetime", "invalid datetime"),
}
FORMATS: Mapping[str, NamedFormat] = {name: NamedFormat(name, check) for name, check in _CHECKS.items()}


def _validate(held: Any, value: Any) -> Optional:
    if type(held) is not NamedFormat or type(value) is not str:
        raise EvaluationError(NO_OVERLOAD)
    problems = held.problems(value)
    return Optional((problems,)) if problems else NONE


def _named(name: Any) -> Optional:
    return Optional((FORMATS[name],)) if name in FORMATS else NONE


def _constant(held: NamedFormat) -> Callable[[], NamedFormat]:
    return lambda: held


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "format.named": _named,
    "validate": _validate,
    **{f"format.{name}": _constant(held) for name, held in FORMATS.items()},
}
SIGNATURES = (
    f"format.named(string): optional<{_FORMAT}>",
    f"{_FORMAT}.validate(string): optional<list<string>>",
    *(f"format.{name}(): {_FORMAT}" for name in FORMATS),
)
