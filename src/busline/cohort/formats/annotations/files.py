"""The files of an annotation tool: what dataset.yaml says of them, which there are, and what they hold."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from busline.base.errors import DataError, shown
from busline.cohort.formats.annotations.coco import read_coco
from busline.cohort.formats.annotations.entry import Entry
from busline.cohort.formats.annotations.labelme import read_labelme
from busline.cohort.formats.annotations.strict import read_json, read_text
from busline.cohort.formats.annotations.supervisely import read_supervisely
from busline.cohort.formats.annotations.via import read_via
from busline.cohort.formats.annotations.yolo import read_class_names, read_yolo
from busline.cohort.formats.suffixes import stem_of
from busline.cohort.schema import RawCase
from busline.fetch.names import safe_path


@dataclass(frozen=True)
class Format:
    """How the files of a tool are read.

    Attributes:
        read: returns the entries of a file; the names of classes are YOLO's.
        of_all: whether one file can hold all images.
    """

    read: Callable[[Path, list[str]], list[Entry]]
    of_all: bool


FORMATS: dict[str, Format] = {
    "coco": Format(lambda path, _: read_coco(read_json(path)), of_all=True),
    "labelme": Format(lambda path, _: read_labelme(read_json(path)), of_all=False),
    "supervisely": Format(lambda path, _: read_supervisely(read_json(path)), of_all=False),
    "via": Format(lambda path, _: read_via(read_json(path)), of_all=True),
    "yolo": Format(lambda path, classes: read_yolo(read_text(path), classes), of_all=False),
}

PLACEHOLDERS = ("{case}", "{image}", "{image.stem}")


def _as_text(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Text = Annotated[str, BeforeValidator(_as_text), Field(min_length=1)]


class OutlineFiles(BaseModel):
    """Where the shapes of an annotation tool stand."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    file: Text
    """File of all images, or of one: with ``{case}``, ``{image}`` (its file's name) or ``{image.stem}``."""
    format: Literal["coco", "labelme", "via", "supervisely", "yolo"]
    """The tool's format."""
    classes: Annotated[tuple[Text, ...], Field(min_length=1)] | None = None
    """The classes whose shapes are the lesion; left out, all shapes are, if they are of one class."""
    names: Text | None = None
    """File with the names of YOLO's classes, classes.txt or data.yaml."""

    @model_validator(mode="after")
    def _fits(self) -> OutlineFiles:
        found = re.findall(r"\{[^{}]*\}", self.file)
        unknown = [name for name in found if name not in PLACEHOLDERS]
        if unknown or re.search(r"[{}]", re.sub(r"\{[^{}]*\}", "", self.file)):
            raise ValueError(f"has a file with {shown(unknown[0] if unknown else self.file)}; {_PLACEHOLDERS}")
        if not found and not FORMATS[self.format].of_all:
            raise ValueError(f"has one file of all images, but {self.format} has a file an image; {_PLACEHOLDERS}")
        if self.names and self.format != "yolo":
            raise ValueError("has `names`, which are for yolo; other formats hold the names of their classes")
        for name in (self.names, re.sub(r"\{[^{}]*\}", "x", self.file)):
            if name:
                safe_path(name, subfolders=True)
        return self

    @property
    def of_all(self) -> bool:
        """Whether one file holds all images."""
        return not any(name in self.file for name in PLACEHOLDERS)


_PLACEHOLDERS = f"expected {', '.join(PLACEHOLDERS[:-1])} or {PLACEHOLDERS[-1]} where the case or its image stands"


def file_of(outlines: OutlineFiles, case: RawCase) -> str:
    """Return the name of the file that holds a case's shapes, relative to the folder.

    Raises:
        ValueError: if the name cannot be trusted.
    """
    image = case.image.name if case.image else ""
    parts = {"{case}": case.case_id, "{image}": image, "{image.stem}": stem_of(image)}
    name = re.sub(r"\{[^{}]*\}", lambda found: parts[found[0]], outlines.file)
    return str(safe_path(name, subfolders=True))


def outline_file_names(outlines: OutlineFiles, cases: Iterable[RawCase], folder: Path) -> list[str]:
    """Return the files to copy, sorted; a file an image is only needed where there is a lesion.

    Raises:
        DataError: if a name cannot be trusted.
    """
    if outlines.of_all:
        return [outlines.file]
    names = {outlines.names} if outlines.names else set()
    for case in cases:
        try:
            name = file_of(outlines, case)
        except ValueError as error:
            raise DataError(f"row {case.row} (case {case.case_id})", f"outlines.file: {error}") from error
        if case.label != "normal" or (folder / name).is_file():
            names.add(name)
    return sorted(names)


def read_entries(outlines: OutlineFiles, names: Iterable[str], folder: Path) -> dict[str, list[Entry] | str]:
    """Return what each file holds, or why it cannot be read.

    Raises:
        DataError: if the file of YOLO's names cannot be read.
    """
    classes = _class_names(folder / outlines.names) if outlines.names else []
    read = FORMATS[outlines.format].read
    found: dict[str, list[Entry] | str] = {}
    for name in names:
        try:
            found[name] = read(folder / PurePosixPath(name), classes)
        except ValueError as error:
            found[name] = str(error)
    return found


def _class_names(path: Path) -> list[str]:
    try:
        return read_class_names(path)
    except ValueError as error:
        raise DataError(path.name, str(error), expected="the names of YOLO's classes") from error
