"""Why a patch is refused. Both are ValueErrors; the patch endpoint maps them to a status code.

Raised by json_patch, merge_patch and strategic. Mirrors how `apiserver/pkg/endpoints/handlers/patch.go`
sorts the errors of its patch libraries.
"""


class InvalidPatch(ValueError):
    """The patch itself is malformed: 400 BadRequest."""


class InapplicablePatch(ValueError):
    """The patch is well formed but does not fit the object (or a `test` failed): 422 Invalid."""
