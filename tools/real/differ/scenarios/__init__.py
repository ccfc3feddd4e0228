"""What is asked of both servers, a file per concern."""

from collections.abc import Callable

from tools.real.differ.asking import Pair
from tools.real.differ.scenarios import deletes, discovery, errors, lists, patches, recording, subresources, writing

ALL: dict[str, Callable[[Pair, str], None]] = {
    "create": writing.create,
    "create-mutants": writing.create_mutants,
    "update-mutants": writing.update_mutants,
    "discovery": discovery.discovery,
    "errors": errors.errors,
    "lists": lists.lists,
    "deletes": deletes.deletes,
    "patches": patches.patches,
    "subresources": subresources.subresources,
    "record": recording.record,
}
"""By name; the second parameter narrows a scenario, to kinds mostly."""
