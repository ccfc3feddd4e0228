"""What an author's hooks do to objects on their way in, and what happens when they fail."""

import logging
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Annotated, Self

import pytest
from pydantic import Field, field_validator

from generic.meta.errors import StatusError
from tests.unit.aa.harness import make, serving
from trikube import aa

pytestmark = pytest.mark.anyio


class CatSpec(aa.Model):
    """CatSpec is what is wanted of a cat."""

    breed: Annotated[str, Field(min_length=1)]
    coat_color: str = "grey"
    sound: str | None = None

    @field_validator("coat_color")
    @classmethod
    def _known(cls, value: str) -> str:
        if value == "green":
            raise ValueError("cats are not green")
        return value


class CatStatus(aa.Model):
    """CatStatus is how a cat is."""

    meals: int = 0


class Cat(aa.Resource, group="animal.demo.io", version="v1"):
    """Cat is a small animal."""

    spec: CatSpec
    status: CatStatus = CatStatus()

    def default(self) -> None:
        self.spec.sound = self.spec.sound or "meow"

    async def prepare_for_create(self, ctx: aa.Context) -> None:
        self.metadata.labels["owner"] = ctx.user.name.replace(":", "-")

    def prepare_for_update(self, ctx: aa.Context, old: Self) -> None:
        self.metadata.labels = {**self.metadata.labels, "owner": old.metadata.labels["owner"]}

    def validate_create(self, ctx: aa.Context) -> Iterator[aa.FieldError]:
        assert threading.current_thread() is not threading.main_thread()
        if self.spec.breed == "boom":
            raise RuntimeError("a defect\nof two lines")
        if self.spec.breed == "dog":
            yield aa.fields.invalid("spec.breed", self.spec.breed, "is no cat")
            yield aa.fields.required("spec.owner")
        if self.spec.breed == "odd":
            yield "not a field error"  # type: ignore[misc]
        ctx.warn("looked at")

    async def validate_update(self, ctx: aa.Context, old: Self) -> list[aa.FieldError]:
        same = old.spec.breed == self.spec.breed
        return [] if same else [aa.fields.invalid("spec.breed", self.spec.breed, aa.fields.IMMUTABLE)]

    async def validate_status_update(self, ctx: aa.Context, old: Self) -> AsyncIterator[aa.FieldError]:
        if self.status.meals < old.status.meals:
            yield aa.fields.invalid("status.meals", self.status.meals, "may not shrink")

    def validate_delete(self, ctx: aa.Context) -> list[aa.FieldError]:
        loved = self.metadata.annotations.get("loved") == "yes"
        return [aa.fields.forbidden("metadata.annotations", "it is loved")] if loved else []


CATS = Cat.definition.gvr


async def test_an_object_is_defaulted_prepared_and_stored_without_a_clients_status(tmp_path: Path) -> None:
    async with serving(tmp_path, Cat) as client:
        made = await client.create(CATS, make(Cat, "tom", spec={"breed": "tabby"}, status={"meals": 7}))
        assert made["spec"] == {"breed": "tabby", "coatColor": "grey", "sound": "meow"}
        assert made["metadata"]["labels"] == {"owner": "system-apiserver"}
        assert "status" not in made
        changed = {**made, "metadata": {**made["metadata"], "labels": {"a": "b"}}}
        updated = await client.update(CATS, changed)
        assert updated["metadata"]["labels"] == {"a": "b", "owner": "system-apiserver"}
        assert updated["metadata"]["generation"] == 1


@pytest.mark.parametrize(
    ("spec", "causes"),
    [
        ({"breed": "dog"}, ['spec.breed: Invalid value: "dog": is no cat', "spec.owner: Required value"]),
        ({"breed": "tabby", "coatColor": "green"}, ['spec.coatColor: Invalid value: "green": cats are not green']),
        (
            {"breed": ""},
            ['spec.breed: Invalid value: "": spec.breed in body should be at least 1 chars long'],
        ),
    ],
)
async def test_everything_wrong_is_told_at_once_with_its_path(
    tmp_path: Path, spec: dict[str, str], causes: list[str]
) -> None:
    async with serving(tmp_path, Cat) as client:
        with pytest.raises(StatusError) as raised:
            await client.create(CATS, make(Cat, "tom", spec=spec))
    assert raised.value.code == 422
    details = raised.value.details or {}
    assert [f"{cause['field']}: {cause['message']}" for cause in details["causes"]] == causes


async def test_updates_of_spec_and_status_are_judged_apart(tmp_path: Path) -> None:
    async with serving(tmp_path, Cat) as client:
        made = await client.create(CATS, make(Cat, "tom", spec={"breed": "tabby"}))
        with pytest.raises(StatusError, match="field is immutable"):
            await client.patch(CATS, "tom", {"spec": {"breed": "persian"}}, namespace="default")
        fed = await client.update_status(CATS, {**made, "status": {"meals": 2}})
        assert fed["status"] == {"meals": 2}
        with pytest.raises(StatusError, match="may not shrink"):
            await client.update_status(CATS, {**fed, "status": {"meals": 1}})


async def test_a_deletion_can_be_refused(tmp_path: Path) -> None:
    async with serving(tmp_path, Cat) as client:
        obj = make(Cat, "tom", spec={"breed": "tabby"})
        obj["metadata"]["annotations"] = {"loved": "yes"}
        await client.create(CATS, obj)
        with pytest.raises(StatusError, match="it is loved") as raised:
            await client.delete(CATS, "tom", "default")
        assert raised.value.code == 422
        await client.patch(CATS, "tom", {"metadata": {"annotations": {"loved": None}}}, namespace="default")
        await client.delete(CATS, "tom", "default")


async def test_a_validator_that_raises_is_a_500_and_one_line(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with serving(tmp_path, Cat) as client:
        with caplog.at_level(logging.ERROR), pytest.raises(StatusError) as raised:
            await client.create(CATS, make(Cat, "tom", spec={"breed": "boom"}))
    why = "Cat.validate_create raised RuntimeError: a defect of two lines"
    assert (raised.value.code, raised.value.message) == (500, f"Internal error occurred: {why}")
    (record,) = caplog.records
    assert record.getMessage().startswith(f"{why} (")
    assert "\n" not in record.getMessage()


async def test_a_validator_that_finds_something_odd_is_told_so(tmp_path: Path) -> None:
    async with serving(tmp_path, Cat) as client:
        with pytest.raises(StatusError, match=r"'not a field error' is no aa\.FieldError") as raised:
            await client.create(CATS, make(Cat, "tom", spec={"breed": "odd"}))
    assert raised.value.code == 500


class Grown(aa.Resource, group="animal.demo.io", version="v1", kind="Cat"):
    """Cat, of a later release that asks for more."""

    spec: "GrownSpec"


class GrownSpec(CatSpec):
    """CatSpec is what is wanted of a cat."""

    chip: Annotated[str, Field(pattern="^[0-9]+$")]


async def test_what_an_older_release_stored_can_be_mended_and_deleted(tmp_path: Path) -> None:
    async with serving(tmp_path, Cat) as client:
        for name in ("tom", "tim"):
            await client.create(CATS, make(Cat, name, spec={"breed": "tabby"}))
    async with serving(tmp_path, Grown) as client:
        mended = await client.patch(CATS, "tom", {"spec": {"chip": "123"}}, namespace="default")
        assert mended["spec"]["chip"] == "123"
        await client.delete(CATS, "tim", "default")
