"""A class that cannot be served is refused when it is written, in one line that says why."""

import types
from collections.abc import Callable
from typing import Any

import pytest

from trikube import aa
from trikube.aa import install
from trikube.aa.definition import plural_of


class Spec(aa.Model):
    """A spec."""

    size: int = 0


def refusal(make: Callable[[], object]) -> str:
    with pytest.raises(aa.DefinitionError) as raised:
        make()
    assert "\n" not in str(raised.value)
    return str(raised.value)


def defined(name: str = "Cat", members: dict[str, Any] | None = None, **given: Any) -> type[aa.Resource]:
    settings: dict[str, Any] = {"group": "animal.demo.io", "version": "v1", **given}
    body = {"__module__": __name__, "__annotations__": {"spec": Spec}, **(members or {})}
    made: type[aa.Resource] = types.new_class(name, (aa.Resource,), settings, lambda namespace: namespace.update(body))
    return made


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"group": "Animal.demo.io"}, "Cat: group 'Animal.demo.io' is not valid: a lowercase RFC 1123 subdomain"),
        ({"group": "animal"}, "Cat: group 'animal' must be a domain with a dot, such as animal.demo.io"),
        ({"group": ""}, "Cat: group= is missing, such as animal.demo.io"),
        ({"version": "1"}, "Cat: version '1' must be like v1, v1beta1 or v1alpha1"),
        ({"version": "v1alpha"}, "Cat: version 'v1alpha' must be like v1, v1beta1 or v1alpha1"),
        ({"kind": "cat"}, "kind 'cat' must be letters and digits and begin with a capital, such as Cat"),
        ({"plural": "Cats"}, "Cat: plural 'Cats' is not valid: a DNS-1035 label"),
        ({"short_names": ("c t",)}, "Cat: short name 'c t' is not valid: a DNS-1035 label"),
        ({"columns": (("Size", ".spec["),)}, "Cat: column 'Size' has no valid path '.spec['"),
        ({"columns": (("Size", ".spec.size", "int"),)}, "Cat: column 'Size' has type 'int'; known are string"),
        ({"subresources": ("feed",)}, "Cat: subresources= takes status and scale; @aa.subresource('feed') the rest"),
        ({"subresources": ("status",)}, "Cat: it has a status subresource, so it needs a member status with a default"),
    ],
)
def test_names_that_kubernetes_would_not_take(given: dict[str, Any], why: str) -> None:
    assert refusal(lambda: defined(**given)).startswith(why)


@pytest.mark.parametrize(
    ("members", "why"),
    [
        ({"__annotations__": {"spec": Callable[[], int]}}, "Cat cannot be a schema: Cannot generate a JsonSchema"),
        ({"__annotations__": {"spec": "Missing"}}, "Cat cannot be a schema: name 'Missing' is not defined"),
        ({"__annotations__": {"pair": tuple[int, str]}}, "Cat cannot be a schema: pair is a tuple; a list has items"),
        (
            {"__annotations__": {"items": list[Spec | int]}},
            "Cat cannot be a schema: items[] may be Spec or integer; a member has one type",
        ),
        ({"__annotations__": {"spec": Spec, "status": Spec}}, "Cat: it has a status subresource, so it needs"),
    ],
)
def test_types_that_cannot_be_a_schema(members: dict[str, Any], why: str) -> None:
    assert refusal(lambda: aa.APIServer().with_resource(defined(members=members))).startswith(why)


def test_types_that_can() -> None:
    members = {"__annotations__": {"port": int | str, "maybe": Spec | None, "labels": dict[str, str] | None}}
    aa.APIServer().with_resource(defined(members=members))


class Optional(aa.Model):
    """Its default leaves something open."""

    name: str | None = None
    size: int = 1


def test_a_default_leaves_out_what_it_leaves_open() -> None:
    made = defined(members={"__annotations__": {"spec": Optional}, "spec": Optional()})
    obj: dict[str, Any] = {"metadata": {}}
    made.schema_.default(obj)
    assert obj["spec"] == {"size": 1}


async def _async(self: Any) -> None: ...


@aa.subresource("feed")
def _without_body(self: Any, ctx: aa.Context) -> None: ...


@aa.subresource("feed", "update")
def _update(self: Any, ctx: aa.Context, body: Spec) -> None: ...


@aa.subresource("status")
def _status(self: Any, ctx: aa.Context, body: Spec) -> None: ...


@aa.connect("log")
def _plain_connect(self: Any, ctx: aa.Context, connection: aa.Connection) -> None: ...


@pytest.mark.parametrize(
    ("members", "why"),
    [
        ({"default": _async}, "Cat.default must be a plain method: it runs while the object is decoded"),
        ({"feed": _without_body}, "Cat._without_body: a create is (self, ctx, body: Kind), where Kind is an aa.Model"),
        ({"feed": _update}, "Cat: subresource 'feed' has an update but no get"),
        ({"feed": _status}, "Cat._status: subresource 'status' is made by subresources=, not by hand"),
        ({"log": _plain_connect}, "Cat._plain_connect: what takes a connection over is an async method"),
    ],
)
def test_hooks_and_subresources_that_cannot_be_called(members: dict[str, Any], why: str) -> None:
    assert refusal(lambda: defined(members=members)) == why


def test_a_version_needs_its_hub_and_conversions() -> None:
    hub = defined()
    why = "Cat: it has a hub, so it needs convert_to_hub"
    assert refusal(lambda: defined(version="v1beta1", hub=hub)) == why
    why = "Cat: it must be another version of the group of its hub Cat"
    assert refusal(lambda: defined(hub=hub)) == why


def test_what_is_no_kind_is_not_served() -> None:
    class Base(aa.Resource):
        """Without a group it is a base for others."""

    for wrong in (Base, Spec, 5):
        with pytest.raises(aa.DefinitionError, match=r"cannot be served: it is no aa\.Resource with a group"):
            aa.APIServer().with_resource(wrong)  # type: ignore[arg-type]
    assert refusal(lambda: aa.APIServer("Cats")).startswith("server name 'Cats' is not valid")


def test_kinds_share_no_name_and_versions_have_one_hub() -> None:
    clash = [defined(), defined("Dog", plural="cats")]
    assert refusal(lambda: install.check_versions(clash)) == "Dog: Cat has cats of animal.demo.io/v1 already"
    apart = [defined(), defined("Cat", version="v2")]
    why = "Cat: all versions of cats need one hub; give hub="
    assert refusal(lambda: install.check_versions(apart)) == why


@pytest.mark.parametrize(
    ("kind", "plural"), [("Cat", "cats"), ("Fox", "foxes"), ("Puppy", "puppies"), ("Monkey", "monkeys")]
)
def test_plurals_are_regular(kind: str, plural: str) -> None:
    assert plural_of(kind) == plural
