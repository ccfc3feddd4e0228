"""The control plane that is fuzzed, and how one request to it is judged."""

import logging

import httpx
import orjson
import yaml

from generic.meta.gvk import GroupVersionKind
from generic.protobuf import envelope, objects
from generic.types import JSONObject
from tests.integration.fuzz.kinds import DEFINITION, KINDS, Kind
from tests.integration.fuzz.requests import Attempt
from tests.support import crd
from tests.support.plane import Running

_TOLD = ("resourceVersion should not be set on objects to be created", "failed to create typed patch object")
"""The refusals that Kubernetes, too, calls internal errors."""


class _Tracebacks(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info:
            self.found.append(logging.Formatter().format(record))


class Target:
    def __init__(self, served: Running) -> None:
        self._served = served
        self._http = httpx.AsyncClient(transport=served.plane._loopback, base_url="https://localhost", timeout=20)
        self._log = _Tracebacks()
        logging.getLogger().addHandler(self._log)

    async def prepare(self) -> None:
        await self._served.create(crd.CRDS, DEFINITION)
        await self._served.until(KINDS[13].collection)

    async def close(self) -> None:
        logging.getLogger().removeHandler(self._log)
        await self._http.aclose()

    async def judge(self, kind: Kind, attempt: Attempt) -> httpx.Response:
        """Make it, on an object that is there if its kind allows. Asserts what holds of every request."""
        await self._http.post(kind.collection, json=kind.object)
        before = await self._state(kind)
        async with self._http.stream(
            attempt.method,
            kind.collection + attempt.path,
            params=attempt.query,
            content=attempt.body,
            headers=attempt.headers,
        ) as answer:
            await answer.aread()
        logged, self._log.found = self._log.found, []
        assert not logged, "".join(text[-1500:] for text in logged)
        code = answer.status_code
        assert code < 500 or _is_told(answer), answer.text
        if code >= 400:
            assert await self._state(kind) == before, "a refused request changed something"
            if attempt.wants_json:
                status = _status(answer)
                assert (status["kind"], status["status"], status["code"]) == ("Status", "Failure", code)
                assert status["message"]
        elif attempt.is_dry or attempt.method in ("GET", "HEAD"):
            assert await self._state(kind) == before, "what was only to be shown was stored"
        return answer

    async def _state(self, kind: Kind) -> JSONObject:
        """Every object of the kind, by name; also proves that each can still be read."""
        answer = await self._http.get(kind.collection)
        assert answer.status_code == 200, answer.text
        return {item["metadata"]["name"]: orjson.dumps(item) for item in answer.json()["items"]}


def _status(answer: httpx.Response) -> JSONObject:
    if answer.headers["content-type"] == envelope.MEDIA_TYPE:
        return objects.SHARED.decode(GroupVersionKind("", "v1", "Status"), envelope.unwrap(answer.content).content)
    status: JSONObject = yaml.safe_load(answer.text)
    return status


def _is_told(answer: httpx.Response) -> bool:
    """What is not there yet or not done here is no defect: a revision to come, a kubelet, an unreachable backend."""
    status = _status(answer)
    if answer.status_code == 500:
        return any(words in status["message"] for words in _TOLD)
    return answer.status_code in (501, 503, 504) and status["kind"] == "Status"
