"""The shared type vocabulary: ASGI call shapes and JSON objects. Imports nothing of ours."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias

JSONObject: TypeAlias = dict[str, Any]
"""A decoded Kubernetes object: what orjson makes of a JSON object."""

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
ASGIApp: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]
Filter: TypeAlias = Callable[[ASGIApp], ASGIApp]
"""One link of the handler chain: takes the inner handler, returns the wrapped one."""
