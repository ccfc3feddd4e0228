"""The annotation client-side `kubectl apply` keeps its configuration in, for those who change to server-side apply.

Called by `tracking.py`, for kubectl's own field manager alone. Mirrors
`apimachinery/pkg/util/managedfields/internal/{lastapplied,lastappliedmanager,lastappliedupdater}.go`.
"""

import orjson

from generic.meta.validation import ANNOTATIONS_LIMIT, annotations
from generic.patching.apply import comparing, configurations
from generic.patching.apply.field_sets import FieldSet, difference, union
from generic.patching.apply.shapes import Shape
from generic.types import JSONObject

KUBECTL = "kubectl"
"""The field manager of `kubectl apply --server-side`."""

ANNOTATION = "kubectl.kubernetes.io/last-applied-configuration"


def still_owned(shape: Shape, live: JSONObject, api_version: str) -> FieldSet:
    """The fields of the annotated configuration whose values the live object still has."""
    text = (live["metadata"].get("annotations") or {}).get(ANNOTATION)
    try:
        applied = orjson.loads(text or "")
    except ValueError:
        return {}
    if not isinstance(applied, dict) or applied.get("apiVersion") != api_version:
        return {}
    if configurations.problems(shape, applied):
        return {}
    touched, removed = comparing.compare(shape, applied, live)
    return difference(configurations.claimed(shape, applied), union(touched, removed))


def refresh(obj: JSONObject, config: JSONObject) -> None:
    """Where the annotation is, let it say what has been applied now, so that client-side apply can take over again.

    Where that would make the annotations too large, it goes.
    """
    held = obj["metadata"].get("annotations")
    if not isinstance(held, dict) or ANNOTATION not in held:
        return
    given = config["metadata"].get("annotations")
    metadata = {**config["metadata"]}
    if isinstance(given, dict):
        metadata["annotations"] = {key: value for key, value in given.items() if key != ANNOTATION}
    text = orjson.dumps({**config, "metadata": metadata}, option=orjson.OPT_SORT_KEYS).decode() + "\n"
    made = {**held, ANNOTATION: text}
    if len(text) > ANNOTATIONS_LIMIT or annotations(made, ""):
        del made[ANNOTATION]
    obj["metadata"]["annotations"] = made
