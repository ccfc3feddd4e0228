"""Types that Go writes to JSON in a way of their own: quantities, times, raw JSON, what may be one of several things.

`messages.py` reads them by LAYOUTS like any message and hands what it found to `to_json`; `encoding.py` writes them by
LAYOUTS what `from_json` made of the JSON. Mirrors MarshalJSON, UnmarshalJSON and the protobuf methods of
`apimachinery/pkg/api/resource`, `apis/meta/v1` Time and MicroTime, `util/intstr`, `runtime` RawExtension, and of
`apiextensions/v1` the types around JSONSchemaProps.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from generic.meta import time
from generic.meta.quantity import Quantity
from generic.types import JSONObject

RAW = "raw"
"""A type of ours: bytes that stay bytes, where `[]byte` becomes base64."""

QUANTITY = "io.k8s.apimachinery.pkg.api.resource.Quantity"
TIME = "io.k8s.apimachinery.pkg.apis.meta.v1.Time"
MICRO_TIME = "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime"
INT_OR_STRING = "io.k8s.apimachinery.pkg.util.intstr.IntOrString"
FIELDS_V1 = "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1"
RAW_EXTENSION = "io.k8s.apimachinery.pkg.runtime.RawExtension"
_APIEXTENSIONS = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1"
JSON = f"{_APIEXTENSIONS}.JSON"
SCHEMA = f"{_APIEXTENSIONS}.JSONSchemaProps"
SCHEMA_OR_ARRAY = f"{SCHEMA}OrArray"
SCHEMA_OR_BOOL = f"{SCHEMA}OrBool"
SCHEMA_OR_STRINGS = f"{SCHEMA}OrStringArray"

# Pointers tell a time that is not there (an empty message) from the first second of 1970.
_TIMESTAMP = {"1": "seconds *int64", "2": "nanos *int32"}
LAYOUTS: Mapping[str, Mapping[str, str]] = {
    QUANTITY: {"1": "string *string"},
    TIME: _TIMESTAMP,
    MICRO_TIME: _TIMESTAMP,
    INT_OR_STRING: {"1": "type int64", "2": "intVal int32", "3": "strVal string"},
    FIELDS_V1: {"1": f"raw {RAW}"},
    RAW_EXTENSION: {"1": f"raw {RAW}"},
    JSON: {"1": f"raw {RAW}"},
    SCHEMA_OR_ARRAY: {"1": f"schema *{SCHEMA}", "2": f"list []{SCHEMA}"},
    SCHEMA_OR_BOOL: {"1": "allows bool", "2": f"schema *{SCHEMA}"},
    SCHEMA_OR_STRINGS: {"1": f"schema *{SCHEMA}", "2": "list []string"},
}
"""As the tables have it, see `definitions.py`."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_json(name: str, message: JSONObject) -> Any:
    """What Go prints of a message of one of LAYOUTS; None for null. Raises ValueError."""
    return _PRINTERS[name](message)


def from_json(name: str, value: Any) -> JSONObject:
    """The message of one of LAYOUTS that prints as this; None is Go's zero. Raises ValueError."""
    return _READERS[name](value)


def _quantity(message: JSONObject) -> str:
    text = message["string"]
    return "0" if text is None else str(Quantity.parse(text))


def _time(message: JSONObject) -> str | None:
    moment = _moment(message, micros=False)
    return None if moment is None else time.format_time(moment)


def _micro_time(message: JSONObject) -> str | None:
    moment = _moment(message, micros=True)
    return None if moment is None else time.format_micro_time(moment)


def _moment(message: JSONObject, *, micros: bool) -> datetime | None:
    seconds, nanos = message["seconds"], message["nanos"]
    if seconds is None and nanos is None:
        return None
    try:
        return _EPOCH + timedelta(seconds=seconds or 0, microseconds=int((nanos or 0) / 1000) if micros else 0)
    except OverflowError:
        raise ValueError("Time.MarshalJSON: year outside of range [0,9999]") from None


def _int_or_string(message: JSONObject) -> int | str:
    match message["type"]:
        case 0:
            number: int = message["intVal"]
            return number
        case 1:
            text: str = message["strVal"]
            return text
    raise ValueError("impossible IntOrString.Type")


def _raw(message: JSONObject) -> Any:
    return orjson.loads(message["raw"]) if message["raw"] else None


def _schema_or_list(message: JSONObject) -> Any:
    return message["list"] or message["schema"]


def _schema_or_bool(message: JSONObject) -> JSONObject | bool:
    schema: JSONObject | None = message["schema"]
    return bool(message["allows"]) if schema is None else schema


_PRINTERS: Mapping[str, Callable[[JSONObject], Any]] = {
    QUANTITY: _quantity,
    TIME: _time,
    MICRO_TIME: _micro_time,
    INT_OR_STRING: _int_or_string,
    FIELDS_V1: _raw,
    RAW_EXTENSION: _raw,
    JSON: _raw,
    SCHEMA_OR_ARRAY: _schema_or_list,
    SCHEMA_OR_BOOL: _schema_or_bool,
    SCHEMA_OR_STRINGS: _schema_or_list,
}


def _of_quantity(value: Any) -> JSONObject:
    return {"string": "0" if value is None else str(Quantity.parse(str(value)))}


def _of_time(value: Any) -> JSONObject:
    if value is None:
        return {}
    moment = time.parse(value)
    seconds = (moment - _EPOCH) // timedelta(seconds=1)
    return {} if seconds == _ZERO_SECONDS else {"seconds": seconds, "nanos": 0}


def _of_micro_time(value: Any) -> JSONObject:
    seconds = _of_time(value)
    return {**seconds, "nanos": time.parse(value).microsecond * 1000} if seconds else seconds


def _of_int_or_string(value: Any) -> JSONObject:
    if isinstance(value, str):
        return {"type": 1, "strVal": value}
    return {"type": 0, "intVal": value}


def _of_raw(value: Any) -> JSONObject:
    return {"raw": None if value is None else orjson.dumps(value)}


def _of_schema_or_list(value: Any) -> JSONObject:
    return {"list" if isinstance(value, list) else "schema": value}


def _of_schema_or_bool(value: Any) -> JSONObject:
    return {"allows": value is not False, "schema": value if isinstance(value, dict) else None}


_ZERO_SECONDS = (datetime(1, 1, 1, tzinfo=UTC) - _EPOCH) // timedelta(seconds=1)
_READERS: Mapping[str, Callable[[Any], JSONObject]] = {
    QUANTITY: _of_quantity,
    TIME: _of_time,
    MICRO_TIME: _of_micro_time,
    INT_OR_STRING: _of_int_or_string,
    FIELDS_V1: _of_raw,
    RAW_EXTENSION: _of_raw,
    JSON: _of_raw,
    SCHEMA_OR_ARRAY: _of_schema_or_list,
    SCHEMA_OR_BOOL: _of_schema_or_bool,
    SCHEMA_OR_STRINGS: _of_schema_or_list,
}
