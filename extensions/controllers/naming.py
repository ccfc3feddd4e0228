"""NamingController: which names a definition gets, first come first served within its group.

Started by `extensions/server.py`. One worker: two at once could give one name to both. Mirrors
`apiextensions-apiserver/pkg/controller/status/naming_controller.go`.
"""

from collections.abc import Set
from dataclasses import dataclass

from extensions.controllers.definitions import Definitions, Summary
from extensions.controllers.writing import DefinitionWriter
from extensions.definitions import conditions
from extensions.definitions.conditions import Condition
from generic.client.controller import Controller
from generic.types import JSONObject

_NO_CONFLICTS = Condition(conditions.NAMES_ACCEPTED, "True", "NoConflicts", "no conflicts found")
_NOT_ACCEPTED = Condition(conditions.ESTABLISHED, "False", "NotAccepted", "not all names are accepted")
_INSTALLING = Condition(conditions.ESTABLISHED, "False", "Installing", "the initial names have been accepted")


@dataclass(frozen=True, slots=True)
class Verdict:
    """The names a definition has from now on, and whether they are all it wants."""

    names: JSONObject
    condition: Condition


class NamingController:
    """Sets status.acceptedNames, NamesAccepted and, until it is True, Established."""

    def __init__(self, definitions: Definitions, writer: DefinitionWriter) -> None:
        self._definitions = definitions
        self._writer = writer
        self.controller: Controller[str] = Controller("crd-naming-condition-controller", self._reconcile)
        definitions.add_handler(self._hear)

    def _hear(self, before: Summary | None, after: Summary | None) -> None:
        if after is not None:
            self.controller.enqueue(after.name)
        if before is not None and (after is None or after.accepted_names != before.accepted_names):
            # Names were set free: others in the group may have waited for them.
            for peer in self._definitions.in_group(before.group):
                if peer.name != before.name:
                    self.controller.enqueue(peer.name)

    async def _reconcile(self, name: str) -> None:
        summary = self._definitions.get(name)
        if summary is None or summary.wanted_names == summary.accepted_names:
            return
        verdict = judge(summary, self._definitions.in_group(summary.group))
        definition = self._definitions.read(name)
        if definition is None:
            return
        if summary.accepted_names == verdict.names and conditions.says(definition, verdict.condition):
            return

        def change(newest: JSONObject) -> None:
            if newest["spec"]["names"] == summary.wanted_names:
                newest["status"]["acceptedNames"] = verdict.names
                _set_conditions(newest, verdict.condition)

        revision = await self._writer.change_status(name, change)
        # The next definition in the queue must see the names this one has taken.
        await self._definitions.cacher.get("", name, resource_version=str(revision) if revision else "0")


def judge(summary: Summary, group: list[Summary]) -> Verdict:
    """The names a definition may have, given those its group (itself included) has already."""
    wanted, accepted, given = summary.wanted_names, summary.accepted_names, dict(summary.accepted_names)
    resources = {name for peer in group for name in _resource_names(peer.accepted_names)}
    kinds = {peer.accepted_names.get(key) for peer in group for key in ("kind", "listKind")}
    problem: Condition | None = None
    for key, reason, used in (
        ("plural", "PluralConflict", resources),
        ("singular", "SingularConflict", resources),
        ("shortNames", "ShortNamesConflict", resources),
        ("kind", "KindConflict", kinds),
        ("listKind", "ListKindConflict", kinds),
    ):
        find = _taken_short_names if key == "shortNames" else _taken
        taken = find(wanted, accepted, key, used)
        if taken:
            texts = [f'"{name}" is already in use' for name in dict.fromkeys(taken)]
            message = texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
            problem = Condition(conditions.NAMES_ACCEPTED, "False", reason, message)
        else:
            _copy(wanted, given, key)
    _copy(wanted, given, "categories")
    return Verdict(given, problem or _NO_CONFLICTS)


def _resource_names(names: JSONObject) -> list[str]:
    return [names.get("plural") or "", names.get("singular") or "", *(names.get("shortNames") or ())]


def _taken(wanted: JSONObject, accepted: JSONObject, key: str, used: Set[str | None]) -> list[str]:
    name = wanted.get(key) or ""
    return [name] if name != (accepted.get(key) or "") and name in used else []


def _taken_short_names(wanted: JSONObject, accepted: JSONObject, key: str, used: Set[str | None]) -> list[str]:
    own = set(_resource_names(accepted))
    return [name for name in wanted.get(key) or () if name not in own and name in used]


def _copy(wanted: JSONObject, given: JSONObject, key: str) -> None:
    if key in wanted:
        given[key] = wanted[key]
    else:
        given.pop(key, None)


def _set_conditions(definition: JSONObject, naming: Condition) -> None:
    conditions.put(definition, naming)
    if conditions.is_true(definition, conditions.ESTABLISHED):
        return
    if naming.status == "True":
        conditions.put(definition, _INSTALLING)
    elif conditions.find(definition, conditions.ESTABLISHED) is None:
        conditions.put(definition, _NOT_ACCEPTED)
