"""Results that cross from one stage to another as JSON: typed, frozen, and refused with the stage to run again."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from busline.base.artifacts import load_text
from busline.base.errors import list_problems
from busline.base.validation import describe_errors


class Result(BaseModel):
    """Base of all results: frozen, strict about types, no unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def _defined(value: object) -> object:
    """Return a number that is not finite as None, as JSON holds it."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


Number = Annotated[float | None, BeforeValidator(_defined)]
"""A number, None where it is undefined."""
Span = Annotated[tuple[int, int], Field(strict=False)]
"""The fewest and the most; JSON has a list."""

Kind = TypeVar("Kind", bound=Result)


def load_result(kind: type[Kind], path: Path, *, stage: str = "", command: str = "") -> Kind:
    """Read what a stage, or a command outside the pipeline, wrote.

    Args:
        kind: what the file holds.
        path: the file.
        stage: the stage that writes it.
        command: the command that does, if it is no stage.

    Raises:
        DataError: if the file is missing; or listing every unknown key, missing key and wrong type.
    """
    text = load_text(path)
    try:
        return kind.model_validate_json(text)
    except ValidationError as error:
        again = f"`{command}`" if command else f"its stage again, `dvc repro --force --single-item {stage}`"
        mend = f"another version wrote it: run {again}"
        raise list_problems(str(path), describe_errors(error, kind), mend=mend) from error
