"""The entries of metadata.managedFields: whose they are, which come from a client, how many there may be.

Called by `tracking.py`. Entries are kept as they stand in objects; those that change are made anew, never changed.
Mirrors `apimachinery/pkg/util/managedfields/internal/{managedfields,capmanagers,buildmanagerinfo}.go`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from generic.patching.apply import field_sets
from generic.patching.apply.field_sets import FieldSet
from generic.types import JSONObject

MAX_UPDATE_MANAGERS = 10
ANCIENT_CHANGES = "ancient-changes"
BEFORE_FIRST_APPLY = "before-first-apply"
_UNKNOWN = "unknown"
_NEEDED = frozenset({"operation", "apiVersion", "fieldsV1"})
_TEXTS = ("manager", "operation", "apiVersion", "subresource", "fieldsType", "time")

Operation = Literal["Apply", "Update"]
Identity = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class Author:
    """Who writes, in which version of the resource, through which subresource."""

    manager: str
    api_version: str
    subresource: str = ""

    def entry(self, operation: Operation, fields: FieldSet, time: str | None) -> JSONObject:
        """The entry of these fields."""
        made: JSONObject = {
            "manager": self.manager or _UNKNOWN,
            "operation": operation,
            "apiVersion": self.api_version,
            "time": time,
            "fieldsType": "FieldsV1",
            "fieldsV1": field_sets.ordered(fields),
        }
        if time is None:
            del made["time"]
        if self.subresource:
            made["subresource"] = self.subresource
        return made

    def identity(self, operation: Operation) -> Identity:
        """See `identity`."""
        version = self.api_version if operation == "Update" else ""
        return operation, self.manager or _UNKNOWN, version, self.subresource


def identity(entry: JSONObject) -> Identity:
    """What makes two entries those of one manager: an applier is the same in every version."""
    operation = entry["operation"]
    version = entry["apiVersion"] if operation == "Update" else ""
    return operation, entry.get("manager") or "", version, entry.get("subresource") or ""


def held(metadata: JSONObject) -> list[JSONObject]:
    """The entries of a stored object; none if they are not of our making, in which case nobody can tell."""
    entries: list[JSONObject] = metadata.get("managedFields") or []
    return entries if all(entry.keys() >= _NEEDED for entry in entries) else []


def base(old: JSONObject, new: JSONObject, *, subresource: str) -> list[JSONObject]:
    """The entries a write starts from: the client's, if it sent good ones to the main resource, else the stored.

    No entry, or an empty one alone, is how a client asks to forget them all.
    """
    stored = held(old)
    given = new.get("managedFields")
    if subresource or given is None or given == stored:
        return stored
    if given in ([], [{}]):
        return []
    try:
        return parse(given) or stored
    except ValueError:
        return stored


def parse(given: Any) -> list[JSONObject]:
    """Entries somebody else wrote, in our form. Raises ValueError if there is anything wrong with any."""
    if not isinstance(given, list):
        raise ValueError("managed fields must be a list")
    made: dict[Identity, JSONObject] = {}
    for at, entry in enumerate(given):
        if not isinstance(entry, dict) or not all(isinstance(entry.get(key) or "", str) for key in _TEXTS):
            raise ValueError(f"managed fields entry {at} is of the wrong type")
        if entry.get("operation") not in ("Apply", "Update"):
            raise ValueError("operation must be `Apply` or `Update`")
        if not entry.get("apiVersion"):
            raise ValueError("apiVersion must not be empty")
        if entry.get("fieldsType") != "FieldsV1":
            raise ValueError(f"missing or invalid fieldsType in managed fields entry {at}")
        decoded = {**entry, "fieldsV1": field_sets.parse(entry.get("fieldsV1") or {})}
        made[identity(decoded)] = decoded
    return list(made.values())


def capped(entries: Sequence[JSONObject]) -> list[JSONObject]:
    """The entries with the oldest updates of each version put together, so that there are not too many."""
    updates = sorted((entry for entry in entries if entry["operation"] == "Update"), key=_age)
    too_many = len(updates) - MAX_UPDATE_MANAGERS
    if too_many <= 0:
        return list(entries)
    held = {identity(entry): entry for entry in entries}
    oldest: dict[str, JSONObject] = {}
    for entry in updates:
        if len(held) <= len(entries) - too_many:
            break
        version = entry["apiVersion"]
        first = oldest.setdefault(version, entry)
        # Alone an entry stays what it is; the next of its version makes both part of the past.
        if first is not entry and held.get(identity(entry)) is entry:
            oldest[version] = _put_together(held, first, entry)
    return list(held.values())


def _put_together(held: dict[Identity, JSONObject], first: JSONObject, entry: JSONObject) -> JSONObject:
    """Replace two entries, and the bucket if there is one, by one bucket of the younger one's age."""
    author = Author(ANCIENT_CHANGES, entry["apiVersion"])
    gone = {identity(first), identity(entry), author.identity("Update")} & held.keys()
    fields: FieldSet = {}
    for name in gone:
        fields = field_sets.union(fields, held.pop(name)["fieldsV1"])
    bucket = author.entry("Update", fields, entry.get("time"))
    held[identity(bucket)] = bucket
    return bucket


def sort(entries: Iterable[JSONObject]) -> list[JSONObject]:
    """Entries in the order objects have them: appliers first, then by time."""
    return sorted(entries, key=_place)


def same_but_time(a: Sequence[JSONObject], b: Sequence[JSONObject]) -> bool:
    """Whether two lists of entries differ in nothing but when the entries changed."""
    return len(a) == len(b) and all(
        {**one, "time": None} == {**other, "time": None} for one, other in zip(a, b, strict=True)
    )


def _age(entry: JSONObject) -> tuple[str, Identity]:
    return entry.get("time") or "", identity(entry)


def _place(entry: JSONObject) -> tuple[str, str, str, str, str]:
    return (
        entry["operation"],
        entry.get("time") or "",
        entry.get("manager") or "",
        entry.get("apiVersion") or "",
        entry.get("subresource") or "",
    )
