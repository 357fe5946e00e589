"""Mistakes in a file of settings, whatever it was validated as."""

from typing import Annotated

import pytest
from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError, model_validator

from busline.base.validation import describe_errors


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid")
    width: int = 1


class Whole(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str
    part: Part | None = None
    parts: Annotated[dict[str, Part], BeforeValidator(lambda value: value)] = {}
    pairs: list[Part] = []

    @model_validator(mode="after")
    def _named(self):
        if self.name == "none":
            raise ValueError("name: must not be none\nname: choose another")
        return self


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        ({}, ["name: is missing"]),
        ({"name": "a", "prat": 1}, ["prat: unknown key; did you mean 'part' or 'parts'?"]),
        ({"name": "a", "part": {"widht": 1}}, ["part.widht: unknown key; did you mean 'width'?"]),
        ({"name": "a", "parts": {"b": {"widht": 1}}}, ["parts.b.widht: unknown key; did you mean 'width'?"]),
        (
            {"name": 3, "part": {"width": "x"}},
            [
                "name: Input should be a valid string, found 3",
                "part.width: Input should be a valid integer, unable to parse string as an integer, found 'x'",
            ],
        ),
        ({"name": "none"}, ["name: must not be none", "name: choose another"]),
        ("words", ["the file: Input should be a valid dictionary or instance of Whole, found 'words'"]),
    ],
)
def test_every_mistake_is_a_line_with_its_key(content, lines):
    with pytest.raises(ValidationError) as error:
        Whole.model_validate(content)
    assert describe_errors(error.value, Whole) == lines
