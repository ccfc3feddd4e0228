"""The nodes that hold others: structs, lists and maps. See `nodes.py`.

Mirrors `apiextensions-apiserver/pkg/apiserver/schema/{pruning,defaulting}` and what Go's JSON decoder does to nulls.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from generic.meta import fields
from generic.meta.fields import FieldError
from generic.schema.go_words import Place, name_of
from generic.schema.json_equal import canonical
from generic.schema.nodes import MAX_UNKNOWN, NO_DEFAULT, Node, Scalar, copied


class Struct(Node):
    """An object with known fields. `keeps_unknown`: others are kept, and may be anything."""

    __slots__ = (
        "_busy", "_check", "_fill", "_prune", "_validate", "drops", "drops_null", "fields", "keeps_unknown", "required",
        "zeros",
    )  # fmt: skip

    def __init__(
        self, go_type: str, *, judged: bool = False, drops_null: bool = True, keeps_unknown: bool = False
    ) -> None:
        super().__init__(go_type, json_type="object", judged=judged)
        self.fields: dict[str, Node] = {}
        self.required: Sequence[str] = ()
        self.zeros: Mapping[str, Any] = {}
        """What Go writes into fields that nobody set, as far as it writes those."""
        self.drops: frozenset[str] = frozenset()
        """The fields that Go leaves out when they are empty, whoever set them."""
        self.keeps_unknown = keeps_unknown
        self.drops_null = drops_null
        self._check: dict[str, Callable[[Any], bool]] = {}
        self._prune: dict[str, Callable[[Any], Any] | None] = {}
        self._fill: dict[str, Node] | None = None
        self._validate: dict[str, Node] | None = None
        self._busy = False

    def set_fields(self, members: Mapping[str, Node]) -> None:
        """Called once, when the nodes inside exist (they may refer back to this one)."""
        self.fields = dict(members)
        self._check = {
            name: node.accepts if isinstance(node, Scalar) else node.fits for name, node in self.fields.items()
        }
        self._prune = {name: node.prune if node.prunes() else None for name, node in self.fields.items()}

    def zero(self) -> Any:
        return {}

    def fits(self, value: Any) -> bool:
        if type(value) is not dict:
            return value is None
        check = self._check
        for key, inside in value.items():
            known = check.get(key)
            if known is None:
                if not self.keeps_unknown:
                    return False
            elif not known(inside):
                return False
        return True

    def right(self, value: Any) -> bool:
        return type(value) is dict

    def decode(self, value: Any, place: Place, saved: list[str]) -> None:
        if value is None:
            return
        if type(value) is not dict:
            saved.append(place.mismatch(name_of(value), self.go_type))
            return
        struct = self.go_type.rpartition(".")[2]
        for key, inside in value.items():
            node = self.fields.get(key)
            if node is not None:
                node.decode(inside, Place(struct, (*place.fields, key)), saved)

    def unknown(self, value: Any, path: str, found: list[str]) -> None:
        if type(value) is not dict:
            return
        for key, inside in value.items():
            node = self.fields.get(key)
            if node is not None:
                node.unknown(inside, f"{path}.{key}" if path else key, found)
            elif not self.keeps_unknown and len(found) < MAX_UNKNOWN:
                found.append(f"{path}.{key}" if path else key)

    def prune(self, value: Any) -> Any:
        if type(value) is not dict:
            return value
        # Mostly there is nothing, for which no list is made; or there may be a hundred thousand.
        dropped: list[str] | None = None
        pruners, drops, drops_null = self._prune, self.drops, self.drops_null
        for key, inside in value.items():
            if key not in pruners:
                if self.keeps_unknown:
                    continue
            elif inside is not None or not drops_null:
                pruner = pruners[key]
                if pruner is not None:
                    kept = pruner(inside)
                    if kept is not inside:
                        value[key] = kept
                        inside = kept
                if inside or key not in drops:
                    continue
            if dropped is None:
                dropped = [key]
            else:
                dropped.append(key)
        for key in dropped or ():
            del value[key]
        return value

    def fill(self, value: Any) -> None:
        if type(value) is not dict:
            return
        for name, zero in self.zeros.items():
            if name not in value:
                value[name] = copied(zero)
        for name, node in self._filling().items():
            inside = value.get(name)
            if inside is None:
                if name in value and node.nullable and self.judged:
                    continue
                if node.default is not NO_DEFAULT:
                    inside = value[name] = copied(node.default)
                elif name in value and self.judged:
                    del value[name]
            if inside is not None:
                node.fill(inside)

    def validate_inside(self, value: Any, path: str, found: list[FieldError]) -> None:
        for name in self.required:
            if name not in value:
                found.append(fields.required(f"{path}.{name}" if path else name))
        validating = self._validating()
        for key, inside in value.items():
            node = validating.get(key)
            if node is not None:
                node.validate(inside, f"{path}.{key}" if path else key, found)

    def validate_change_inside(self, value: Any, old: Any, path: str, found: list[FieldError]) -> None:
        for name in self.required:
            if name not in value:
                found.append(fields.required(f"{path}.{name}" if path else name))
        for key, inside in value.items():
            node = self._validating().get(key)
            if node is not None:
                _judge_change(node, (inside, old, key), f"{path}.{key}" if path else key, found)

    def prunes(self) -> bool:
        return True

    def fills(self) -> bool:
        return self.judged or self._busy or bool(self.zeros) or bool(self._filling())

    def validates(self) -> bool:
        return bool(super().validates() or self.required or self._busy or self._validating())

    def _filling(self) -> dict[str, Node]:
        if self._fill is None:
            self._busy = True
            self._fill = {
                name: node for name, node in self.fields.items() if node.default is not NO_DEFAULT or node.fills()
            }
            if self.judged:
                self._fill = self.fields
            self._busy = False
        return self._fill

    def _validating(self) -> dict[str, Node]:
        if self._validate is None:
            self._busy = True
            self._validate = {name: node for name, node in self.fields.items() if node.validates()}
            self._busy = False
        return self._validate


class List(Node):
    """An array of like items."""

    __slots__ = ("_check", "_fills", "_prune", "_validates", "item", "map_keys")

    def __init__(self, item: Node, *, go_type: str = "", judged: bool = False) -> None:
        super().__init__(go_type or f"[]{item.go_type}", json_type="array", judged=judged)
        self.item = item
        self.map_keys: tuple[str, ...] = ()
        """The members that tell items apart in a list of type map."""
        self._check = item.accepts if isinstance(item, Scalar) else item.fits
        self._prune = item.prune if item.prunes() else None
        self._fills: bool | None = None
        self._validates: bool | None = None

    def fits(self, value: Any) -> bool:
        if type(value) is not list:
            return value is None
        check = self._check
        return all(map(check, value))

    def right(self, value: Any) -> bool:
        return type(value) is list

    def decode(self, value: Any, place: Place, saved: list[str]) -> None:
        if value is None:
            return
        if type(value) is not list:
            saved.append(place.mismatch(name_of(value), self.go_type))
            return
        for item in value:
            self.item.decode(item, place, saved)

    def unknown(self, value: Any, path: str, found: list[str]) -> None:
        if type(value) is list:
            for at, item in enumerate(value):
                self.item.unknown(item, f"{path}[{at}]", found)

    def prune(self, value: Any) -> Any:
        if type(value) is not list:
            return value
        pruner = self._prune
        for at, item in enumerate(value):
            if item is None:
                if not self.judged:
                    value[at] = self.item.zero()
            elif pruner is not None:
                value[at] = pruner(item)
        return value

    def fill(self, value: Any) -> None:
        if type(value) is not list:
            return
        node = self.item
        for at, item in enumerate(value):
            if item is None and node.default is not NO_DEFAULT and not node.nullable:
                item = value[at] = copied(node.default)
            node.fill(item)

    def validate_inside(self, value: Any, path: str, found: list[FieldError]) -> None:
        if self._validates is None:
            self._validates = self.item.validates()
        if self._validates:
            for at, item in enumerate(value):
                self.item.validate(item, f"{path}[{at}]", found)

    def validate_change_inside(self, value: Any, old: Any, path: str, found: list[FieldError]) -> None:
        if not self.map_keys or type(old) is not list:
            self.validate_inside(value, path, found)
            return
        held = {self._identity(item): item for item in old}
        for at, item in enumerate(value):
            _judge_change(self.item, (item, held, self._identity(item)), f"{path}[{at}]", found)

    def _identity(self, item: Any) -> bytes:
        return canonical([item.get(key) for key in self.map_keys] if type(item) is dict else item)

    def prunes(self) -> bool:
        return True

    def fills(self) -> bool:
        return self.judged or self.item.fills()

    def validates(self) -> bool:
        return super().validates() or self.item.validates()


class Map(Node):
    """An object whose keys are data and whose values are alike."""

    __slots__ = ("_check", "_prune", "_validates", "value")

    def __init__(self, value: Node, *, go_type: str = "", judged: bool = False) -> None:
        super().__init__(go_type or f"map[string]{value.go_type}", json_type="object", judged=judged)
        self.value = value
        self._check = value.accepts if isinstance(value, Scalar) else value.fits
        self._prune = value.prune if value.prunes() else None
        self._validates: bool | None = None

    def zero(self) -> Any:
        return None

    def fits(self, value: Any) -> bool:
        if type(value) is not dict:
            return value is None
        check = self._check
        return all(map(check, value.values()))

    def right(self, value: Any) -> bool:
        return type(value) is dict

    def decode(self, value: Any, place: Place, saved: list[str]) -> None:
        if value is None:
            return
        if type(value) is not dict:
            saved.append(place.mismatch(name_of(value), self.go_type))
            return
        for inside in value.values():
            self.value.decode(inside, place, saved)

    def unknown(self, value: Any, path: str, found: list[str]) -> None:
        if type(value) is dict:
            for key, inside in value.items():
                self.value.unknown(inside, f"{path}.{key}", found)

    def prune(self, value: Any) -> Any:
        if type(value) is not dict:
            return value
        pruner = self._prune
        for key, inside in value.items():
            if inside is None:
                if not self.judged:
                    value[key] = self.value.zero()
            elif pruner is not None:
                value[key] = pruner(inside)
        return value

    def fill(self, value: Any) -> None:
        if type(value) is not dict:
            return
        node = self.value
        for key in [key for key, inside in value.items() if inside is None and not node.nullable]:
            if node.default is not NO_DEFAULT:
                value[key] = copied(node.default)
            elif self.judged:
                del value[key]
        for inside in value.values():
            node.fill(inside)

    def validate_inside(self, value: Any, path: str, found: list[FieldError]) -> None:
        if self._validates is None:
            self._validates = self.value.validates()
        if self._validates:
            for key, inside in value.items():
                self.value.validate(inside, f"{path}.{key}", found)

    def validate_change_inside(self, value: Any, old: Any, path: str, found: list[FieldError]) -> None:
        for key, inside in value.items():
            _judge_change(self.value, (inside, old, key), f"{path}.{key}", found)

    def prunes(self) -> bool:
        return True

    def fills(self) -> bool:
        return self.judged or self.value.fills()

    def validates(self) -> bool:
        return super().validates() or self.value.validates()


def _judge_change(node: Node, change: tuple[Any, Any, Any], path: str, found: list[FieldError]) -> None:
    """Of a value, what held its old one, and the key there; what is new is judged as such."""
    value, held, key = change
    if type(held) is dict and key in held:
        node.validate_change(value, held[key], path, found)
    else:
        node.validate(value, path, found)
