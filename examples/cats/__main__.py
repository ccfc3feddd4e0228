"""`python -m examples.cats --standalone-debug-mode`: serves animal.demo.io/v1alpha1, stored in sqlite."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from trikube import aa


class CatSpec(aa.Model):
    """CatSpec is what is wanted of a cat."""

    breed: Annotated[str, Field(min_length=1)]
    """What kind of cat it is."""
    sound: str = ""
    """What it says; by default what cats say."""
    lives: Annotated[int, Field(ge=0, le=9)] = 9
    """How many lives it has left."""


class CatStatus(aa.Model):
    """CatStatus is how a cat is."""

    meals: int = 0
    """How often it was fed."""
    last_meal: str | None = None
    """What it ate last."""


class Meal(aa.Model):
    """Meal is something to eat: POST it to a cat's feed."""

    food: str = "mouse"
    """What there is to eat."""


class Cat(
    aa.Resource,
    group="animal.demo.io",
    version="v1alpha1",
    short_names=("ct",),
    categories=("all",),
    columns=(("Breed", ".spec.breed"), ("Meals", ".status.meals", "integer")),
):
    """Cat is a small animal that lives with people."""

    spec: CatSpec
    """What is wanted of the cat."""
    status: CatStatus = CatStatus()
    """How the cat is."""

    def default(self) -> None:
        self.spec.sound = self.spec.sound or "meow"

    def validate_create(self, ctx: aa.Context) -> Iterator[aa.FieldError]:
        if self.spec.breed == "dog":
            yield aa.fields.invalid("spec.breed", self.spec.breed, "is no cat")

    @aa.subresource("feed")
    def feed(self, ctx: aa.Context, meal: Meal) -> None:
        """Feed the cat."""
        self.status.meals += 1
        self.status.last_meal = meal.food


SERVER = aa.APIServer("cats").with_resource(Cat).with_local_debug_extension()

if __name__ == "__main__":
    SERVER.execute()
