"""Manifests into a control plane: read, ordered, applied on the server's side, and waited for.

Called by `plane.ControlPlane.apply` and `register_aa`, and by `trikube boot run local`. Needs no kubectl.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import httpx
import yaml

from generic.types import JSONObject
from trikube.testing.errors import ControlPlaneError

Source = Path | str | Mapping[str, Any] | Iterable[Mapping[str, Any]]
"""A file or folder of manifests (YAML or JSON), one object, or several."""

FIELD_MANAGER = "trikube-testing"

_T = TypeVar("_T")

_POLL = 0.02
_FIRST = ("Namespace", "CustomResourceDefinition")
"""What other objects of the same manifest stand on."""
_SUFFIXES = (".yaml", ".yml", ".json")
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def load(source: Source) -> list[JSONObject]:
    """The objects of a source, lists unfolded, in the order in which they can be applied. Raises ControlPlaneError."""
    if isinstance(source, str | Path):
        given = [obj for file in _files(Path(source)) for obj in _read(file)]
    else:
        given = [dict(source)] if isinstance(source, Mapping) else [dict(each) for each in source]
    flat = [item for obj in given for item in _items(obj)]
    for obj in flat:
        if not _is_object(obj):
            raise ControlPlaneError(f"not an object with apiVersion, kind and metadata.name: {str(obj)[:200]}")
    return sorted(flat, key=lambda obj: _FIRST.index(obj["kind"]) if obj["kind"] in _FIRST else len(_FIRST))


def apply(client: httpx.Client, objects: Iterable[JSONObject], *, timeout: float = 30.0) -> list[JSONObject]:
    """Apply in order; definitions are waited for. Returns the objects as stored. Raises ControlPlaneError."""
    finder = _Finder(client)
    stored: list[JSONObject] = []
    for obj in objects:
        path = eventually(partial(finder.path, obj), timeout, partial("the server has no kind for {}".format, _id(obj)))
        response = client.patch(
            path,
            params={"fieldManager": FIELD_MANAGER, "force": "true"},
            headers={"content-type": "application/apply-patch+yaml"},
            content=yaml.safe_dump(obj),
        )
        if response.is_error:
            raise ControlPlaneError(f"apply {_id(obj)}: {_message(response)}")
        if obj["kind"] == "CustomResourceDefinition":
            wait_condition(client, path, "Established", timeout=timeout)
        stored.append(response.json())
    return stored


def wait_condition(client: httpx.Client, path: str, condition: str, *, timeout: float) -> JSONObject:
    """The object once a condition of its status is True. Raises ControlPlaneError with the reason it is not."""
    last: JSONObject = {}

    def met() -> JSONObject | None:
        response = client.get(path)
        obj: JSONObject = response.json() if response.is_success else {}
        last.clear()
        for each in obj.get("status", {}).get("conditions", ()):
            if each["type"] == condition:
                last.update(each)
        return obj if last.get("status") == "True" else None

    def why() -> str:
        reason = " ".join(filter(None, (last.get("reason"), last.get("message")))) or "no such condition"
        return f"{path} is not {condition}: {reason}"

    return eventually(met, timeout, why)


def eventually(attempt: Callable[[], _T | None], timeout: float, why: Callable[[], str]) -> _T:
    """The first result that is not None. Raises ControlPlaneError with `why` it did not come within `timeout` s."""
    deadline = time.monotonic() + timeout
    while (result := attempt()) is None:
        if time.monotonic() > deadline:
            raise ControlPlaneError(f"after {timeout:g} s {why()}")
        time.sleep(_POLL)
    return result


class _Finder:
    """Where objects of a kind live: by discovery, remembered while it lasts."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client
        self._known: dict[tuple[str, str], tuple[str, bool]] = {}

    def path(self, obj: JSONObject) -> str | None:
        """None while the server does not know the kind."""
        version, kind = str(obj["apiVersion"]), str(obj["kind"])
        root = f"/apis/{version}" if "/" in version else f"/api/{version}"
        if (version, kind) not in self._known:
            response = self._client.get(root)
            for each in response.json()["resources"] if response.is_success else ():
                if "/" not in each["name"]:
                    self._known[version, each["kind"]] = (each["name"], each["namespaced"])
        found = self._known.get((version, kind))
        if found is None:
            return None
        plural, namespaced = found
        meta = obj["metadata"]
        place = f"/namespaces/{meta.get('namespace') or 'default'}" if namespaced else ""
        return f"{root}{place}/{plural}/{meta['name']}"


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        return sorted(file for file in path.rglob("*") if file.suffix in _SUFFIXES)
    return [path]


def _read(file: Path) -> list[JSONObject]:
    try:
        return [obj for obj in yaml.load_all(file.read_text(), Loader=_Loader) if obj]
    except OSError as error:
        raise ControlPlaneError(f"cannot read {file}: {error.strerror}") from error
    except yaml.YAMLError as error:
        raise ControlPlaneError(f"{file} is not YAML: {' '.join(str(error).split())}") from error


def _items(obj: Any) -> list[Any]:
    if isinstance(obj, dict) and obj.get("kind") == "List" and isinstance(obj.get("items"), list):
        return list(obj["items"])
    return [obj]


def _is_object(obj: Any) -> bool:
    if not isinstance(obj, dict) or not isinstance(obj.get("metadata"), dict):
        return False
    return bool(obj.get("apiVersion") and obj.get("kind") and obj["metadata"].get("name"))


def _id(obj: JSONObject) -> str:
    return f"{obj['kind']} {obj['metadata']['name']} of {obj['apiVersion']}"


def _message(response: httpx.Response) -> str:
    try:
        return str(response.json()["message"])
    except (ValueError, KeyError, TypeError):
        return f"{response.status_code} {response.text[:300]}"
