"""The key `findings` of dataset.yaml: which column notes which finding, and what its values mean.

    findings:
      shape: Shape                    # its values are the levels' own words: oval, round, irregular
      birads: {column: BIRADS, values: {"4B": 4b, IV: 4, "0": unknown}}
      margin: {column: Margin, values: {spiculated & indistinct: [spiculated, indistinct]}}

A value that is neither a level's word nor mapped is refused: as a missing target it would be lost in silence, as a 0 it
would be taught wrongly.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from busline.base.errors import near_matches, plain, shown
from busline.cohort.findings import LEVELS, RELEASED, find_levels
from busline.cohort.formats.text import read_boolean, tidy
from busline.cohort.schema import Column, Finding, FindingName, RawCohort

UNKNOWN = "unknown"
EXPERTS = ("radiologist", "sonographer")
"""Provenances that a finding may have: what is read off the scan."""
_LIKELY = {
    "echo": "echogenicity",
    "echopattern": "echogenicity",
    "margins": "margin",
    "posterior": "posterior_features",
}
"""Further names of columns that may hold a finding, in small letters alone."""


def _as_words(value: Any) -> Any:
    """Return the words for one cell, or for several joined levels, as a list of small letters."""
    words = value if isinstance(value, list) else [value]
    return [str(word).casefold() if isinstance(word, str | int) else word for word in words]


def _as_cells(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    cells = {read_boolean(tidy(str(key))): levels for key, levels in value.items()}
    if len(cells) < len(value):
        raise ValueError("has one value twice, in two spellings of one text")
    return cells


class FindingKey(BaseModel):
    """A column that notes a finding."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    column: Annotated[
        str, BeforeValidator(lambda name: tidy(name) if isinstance(name, str) else name), Field(min_length=1)
    ]
    values: Annotated[dict[str, Annotated[list[str], BeforeValidator(_as_words)]], BeforeValidator(_as_cells)] = {}
    """The level, or levels, that each value means, or that it is unknown."""

    @model_validator(mode="before")
    @classmethod
    def _from_name(cls, value: Any) -> Any:
        return {"column": value} if isinstance(value, str) else value


FindingKeys = dict[FindingName, FindingKey]


def contradictions(findings: Mapping[FindingName, FindingKey], columns: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with the key, a line each; ``columns`` are declarations by name."""
    problems = []
    named = [key.column for key in findings.values()]
    for name, key in findings.items():
        declared, where = columns.get(key.column), f"findings.{name}"
        if declared is None:
            problems.append(f"{where}: column {shown(key.column)} is not declared under columns")
        elif declared.provenance not in EXPERTS or declared.kind != "categorical":
            problems.append(
                f"{where}: column {shown(key.column)} is {declared.kind} of provenance {declared.provenance}; expected "
                f"categorical of {' or '.join(EXPERTS)}"
            )
        if named.count(key.column) > 1:
            problems.append(f"{where}: column {shown(key.column)} notes two findings")
        for cell, levels in key.values.items():
            problems += [f"{where}.values.{plain(cell)}: {line}" for line in _wrong_levels(name, levels)]
    return problems


def map_findings(cohort: RawCohort, findings: Mapping[FindingName, FindingKey]) -> RawCohort:
    """Return the cohort with its columns' findings, every cell that means none, and columns that look like one."""
    noted = {
        key.column: Finding(name=name, levels={cell: _levels(words) for cell, words in key.values.items()})
        for name, key in findings.items()
    }
    problems = [
        f"row {case.row} (case {plain(case.case_id)}): column {shown(column)}: {_refuse(cell, finding.name)}"
        for case in cohort.cases
        for column, finding in noted.items()
        if isinstance(cell := case.cells.get(column), str) and find_levels(finding, cell) is None
    ]
    columns = tuple(column.model_copy(update={"finding": noted.get(column.name)}) for column in cohort.columns)
    notes = [
        f"column {shown(column.name)} looks like a finding and is not mapped, so the lesion network learns nothing of "
        f"it: `findings: {{{name}: {column.name}}}` in dataset.yaml"
        for column in columns
        if (name := _looks_like(column)) and not column.finding and name not in findings
    ]
    return replace(cohort, columns=columns, problems=(*cohort.problems, *problems), notes=(*cohort.notes, *notes))


def _refuse(cell: str, name: FindingName) -> str:
    known = near_matches(cell, LEVELS[name])
    return f"{shown(cell)} is no level of {name}; {known}; findings.{name}.values says what it means, or `{UNKNOWN}`"


def _levels(words: list[str]) -> tuple[str, ...]:
    return () if words == [UNKNOWN] else tuple(words)


def _wrong_levels(name: FindingName, levels: list[str]) -> list[str]:
    if levels == [UNKNOWN]:
        return []
    wrong = [level for level in levels if level not in LEVELS[name]]
    if wrong or not levels:
        return [f"{shown(wrong[0]) if wrong else 'nothing'} is no level; {near_matches('', [*LEVELS[name], UNKNOWN])}"]
    if len(levels) > 1 and (name != "margin" or "circumscribed" in levels):
        return ["has several levels; only a margin that is not circumscribed can have several"]
    return []


def _looks_like(column: Column) -> str | None:
    """Return the finding that an expert's column seems to note by its name."""
    if column.provenance not in EXPERTS or column.kind != "categorical":
        return None
    letters = re.sub("[^a-z]", "", column.name.casefold())
    names = {re.sub("[^a-z]", "", name.casefold()): finding for name, finding in RELEASED.items()}
    return {**names, **_LIKELY}.get(letters)
