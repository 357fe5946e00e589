"""Types of the keys in dataset.yaml: texts as a table's cells are read, and parts that columns play."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from busline.base.errors import shown
from busline.base.settings.section import Provenance
from busline.cohort.formats.derive import Derived
from busline.cohort.formats.filenames import parse_pattern
from busline.cohort.formats.patterns import require_pattern
from busline.cohort.formats.templates import FIND, WHOLE_FIND, Placeholder, Template, parse_template
from busline.cohort.formats.text import read_boolean, tidy
from busline.cohort.schema import Kind

EACH_IMAGE = "each image"
NO_LABELS = "none"


def _as_text(value: Any) -> Any:
    return str(value) if isinstance(value, int | float) else value


def _as_cell(value: Any) -> Any:
    """Return a text of dataset.yaml as the table's cells are read."""
    text = _as_text(value)
    return tidy(text) if isinstance(text, str) else text


def _keys_as_cells(value: Any, read: Callable[[str], str] = str) -> Any:
    if not isinstance(value, dict):
        return value
    cells = [_as_cell(key) for key in value]
    keys = [read(cell) if isinstance(cell, str) else cell for cell in cells]
    doubled = sorted({str(key) for key in keys if keys.count(key) > 1})
    if doubled:
        raise ValueError(f"has {shown(doubled[0])} twice, in two spellings of one text")
    return dict(zip(keys, value.values(), strict=True))


def _as_labels(value: Any) -> Any:
    return _keys_as_cells(value, read_boolean)


def _as_part(value: Any) -> Any:
    """Return what Part validates."""
    text = _as_cell(value)
    if isinstance(text, str):
        _readable(text)
        return {"from": text}
    if isinstance(value, Part | dict):
        return value
    raise ValueError("is no text; expected a column, a template such as {Image.stem}, or {from: …, pattern: …}")


def _as_list(value: Any) -> Any:
    return [] if value is None else value if isinstance(value, list) else [value]


def _as_patient(value: Any) -> Any:
    """Return what PatientId validates, or None for images that are each of another patient."""
    if value is None:
        raise ValueError(f"is empty; name a column, or say `{EACH_IMAGE}`")
    text = _as_cell(value)
    return None if isinstance(text, str) and text.casefold() == EACH_IMAGE else _as_part(value)


def _as_label(value: Any) -> Any:
    """Return what Part validates, or None for cases without labels."""
    if value is None:
        raise ValueError(f"is empty; name a column, or say `{NO_LABELS}` if there are no labels")
    text = _as_cell(value)
    return None if isinstance(text, str) and text.casefold() == NO_LABELS else _as_part(value)


def _readable(text: str) -> str:
    parse_template(text)
    return text


def _of_find(text: str) -> str:
    if parse_template(text, of_find=True).columns != (FIND,):
        raise ValueError("must have {} where the find goes, and no other placeholder")
    return text


def _pattern(text: str) -> str:
    parse_pattern(text)
    return text


Text = Annotated[str, BeforeValidator(_as_text), Field(min_length=1)]
Name = Annotated[str, BeforeValidator(_as_cell), Field(min_length=1)]
"""Name of a column."""
Cell = Annotated[str, BeforeValidator(_as_cell)]
"""Text of a cell, which may be empty."""
CellKeys = BeforeValidator(_keys_as_cells)
LabelKeys = BeforeValidator(_as_labels)
FileNames = Annotated[str, Field(min_length=1), AfterValidator(_pattern)]
"""Pattern of file names, see :mod:`busline.cohort.formats.filenames`."""
AsList = BeforeValidator(_as_list)


STRICT = ConfigDict(extra="forbid", frozen=True)


class _Section(BaseModel):
    model_config = STRICT


class Part(_Section):
    """What plays a part: a column, a template over columns, or what a pattern finds in either."""

    source: Annotated[Name, Field(alias="from"), AfterValidator(_readable)]
    """Name of a column, or a template with placeholders."""
    pattern: Annotated[Text, AfterValidator(require_pattern)] | None = None
    """Regular expression: its first group, or else all that it matches, is found."""
    around: Annotated[Annotated[Text, AfterValidator(_of_find)] | None, Field(alias="as")] = None
    """What is made of the find, for which ``{}`` stands."""

    @model_validator(mode="after")
    def _finds(self) -> Part:
        if self.around is not None and self.pattern is None:
            raise ValueError("has `as` without `pattern`; write a template in `from` alone")
        return self

    @property
    def template(self) -> Template:
        """What it is made of."""
        return parse_template(self.source)

    @property
    def is_column(self) -> bool:
        """Whether it is a column of the table as it stands there."""
        return self.pattern is None and not self.template.columns

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it is made of; none if it is one."""
        return () if self.is_column else self.template.columns or (self.template.literal,)

    @property
    def column(self) -> str:
        """Name of the column that plays the part: of the table, or of those that are made."""
        if self.is_column:
            return self.template.literal
        if self.pattern is None:
            return self.source
        return f"{self.source} matching {self.pattern}" + (f" as {self.around}" if self.around else "")

    @property
    def names(self) -> Template:
        """What names the files, if it is a part that does."""
        return self.template if self.pattern is None else self._around

    @property
    def _around(self) -> Template:
        return parse_template(self.around, of_find=True) if self.around else WHOLE_FIND

    @property
    def alone(self) -> str | None:
        """The column whose cells the part has unchanged, None if there is none."""
        if self.is_column:
            return self.column
        return self.columns[0] if self.pattern is None and self.source == f"{{{self.columns[0]}}}" else None

    def derived(self) -> Derived | None:
        """Return how the part is made, None if it is a column."""
        if self.is_column:
            return None
        whole = Template(self.source, (Placeholder(self.columns[0]),))
        return Derived(self.column, self.template if self.template.columns else whole, self.pattern, self._around)


class PatientId(Part):
    """Where the patient stands."""

    exact: bool = False
    """Whether ids that differ only in case, blanks, zeros before or ``.0`` behind them are of different patients."""


APart = Annotated[Part, BeforeValidator(_as_part)]
APartOrNone = Annotated[Part | None, BeforeValidator(lambda value: None if value is None else _as_part(value))]
ALabel = Annotated[Part | None, BeforeValidator(_as_label)]
APatient = Annotated[PatientId | None, BeforeValidator(_as_patient)]


class PixelSize(_Section):
    """Where the pixel size stands."""

    column: Name
    unit: Literal["mm", "cm", "um"]


class Declaration(_Section):
    """What a clinical column is."""

    provenance: Provenance
    kind: Kind
    minimum: float | None = None
    maximum: float | None = None
