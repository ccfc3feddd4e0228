"""HookAdmission: the hooks that prepare an object and judge its deletion, as the first plugin of the chain.

They may wait for something, which a Strategy cannot. Made by `server.py` with the hooks of every class it serves.
"""

from collections.abc import Mapping

from generic.admission.interface import Attributes
from generic.meta import errors
from generic.meta.gvk import GroupVersionKind
from trikube.aa.hooks import ResourceHooks

_PREPARE = {"CREATE": "prepare_for_create", "UPDATE": "prepare_for_update"}


class HookAdmission:
    """Both kinds of plugin: it changes what is created and updated, and refuses deletions."""

    name = "ResourceHooks"

    def __init__(self, hooks: Mapping[GroupVersionKind, ResourceHooks]) -> None:
        self._hooks = dict(hooks)

    def handles(self, attributes: Attributes) -> bool:
        hooks = self._hooks.get(attributes.kind)
        if hooks is None or attributes.subresource:
            return False
        return hooks.has(_PREPARE.get(attributes.operation, "validate_delete"))

    async def admit(self, attributes: Attributes) -> None:
        """Raises StatusError."""
        hook, obj, old = _PREPARE.get(attributes.operation), attributes.object, attributes.old_object
        if hook is None or obj is None:
            return
        hooks = self._hooks[attributes.kind]
        context = hooks.context(attributes.request, dry_run=attributes.dry_run)
        if old is None:
            await hooks.change(hook, obj, context)
            return
        previous = hooks.parse(old)
        if previous is not None:
            await hooks.change(hook, obj, context, previous)

    async def validate(self, attributes: Attributes) -> None:
        """Raises StatusError, 422, if the object must stay."""
        if attributes.operation != "DELETE" or attributes.old_object is None:
            return
        hooks = self._hooks[attributes.kind]
        found = hooks.parse(attributes.old_object)
        if found is None:
            # What does not even fit must not be in the way of its deletion.
            return
        context = hooks.context(attributes.request, dry_run=attributes.dry_run)
        problems = await hooks.judge("validate_delete", found, context)
        if problems:
            raise errors.invalid(attributes.kind.group_kind, attributes.name, problems)
