"""Field errors: what is wrong with an object, where, in the words clients know.

Mirrors `apimachinery/pkg/util/validation/field`. Validators collect `FieldError`s;
`errors.invalid` turns a list of them into one 422 `Status`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from generic.meta import go_text

FieldErrorType = Literal[
    "FieldValueNotFound",
    "FieldValueRequired",
    "FieldValueDuplicate",
    "FieldValueInvalid",
    "FieldValueNotSupported",
    "FieldValueForbidden",
    "FieldValueTooLong",
    "FieldValueTooMany",
    "InternalError",
    "FieldValueTypeInvalid",
]

_TITLES: dict[str, str] = {
    "FieldValueNotFound": "Not found",
    "FieldValueRequired": "Required value",
    "FieldValueDuplicate": "Duplicate value",
    "FieldValueInvalid": "Invalid value",
    "FieldValueNotSupported": "Unsupported value",
    "FieldValueForbidden": "Forbidden",
    "FieldValueTooLong": "Too long",
    "FieldValueTooMany": "Too many",
    "InternalError": "Internal error",
    "FieldValueTypeInvalid": "Invalid value",
}
_WITHOUT_VALUE = {"FieldValueRequired", "FieldValueForbidden", "FieldValueTooLong", "InternalError"}


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing wrong with one field; `field` is a path such as `spec.ports[0].port`."""

    type: FieldErrorType
    field: str
    value: Any = None
    detail: str = ""

    @property
    def body(self) -> str:
        """The message without the path, as it stands in `details.causes[].message`."""
        title = _TITLES[self.type]
        text = title if self.type in _WITHOUT_VALUE or self.value is OMITTED else f"{title}: {_render(self.value)}"
        return f"{text}: {self.detail}" if self.detail else text

    def __str__(self) -> str:
        return f"{self.field}: {self.body}"


OMITTED: Any = object()
"""The value of an error that shows none."""


def _render(value: Any) -> str:
    """Go's rendering of a value in a field error: strings quoted, structures as JSON, nil as null."""
    if isinstance(value, str):
        return value if isinstance(value, _Bare) else go_text.quote(value)
    return go_text.number(value) if isinstance(value, float) else go_text.to_json(value, ordered=True)


class _Bare(str):
    """A value that is printed as it is, without quotes."""


def required(field: str, detail: str = "") -> FieldError:
    return FieldError("FieldValueRequired", field, "", detail)


def invalid(field: str, value: Any, detail: str) -> FieldError:
    return FieldError("FieldValueInvalid", field, value, detail)


def type_invalid(field: str, value: Any, detail: str) -> FieldError:
    return FieldError("FieldValueTypeInvalid", field, value, detail)


def not_found(field: str, value: Any) -> FieldError:
    return FieldError("FieldValueNotFound", field, value)


def duplicate(field: str, value: Any) -> FieldError:
    return FieldError("FieldValueDuplicate", field, value)


def forbidden(field: str, detail: str) -> FieldError:
    return FieldError("FieldValueForbidden", field, "", detail)


def not_supported(field: str, value: Any, supported: Iterable[str]) -> FieldError:
    allowed = ", ".join(map(go_text.quote, supported))
    return FieldError("FieldValueNotSupported", field, value, f"supported values: {allowed}" if allowed else "")


def too_long(field: str, max_length: int) -> FieldError:
    """Mirrors field.TooLong: the value itself is never echoed."""
    return FieldError("FieldValueTooLong", field, "", f"may not be more than {max_length} bytes")


def too_many(field: str, actual: int, maximum: int) -> FieldError:
    return FieldError("FieldValueTooMany", field, actual, f"must have at most {maximum} items")


IMMUTABLE = "field is immutable"
