"""Who owns what after a write: every create and update passes here, and every apply is made here.

Called by `generic/registry/{create,update}.py`. Kept in metadata.managedFields of the object itself; reads compute
nothing. Entries of other versions are compared by the names of their fields. Mirrors the managers of
`apimachinery/pkg/util/managedfields` around the Updater of `structured-merge-diff/merge`.
"""

from dataclasses import dataclass
from typing import Any

from generic.meta import errors, json_values
from generic.meta import time as meta_time
from generic.patching.apply import comparing, configurations, conflicts, last_applied, managers, merging, pruning
from generic.patching.apply.field_sets import SELF, FieldSet, difference, taken, union, untouched
from generic.patching.apply.managers import Author
from generic.patching.apply.shapes import Shape
from generic.types import JSONObject

_TYPE = frozenset({"apiVersion", "kind"})
_BY_SERVER = frozenset({
    "name",
    "namespace",
    "creationTimestamp",
    "selfLink",
    "uid",
    "generation",
    "managedFields",
    "resourceVersion",
})
"""Members of metadata that nobody owns."""


@dataclass(frozen=True, slots=True)
class Owned:
    """Which of the object's members a write may change, and so own. `only` empty: all but those `never` named."""

    only: frozenset[str] = frozenset()
    never: frozenset[str] = frozenset()

    def take(self, obj: JSONObject) -> JSONObject:
        """The part of an object that can be owned, as a new object of the same parts."""
        made: JSONObject = {}
        for key, value in obj.items():
            if key == "metadata":
                value = {inner: part for inner, part in value.items() if inner not in _BY_SERVER}
            if key not in _TYPE and key not in self.never and (not self.only or key in self.only):
                made[key] = value
        return made


ALL = Owned()


def track_create(
    shape: Shape, obj: JSONObject, author: Author, owned: Owned = ALL, *, empty: JSONObject | None = None
) -> None:
    """Let the author own what a new object holds beyond an `empty` one; sets its managedFields."""
    _track(shape, empty or {}, obj, author, owned=owned, entries=managers.base({}, obj["metadata"], subresource=""))


def track_update(shape: Shape, old: JSONObject, obj: JSONObject, author: Author, owned: Owned = ALL) -> None:
    """Let the author own what an update changes, and nobody what it removes; sets managedFields of the new object."""
    entries = managers.base(old["metadata"], obj["metadata"], subresource=author.subresource)
    if entries:
        _track(shape, old, obj, author, owned=owned, entries=entries)
    else:
        # Nobody asked for it: an object without entries gets its first by an apply.
        obj["metadata"].pop("managedFields", None)


def apply(
    shape: Shape, live: JSONObject | None, config: JSONObject, author: Author, *, force: bool, owned: Owned = ALL
) -> JSONObject:
    """The live object (None: there is none) with a configuration applied, its managedFields too.

    Raises StatusError: 400 on a configuration that may not be applied, 500 on one that does not fit the schema, 409
    if others own fields it wants to change and it is not forced.
    """
    if config["metadata"].get("managedFields") is not None:
        raise errors.bad_request("metadata.managedFields must be nil")
    _check(shape, config)
    if live is None:
        live = {"apiVersion": config["apiVersion"], "kind": config["kind"], "metadata": {}}
    return _Applying(shape, live, config, author, owned).apply(force=force)


def settle_times(old: JSONObject, obj: JSONObject) -> None:
    """If nothing but times of entries differs, put the old times back, so that the write changes nothing at all."""
    before, after = old["metadata"].get("managedFields"), obj["metadata"].get("managedFields")
    if before and after and before != after and managers.same_but_time(before, after):
        obj["metadata"]["managedFields"] = before
        if not json_values.same(obj, old):
            obj["metadata"]["managedFields"] = after


def settle_admission(obj: JSONObject, before: list[JSONObject] | None) -> str:
    """After admission plugins: put back what they spoiled of managedFields. Returns what is wrong; empty if nothing."""
    after = obj["metadata"].get("managedFields")
    if after == before or not after:
        return ""
    try:
        managers.parse(after)
    except ValueError as error:
        _put(obj, before or [])
        return str(error)
    return ""


def _track(
    shape: Shape, old: JSONObject, obj: JSONObject, author: Author, *, owned: Owned, entries: list[JSONObject]
) -> None:
    touched, removed = _changes(shape, old, obj, owned)
    if touched or removed:
        entries = _updated(entries, touched, removed, author)
    _put(obj, entries)


def _updated(
    entries: list[JSONObject], touched: FieldSet, removed: FieldSet, author: Author, *, now: str | None = None
) -> list[JSONObject]:
    """The entries after an update by the author."""
    mine, gone = author.identity("Update"), union(touched, removed)
    own: JSONObject | None = None
    made: list[JSONObject] = []
    for entry in entries:
        if managers.identity(entry) == mine:
            own = entry
        else:
            _keep(made, entry, untouched(entry["fieldsV1"], gone))
    held: FieldSet = untouched(own["fieldsV1"], gone) if own is not None else {}
    if touched:
        made.append(author.entry("Update", union(held, touched), now or meta_time.now()))
    elif own is not None:
        _keep(made, own, held)
    return managers.capped(made)


def _changes(shape: Shape, old: JSONObject, new: JSONObject, owned: Owned) -> tuple[FieldSet, FieldSet]:
    """What somebody may own of what differs: new and changed fields, and removed ones."""
    touched, removed = comparing.compare(shape, owned.take(old), owned.take(new))
    return _less_metadata(touched), _less_metadata(removed)


def _less_metadata(fields: FieldSet) -> FieldSet:
    """The set without metadata as such, which everything has."""
    node = fields.get("f:metadata")
    if node is None or (node and SELF not in node):
        return fields
    left = {key: inside for key, inside in node.items() if key != SELF}
    return {key: inside for key, inside in ({**fields, "f:metadata": left}).items() if inside or key != "f:metadata"}


def _keep(made: list[JSONObject], entry: JSONObject, fields: FieldSet) -> None:
    """Add an entry with what is left of its fields, if anything is."""
    if fields:
        made.append(entry if fields == entry["fieldsV1"] else {**entry, "fieldsV1": fields})


def _put(obj: JSONObject, entries: list[JSONObject]) -> None:
    if entries:
        obj["metadata"]["managedFields"] = managers.sort(entries)
    else:
        obj["metadata"].pop("managedFields", None)


def _check(shape: Shape, config: JSONObject) -> None:
    found = configurations.problems(shape, config)
    if found:
        why = found[0] if len(found) == 1 else "\n".join(["errors:", *(f"  {one}" for one in found)])
        metadata, group, version = config["metadata"], *_split(config["apiVersion"])
        where = f"{metadata.get('namespace') or ''}/{metadata.get('name') or ''}"
        kind = f"{group}/{version}, Kind={config['kind']}"
        raise errors.StatusError(500, "", f"failed to create typed patch object ({where}; {kind}): {why}")


def _split(api_version: str) -> tuple[str, str]:
    group, _, version = api_version.rpartition("/")
    return group, version


class _Applying:
    """One configuration on its way into one live object."""

    def __init__(self, shape: Shape, live: JSONObject, config: JSONObject, author: Author, owned: Owned) -> None:
        self._shape = shape
        self._live = live
        self._config = config
        self._author = author
        self._owned = owned
        self._now = meta_time.now()

    def apply(self, *, force: bool) -> JSONObject:
        mine = self._author.identity("Apply")
        entries = self._entries()
        others = [entry for entry in entries if managers.identity(entry) != mine]
        last = next((entry for entry in entries if managers.identity(entry) == mine), None)
        claimed = _less_metadata(configurations.claimed(self._shape, self._owned.take(self._config)))
        made = self._merged(others, last, claimed)
        touched, removed = _changes(self._shape, self._live, made, self._owned)
        if not force:
            self._refuse_conflicts(others, touched)

        gone, kept = union(touched, removed), list[JSONObject]()
        for entry in others:
            _keep(kept, entry, untouched(entry["fieldsV1"], gone))
        same = last is not None and last["fieldsV1"] == claimed and last["apiVersion"] == self._author.api_version
        if claimed:
            time = last.get("time") if last is not None and same and not gone else self._now
            kept.append(self._author.entry("Apply", claimed, time))
        if self._author.manager == last_applied.KUBECTL:
            last_applied.refresh(made, self._config)
        _put(made, kept)
        return made

    def _entries(self) -> list[JSONObject]:
        """The entries of the live object; what it holds without any belongs to whoever came before the first apply."""
        entries = managers.held(self._live["metadata"])
        if entries:
            return entries
        touched, _ = _changes(self._shape, {}, self._live, self._owned)
        before = Author(managers.BEFORE_FIRST_APPLY, self._author.api_version, self._author.subresource)
        return _updated([], touched, {}, before, now=self._now) if touched else []

    def _merged(self, others: list[JSONObject], last: JSONObject | None, claimed: FieldSet) -> JSONObject:
        merged = merging.merge(self._shape, self._live, self._config)
        merged["metadata"] = {**merged["metadata"]}
        if last is None or last["fieldsV1"] == claimed:
            # Nothing that was applied last time is left out now.
            return merged
        owned = [claimed, *(entry["fieldsV1"] for entry in others)]
        made: dict[str, Any] = pruning.prune(self._shape, merged, last=last["fieldsV1"], owned=owned)
        return made

    def _refuse_conflicts(self, others: list[JSONObject], touched: FieldSet) -> None:
        found = []
        for entry in others:
            wanted = taken(entry["fieldsV1"], touched)
            if wanted:
                found.append((entry, wanted))
        if found and self._author.manager == last_applied.KUBECTL:
            # What client-side apply left behind is kubectl's own, if nobody changed it since.
            own = last_applied.still_owned(self._shape, self._live, self._author.api_version)
            found = [(entry, left) for entry, wanted in found if (left := difference(wanted, own))]
        if found:
            raise conflicts.refusal(found)
