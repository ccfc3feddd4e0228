"""Built-in kinds by name, and what the write path does to an object of one, without a server."""

from functools import cache

import orjson

from generic.meta.tables import row
from generic.request.context import RequestContext
from generic.request.info import RequestInfo
from generic.request.user import UserInfo
from generic.types import JSONObject
from kubeapi import resources
from kubeapi.resources.kinds import BuiltinKind


@cache
def _by_name() -> dict[tuple[str, str], BuiltinKind]:
    return {(str(kind.group_version), kind.kind): kind for kind in resources.all_kinds()}


def kind(api_version: str, name: str) -> BuiltinKind:
    return _by_name()[api_version, name]


def request(user: UserInfo | None = None) -> RequestContext:
    return RequestContext(RequestInfo("/", "create"), user=user)


def copy(obj: JSONObject) -> JSONObject:
    made: JSONObject = orjson.loads(orjson.dumps(obj))
    return made


def created(obj: JSONObject) -> JSONObject:
    """The object as it would be stored, metadata aside."""
    made = copy(obj)
    strategy = kind(made["apiVersion"], made["kind"]).strategy
    strategy.default(made)
    strategy.prepare_for_create(request(), made)
    return made


def problems(obj: JSONObject) -> list[str]:
    """What its strategy says is wrong with a new object."""
    made = created(obj)
    return [str(found) for found in kind(made["apiVersion"], made["kind"]).strategy.validate(request(), made)]


def update_problems(obj: JSONObject, old: JSONObject) -> list[str]:
    """What its strategy says is wrong with a change of a stored object."""
    before, after = created(old), copy(obj)
    strategy = kind(after["apiVersion"], after["kind"]).strategy
    strategy.default(after)
    strategy.prepare_for_update(request(), after, before)
    return [str(found) for found in strategy.validate_update(request(), after, before)]


def cells(obj: JSONObject, *, wide: bool = True) -> list[object]:
    """The row of an object as it is given, without defaulting."""
    columns = kind(obj["apiVersion"], obj["kind"]).columns
    return row([column for column in columns if wide or not column.priority], obj)


def pod_spec(**more: object) -> JSONObject:
    return {"containers": [{"name": "main", "image": "registry/app:1"}], **more}


def workload(kind: str, api_version: str = "apps/v1", **spec: object) -> JSONObject:
    """A valid workload with the selector and labels `app=web`."""
    return {
        "apiVersion": api_version,
        "kind": kind,
        "metadata": {"name": "web"},
        "spec": {
            "selector": {"matchLabels": {"app": "web"}},
            "template": {"metadata": {"labels": {"app": "web"}}, "spec": pod_spec()},
            **spec,
        },
    }
