"""Requests that must be refused, and the whole `Status` each must be refused with."""

from dataclasses import dataclass, field
from typing import Any

import httpx
import orjson

from generic.types import JSONObject

CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"
KEPT = "kept"
JSON = "application/json"
YAML = "application/yaml"
MERGE = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"

LABEL_VALUE = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is "
    "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)
SUBDOMAIN = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    r"'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
LABEL = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with "
    "an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)


@dataclass(frozen=True)
class Refused:
    """A request and its refusal. `message` None: it is the parser's, and only has to be there."""

    id: str
    method: str
    path: str
    code: int
    reason: str
    message: str | None
    details: JSONObject | None = None
    body: Any = None
    """Bytes and text go as they are, anything else as JSON."""
    content_type: str = JSON
    headers: dict[str, str] = field(default_factory=dict)

    async def check(self, http: httpx.AsyncClient) -> None:
        """Send it, and compare the whole answer."""
        answer = await self.send(http)
        assert answer.status_code == self.code, answer.text
        status = answer.json()
        if self.message is None:
            assert status["message"]
            assert "Traceback" not in status["message"]
        expected = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": status["message"] if self.message is None else self.message,
            "reason": self.reason,
            **({} if self.details is None else {"details": self.details}),
            "code": self.code,
        }
        assert status == expected

    async def send(self, http: httpx.AsyncClient) -> httpx.Response:
        content = self.body if isinstance(self.body, bytes | str | None) else orjson.dumps(self.body)
        headers = dict(self.headers) if content is None else {"content-type": self.content_type, **self.headers}
        return await http.request(self.method, self.path, content=content, headers=headers)


def bad_request(id_: str, method: str, path: str, message: str | None, **more: Any) -> Refused:
    return Refused(id_, method, path, 400, "BadRequest", message, **more)


def invalid(id_: str, request: tuple[str, str, Any], kind: str, *causes: tuple[str, str, str], **more: Any) -> Refused:
    """422: `request` is method, path and body; `kind` is `Kind.group/name`; causes are (reason, field, message)."""
    method, path, body = request
    what, _, name = kind.partition("/")
    short, _, group = what.partition(".")
    texts = list(dict.fromkeys(f"{where}: {said}" for _, where, said in causes))
    said = texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
    details: JSONObject = {"name": name, "group": group, "kind": short}
    details = {key: value for key, value in details.items() if value}
    details["causes"] = [{"reason": reason, "message": text, "field": where} for reason, where, text in causes]
    message = f'{what} "{name}" is invalid: {said}'
    return Refused(id_, method, path, 422, "Invalid", message, details=details, body=body, **more)


def config_map(name: str = "new", **more: Any) -> JSONObject:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, **more}
