"""params.yaml as typed values: unknown keys, wrong types and names that do not exist are refused at once.

Every stage parses the whole file, once; library functions take the typed parts.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin

from pydantic import Field, ValidationError, model_validator

from busline.base.errors import ParameterError, near_matches
from busline.base.sections import (
    Audit,
    Augmentation,
    Cnn,
    CrossValidation,
    Data,
    DnnSearch,
    Evaluate,
    Illustrate,
    Ingest,
    Lesion,
    Merged,
    Prune,
    Report,
    Section,
    Segmentation,
    Split,
    Tabular,
    Train,
    Weights,
)


class Params(Section):
    """The whole of params.yaml."""

    seed: Annotated[int, Field(ge=0)]
    """Root of every random draw."""
    data: Data
    ingest: Ingest
    prune: Prune
    split: Split
    cv: CrossValidation
    train: Train
    weights: Weights
    tabular: Tabular
    dnn_search: DnnSearch
    augmentation: Augmentation
    cnn: Cnn
    merged: Merged
    seg: Segmentation
    lesion: Lesion
    evaluate: Evaluate
    audit: Audit
    illustrate: Illustrate
    report: Report

    def require_image_model(self, name: str) -> None:
        """Refuse a name that is no key of cnn.models."""
        if name not in self.cnn.models:
            raise ParameterError(f"image model {name!r}", "is unknown", mend=near_matches(name, self.cnn.models))

    def require_level(self, name: str) -> None:
        """Refuse a name that is no key of augmentation.levels."""
        levels = self.augmentation.levels
        if name not in levels:
            raise ParameterError(f"augmentation level {name!r}", "is unknown", mend=near_matches(name, levels))

    @model_validator(mode="after")
    def _names_exist(self) -> Params:
        problems = [
            *_unknown("augmentation.active", self.augmentation.active, self.augmentation.levels),
            *_unknown("cnn.augmentation", [self.cnn.augmentation], self.augmentation.levels),
            *_unknown("seg.augmentation", [self.seg.augmentation], self.augmentation.levels),
            *_unknown("cnn.active", self.cnn.active, self.cnn.models),
            *_unknown("merged.active", self.merged.active, self.cnn.active),
            *_unknown("illustrate.saliency", [self.illustrate.saliency], self.cnn.active),
            *_unknown("audit.image_model", [self.audit.image_model], self.cnn.models),
            *_unknown("seg.weights", [self.seg.weights], self.weights.files),
        ]
        for name, model in self.cnn.models.items():
            problems += _unknown(f"cnn.models.{name}.weights", [model.weights], self.weights.files)
            if model.fine_tune and not model.weights:
                problems.append(f"cnn.models.{name}.fine_tune: needs weights; set it to null or name a weights file")
        if self.merged.active and "dnn" not in self.tabular.active:
            problems.append("merged.active: needs dnn in tabular.active; add it, or set merged.active to []")
        for key, names in (("tabular", self.tabular.active), ("cnn", self.cnn.active), ("merged", self.merged.active)):
            if len(set(names)) < len(names):
                problems.append(f"{key}.active: names a model twice")
        if self.split.val_fraction + self.split.test_fraction >= 1.0:
            problems.append("split: val_fraction + test_fraction must be below 1")
        if self.cv.stop_fraction + self.cv.weigh_fraction >= 1.0:
            problems.append("cv: stop_fraction + weigh_fraction must be below 1")
        if self.cv.image_repeats > self.cv.repeats:
            problems.append("cv: image_repeats must not exceed repeats")
        if problems:
            raise ValueError("\n".join(problems))
        return self


def _unknown(key: str, names: Sequence[str | None], known: Collection[str]) -> list[str]:
    return [
        f"{key}: unknown name {name!r}; {near_matches(name, known)}"
        for name in names
        if name is not None and name not in known
    ]


def load_params(path: Path = Path("params.yaml")) -> Params:
    """Read and check params.yaml (YAML 1.2, so that 3e-05 is a number).

    Raises:
        ParameterError: listing every unknown key, wrong type and unknown name.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    if not path.is_file():
        raise ParameterError(str(path), "is missing", mend="run from the repository's root")
    try:
        content = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    except (YAMLError, UnicodeDecodeError) as error:
        raise ParameterError(str(path), f"is not valid YAML: {error}") from error
    return parse_params(content, str(path))


def parse_params(content: object, where: str = "params.yaml") -> Params:
    """Check the content of a parameter file; see :func:`load_params`."""
    try:
        return Params.model_validate(content)
    except ValidationError as error:
        lines = [line for item in error.errors() for line in _describe(dict(item))]
        raise ParameterError(where, "".join(f"\n  - {line}" for line in lines).lstrip("\n") or "invalid") from error


def _describe(item: dict[str, object]) -> list[str]:
    location = item["loc"]
    assert isinstance(location, tuple)
    key = ".".join(str(part) for part in location)
    if item["type"] == "extra_forbidden":
        known = _known_keys(tuple(str(part) for part in location[:-1]))
        return [f"{key}: unknown key; {near_matches(str(location[-1]), known)}"]
    if item["type"] == "missing":
        return [f"{key}: is missing"]
    message = str(item["msg"]).removeprefix("Value error, ")
    if not key:
        return message.split("\n")
    return [f"{key}: {message}, found {item['input']!r}"]


def _known_keys(parents: tuple[str, ...]) -> list[str]:
    """Return the keys the section at ``parents`` knows, for near matches."""
    annotation: Any = Params
    for part in parents:
        if _is_section(annotation):
            field = annotation.model_fields.get(part)
            annotation = _section_in(field.annotation) if field else None
        elif get_origin(annotation) is dict:
            annotation = get_args(annotation)[1]
    return list(annotation.model_fields) if _is_section(annotation) else []


def _section_in(annotation: Any) -> Any:
    """Return the section of an optional one (``FineTune | None``); any other annotation as it is."""
    if get_origin(annotation) is dict:
        return annotation
    return next((option for option in get_args(annotation) if _is_section(option)), annotation)


def _is_section(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, Section)
