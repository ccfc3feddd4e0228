"""What the real server said to good and to spoiled objects, kept for the tests of our own.

Writes `answers/*.json` in the folder: `tests/integration/kubeapi/real/` has copies, and replays them without any
other server.
"""

import json
from pathlib import Path
from typing import Any

from tools.real.differ import corpus
from tools.real.differ.asking import Pair
from tools.real.differ.comparing import cleaned, differences
from tools.real.differ.mutants import mutants
from tools.real.differ.scenarios import writing

_MOST_CASES = 25
"""Of one object and verb: enough to see that a rule is there."""


def record(pair: Pair, only: str) -> None:
    """Only where both agree: the tests say what is so, `differences.jsonl` what is not."""
    writing.prepare(pair)
    folder = pair.folder / "answers"
    folder.mkdir(exist_ok=True)
    by_group: dict[str, list[dict[str, Any]]] = {}
    for obj, target in writing.pairs(pair, only):
        if obj["kind"] in ("Namespace", "CustomResourceDefinition", "APIService") or "get" not in target.verbs:
            continue
        group = obj["apiVersion"].rpartition("/")[0].split(".", maxsplit=1)[0] or "core"
        made = _of_object(pair, obj, target)
        by_group.setdefault(group, []).append({"object": obj, "path": target.collection, "cases": made})
    for group, entries in by_group.items():
        lines = ",\n".join(json.dumps(entry) for entry in entries)
        Path(folder / f"{group}.json").write_text(f"[\n{lines}\n]\n")


def _of_object(pair: Pair, obj: dict[str, Any], target: corpus.Target) -> list[dict[str, Any]]:
    cases: list[dict[str, Any]] = []
    told: set[str] = set()
    for what, mutant in mutants(obj):
        real, ours = pair.both("POST", f"{target.collection}?dryRun=All", mutant)
        if real.status != 422 or [d for d in differences(real, ours) if not d[0].startswith("header")]:
            continue
        message = real.body["message"]
        # One case for each thing that can be wrong, whatever the value.
        key = "; ".join(sorted({cause["field"] + cause["message"][:25] for cause in real.body["details"]["causes"]}))
        if key not in told and len(cases) < _MOST_CASES and len(message) < 2000:
            told.add(key)
            cases.append({"what": what, "message": message, **_change(obj, mutant)})
    real, ours = pair.both("POST", f"{target.collection}?dryRun=All", obj)
    # What a certificate is asked for by is no more the same for any two servers than who asks.
    comparable = real.status == 201 and obj["kind"] != "CertificateSigningRequest"
    if comparable and not [d for d in differences(real, ours) if not d[0].startswith("header")]:
        cases.append({"what": "as it is", "stored": cleaned(real.body)})
    return cases


def _change(obj: Any, mutant: Any, path: tuple[Any, ...] = ()) -> dict[str, Any]:
    """The one place where two objects differ, and what stands there now."""
    if isinstance(obj, dict) and isinstance(mutant, dict):
        keys = [key for key in {**obj, **mutant} if obj.get(key, _change) != mutant.get(key, _change)]
        if len(keys) == 1 and keys[0] in obj and keys[0] in mutant:
            return _change(obj[keys[0]], mutant[keys[0]], (*path, keys[0]))
        if len(keys) == 1 and keys[0] not in mutant:
            return {"path": [*path, keys[0]], "removed": True}
        if len(keys) == 1:
            return {"path": [*path, keys[0]], "value": mutant[keys[0]]}
    if isinstance(obj, list) and isinstance(mutant, list) and len(obj) == len(mutant):
        places = [at for at, (one, other) in enumerate(zip(obj, mutant, strict=True)) if one != other]
        if len(places) == 1:
            return _change(obj[places[0]], mutant[places[0]], (*path, places[0]))
    return {"path": list(path), "value": mutant}
