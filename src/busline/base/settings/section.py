"""What all sections share: strictness, ranges of numbers and forms of names."""

from __future__ import annotations

import os
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator

Fraction = Annotated[float, Field(gt=0.0, lt=1.0)]
Rate = Annotated[float, Field(gt=0.0)]
Side = Annotated[int, Field(ge=32, le=4096)]
"""Side of a square network input in pixels."""
BatchSize = Annotated[int, Field(ge=2, le=4096)]
"""Cases a batch; batch norm needs two."""
Epochs = Annotated[int, Field(ge=1, le=100_000)]
Trees = Annotated[int, Field(ge=1, le=100_000)]
Units = Annotated[int, Field(ge=1, le=65_536)]
"""Units of a dense layer."""
Name = Annotated[str, Field(pattern="^[a-z0-9_]+$", max_length=100)]
"""Name of a model or level: it becomes part of a command and of file names."""


def _whole_path(path: str) -> str:
    if path.startswith("~"):
        whole = os.path.expanduser(path)  # noqa: PTH111  # Path raises where there is no such user
        example = "" if whole == path else f": {whole}"
        raise ValueError(f"begins with ~, which DVC does not replace by your home folder; write the path out{example}")
    return path


WholePath = Annotated[str, Field(min_length=1), AfterValidator(_whole_path)]
"""Path that DVC looks at: from the repository's root, or absolute."""
Seed = Annotated[int, Field(ge=0)]
"""Root of random draws."""
Dropout = Annotated[float, Field(ge=0.0, lt=1.0)]
Provenance = Literal["identifier", "label", "patient", "acquisition", "sonographer", "radiologist", "pathology"]
"""Where a column comes from; docs/own-data.md says what each means and which a model may see."""


class Section(BaseModel):
    """Base of all sections: frozen, strict about types, finite numbers, no unknown keys, no value twice in a list."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    @field_validator("*")
    @classmethod
    def _no_value_twice(cls, value: Any) -> Any:
        if isinstance(value, list):
            twice = sorted({str(item) for item in value if value.count(item) > 1})
            if twice:
                raise ValueError(f"has {', '.join(twice)} twice")
        return value
