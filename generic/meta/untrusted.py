"""Documents of servers we do not trust: each part is of the type it should be, or ValueError says that it is not.

Used where discovery and OpenAPI documents of aggregated servers are read.
"""

from typing import Any

import orjson

from generic.types import JSONObject


def decoded(body: bytes) -> JSONObject:
    """A JSON object. Raises ValueError."""
    return json_object(orjson.loads(body))


def json_object(value: Any) -> JSONObject:
    """Raises ValueError."""
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")
    return value


def json_list(value: Any) -> list[Any]:
    """Raises ValueError."""
    if not isinstance(value, list):
        raise ValueError("not a JSON list")
    return value


def texts(value: Any) -> list[str]:
    """Raises ValueError."""
    found = json_list(value)
    if not all(isinstance(one, str) for one in found):
        raise ValueError("not a list of strings")
    return found
