"""Figures a paper published, typed by hand into a YAML file, to stand beside ours."""

from __future__ import annotations

from importlib.resources import files
from typing import Annotated, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from busline.base.errors import ParameterError, near_matches
from busline.base.settings.tabular import TabularName
from busline.families import CNN, MERGED, TABULAR, VOTE
from busline.metrics.segmentation import KNOWN

Score = Annotated[float, Field(ge=0.0, le=1.0)]
Positive = Annotated[float, Field(ge=0.0)]


class Interval(NamedTuple):
    """A mean and its 95 % interval, as the paper prints them."""

    mean: Score
    low: Score
    high: Score


class Block(BaseModel):
    """Base of all parts: frozen, no unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Citation(Block):
    """The paper."""

    authors: str
    title: str
    year: int
    short: str
    """How tables name the paper."""
    source: str
    """Name of the source that its figures are from."""
    data: str
    """That data in words."""


class TabularScores(Block):
    """One row of Table 4."""

    accuracy: Interval
    f1: Interval
    roc_auc: Interval
    precision: Interval
    recall: Interval


class SearchScore(Block):
    """One row of Table 5."""

    hidden: int
    dropout: float
    roc_auc: Interval


class VoteScore(Block):
    """One row of Table 8 of the scheme "Voting"; the paper gives no intervals."""

    tabular: TabularName
    image: str
    weight: Score
    """The tabular model's weight w; the image model has 1 − w."""
    roc_auc: Score


class SegmentationScore(Block):
    """One row of Table 9, in the metric's unit."""

    mean: Positive
    min: Positive
    max: Positive
    low: Positive
    high: Positive


class OpenChoice(Block):
    """Something the paper leaves open."""

    what: str
    parameters: list[str]
    """Dotted keys of params.yaml that hold the choice; `*` stands for every key of a mapping."""
    chosen: str = ""
    """The choice in words, where no parameter says it all."""


class Difference(Block):
    """Something done otherwise on purpose."""

    tables: list[Annotated[int, Field(ge=1)]]
    """Numbers of the paper's tables it concerns; empty if it concerns all."""
    text: str


class Published(Block):
    """All that is known of a paper."""

    citation: Citation
    tabular: dict[TabularName, TabularScores]
    dnn_search: list[SearchScore]
    augmentation: dict[str, Interval]
    cnn: dict[str, Interval]
    vote: list[VoteScore]
    merged: dict[str, Interval]
    segment: dict[str, SegmentationScore]
    """By metric of segmentation (:data:`busline.metrics.segmentation.KNOWN`)."""
    settings: dict[str, bool | float | str | list[str]]
    """What the paper fixes, by the dotted keys of params.yaml."""
    open_choices: list[OpenChoice]
    differences: list[Difference]

    @model_validator(mode="after")
    def _check_segment(self) -> Published:
        for name, score in self.segment.items():
            if name not in KNOWN:
                raise ValueError(f"segment: unknown metric {name!r}; {near_matches(name, KNOWN)}")
            if score.max > KNOWN[name].most:
                raise ValueError(f"segment: {name} is at most {KNOWN[name].most:g}, found {score.max:g}")
        return self


def published_aucs(published: Published | None) -> dict[tuple[str, str], dict[str, float]]:
    """Return the paper's ROC AUCs by family and model (pairs as a+b): mean, and low and high where it gives them.

    Levels of augmentation and the search are left out; without a paper there are none.
    """
    if published is None:
        return {}
    figures = {(TABULAR.key, str(name)): scores.roc_auc._asdict() for name, scores in published.tabular.items()}
    figures |= {(CNN.key, name): score._asdict() for name, score in published.cnn.items()}
    figures |= {(VOTE.key, f"{row.tabular}+{row.image}"): {"mean": row.roc_auc} for row in published.vote}
    return figures | {(MERGED.key, name): score._asdict() for name, score in published.merged.items()}


def load_published(name: str) -> Published:
    """Read the published figures called ``name`` from the package.

    Raises:
        ParameterError: if there is no such file, naming near matches, or if the file does not hold what it must.
    """
    from ruamel.yaml import YAML

    folder = files("busline.report") / "published"
    known = sorted(item.name.removesuffix(".yaml") for item in folder.iterdir() if item.name.endswith(".yaml"))
    if name not in known:
        raise ParameterError("report.published", f"unknown name {name!r}", mend=near_matches(name, known))
    file = folder / f"{name}.yaml"
    try:
        return Published.model_validate(YAML(typ="safe", pure=True).load(file.read_text(encoding="utf-8")))
    except ValidationError as error:
        raise ParameterError(f"report/published/{name}.yaml", str(error)) from error
