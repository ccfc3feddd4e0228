"""The leaves of a schema: text, numbers, and Go types that have a decoder of their own.

Called by the compilers `typed.py` and `structural.py`. Mirrors UnmarshalJSON of `resource.Quantity`, `metav1.Time`,
`metav1.MicroTime` and `intstr.IntOrString`.
"""

from typing import Any

from generic.meta import quantity as quantities
from generic.meta import time as times
from generic.schema import go_words
from generic.schema.go_words import Place, literal, name_of
from generic.schema.nodes import Refusal, Scalar

_INT32_END = 1 << 31
_INT64_END = 1 << 63


def _is_text(value: Any) -> bool:
    return type(value) is str or value is None


def _is_boolean(value: Any) -> bool:
    return type(value) is bool or value is None


def _is_int32(value: Any) -> bool:
    return (type(value) is int and -_INT32_END <= value < _INT32_END) or value is None


def _is_int64(value: Any) -> bool:
    return (type(value) is int and -_INT64_END <= value < _INT64_END) or value is None


def _is_number(value: Any) -> bool:
    return type(value) is int or type(value) is float or value is None


def _is_whole(value: Any) -> bool:
    return type(value) is int or value is None or (type(value) is float and value.is_integer())


def _is_int_or_string(value: Any) -> bool:
    return type(value) is str or _is_int32(value)


def _is_bytes(value: Any) -> bool:
    return value is None or (type(value) is str and not go_words.base64_error(value))


def _is_quantity(value: Any) -> bool:
    if type(value) is str:
        try:
            quantities.Quantity.parse(value)
        except ValueError:
            return False
        return True
    return value is None or _is_number(value)


def _is_time(value: Any) -> bool:
    return value is None or (type(value) is str and not go_words.time_error(value, go_words.TIME_LAYOUT))


def _is_micro_time(value: Any) -> bool:
    return value is None or (type(value) is str and not go_words.time_error(value, go_words.MICRO_TIME_LAYOUT))


def _explain_integer(go_type: str) -> Any:
    def explain(value: Any, place: Place) -> str:
        is_number = type(value) is int or type(value) is float
        return place.mismatch(f"number {literal(value)}" if is_number else name_of(value), go_type)

    return explain


def _explain_bytes(value: Any, place: Place) -> str:
    return go_words.base64_error(value) if type(value) is str else place.mismatch(name_of(value), "[]uint8")


def _refuse_int_or_string(value: Any, place: Place) -> str:
    raise Refusal(_explain_integer("int32")(value, place))


def _refuse_quantity(value: Any, place: Place) -> str:
    text = value if type(value) is str else literal(value)
    try:
        quantities.Quantity.parse(text)
    except ValueError as error:
        raise Refusal(str(error)) from None
    return ""


def _refuse_time(layout: str) -> Any:
    def refuse(value: Any, place: Place) -> str:
        if type(value) is not str:
            raise Refusal(place.mismatch(name_of(value), "string"))
        raise Refusal(go_words.time_error(value, layout))

    return refuse


def _canonical_quantity(value: Any) -> Any:
    """As Go writes a quantity back, whichever way it came."""
    if value is None or type(value) is bool:
        return value
    try:
        return quantities.canonical(value if type(value) is str else literal(value))
    except ValueError:
        return value


def _canonical_time(value: Any) -> Any:
    """In UTC and whole seconds, as Go writes a Time back."""
    if type(value) is not str or len(value) == len("2006-01-02T15:04:05Z"):
        return value
    try:
        return times.format_time(times.parse(value))
    except ValueError:
        return value


def _canonical_micro_time(value: Any) -> Any:
    if type(value) is not str or value.endswith("Z"):
        return value
    try:
        return times.format_micro_time(times.parse(value))
    except ValueError:
        return value


def text(*, judged: bool = False) -> Scalar:
    return Scalar("string", json_type="string", accepts=_is_text, zero="", judged=judged)


def boolean(*, judged: bool = False) -> Scalar:
    return Scalar("bool", json_type="boolean", accepts=_is_boolean, zero=False, judged=judged)


def int32() -> Scalar:
    return Scalar("int32", json_type="integer", accepts=_is_int32, explain=_explain_integer("int32"), zero=0)


def int64() -> Scalar:
    return Scalar("int64", json_type="integer", accepts=_is_int64, explain=_explain_integer("int64"), zero=0)


def number(*, judged: bool = False) -> Scalar:
    return Scalar("float64", json_type="number", accepts=_is_number, zero=0, judged=judged)


def whole() -> Scalar:
    """An integer as CRDs judge it: 1.0 is one."""
    return Scalar("int64", json_type="integer", accepts=_is_whole, judged=True)


def int_or_string(*, judged: bool = False) -> Scalar:
    if judged:
        return Scalar(
            "intstr.IntOrString",
            json_type="integer,string",
            accepts=lambda value: type(value) is str or _is_whole(value),
            judged=True,
        )
    return Scalar(
        "intstr.IntOrString",
        json_type="integer,string",
        accepts=_is_int_or_string,
        explain=_refuse_int_or_string,
        zero=0,
    )


def base64() -> Scalar:
    return Scalar("[]uint8", json_type="string", accepts=_is_bytes, explain=_explain_bytes, zero="")


def quantity() -> Scalar:
    return Scalar(
        "resource.Quantity",
        json_type="string",
        accepts=_is_quantity,
        explain=_refuse_quantity,
        canonical=_canonical_quantity,
        zero="0",
    )


def time() -> Scalar:
    return Scalar(
        "v1.Time",
        json_type="string",
        accepts=_is_time,
        explain=_refuse_time(go_words.TIME_LAYOUT),
        canonical=_canonical_time,
    )


def micro_time() -> Scalar:
    return Scalar(
        "v1.MicroTime",
        json_type="string",
        accepts=_is_micro_time,
        explain=_refuse_time(go_words.MICRO_TIME_LAYOUT),
        canonical=_canonical_micro_time,
    )
