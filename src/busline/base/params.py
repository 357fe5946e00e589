"""params.yaml as typed values: unknown keys, wrong types and names that do not exist are refused at once.

A stage reads the sections it uses (:mod:`busline.base.settings.reading`); what must agree across sections is checked
here.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import model_validator

from busline.base.errors import ParameterError, near_matches
from busline.base.settings.data import Data, Ingest, Prune
from busline.base.settings.evaluation import Audit, Evaluate
from busline.base.settings.headline import Headline
from busline.base.settings.images import CUSTOM, Cnn
from busline.base.settings.lesion import OWN, Lesion
from busline.base.settings.merged import Merged
from busline.base.settings.presentation import Illustrate, Report
from busline.base.settings.protocol import CrossValidation, Split
from busline.base.settings.reading import parse_settings, read_parameters
from busline.base.settings.section import Section
from busline.base.settings.seeds import Seeds
from busline.base.settings.segmentation import Segmentation
from busline.base.settings.tabular import DnnSearch, Tabular
from busline.base.settings.training import Augmentation, Train
from busline.base.settings.weights import IMAGENET, NONE, Weights, find_weights

LABELS = ("benign", "malignant", "normal")
"""What a case can be; :mod:`busline.cohort.schema` has them as a type."""
MOVED = {
    "data.source": "data.main, data.active and data.cohorts.<name>.source",
    "data.folder.path": "data.folders.<name>",
    "data.phantom": "data.cohorts.phantom.phantom",
    "cv.stop_fraction": "cv.val_fraction",
    "cv.weigh_fraction": "cv.tune_fraction",
}
"""Keys, with all that is below them, that params.yaml had in 0.1, and where they are; named for one release."""
NOW_SECTIONS = {"seed": "seed.data, seed.split and seed.train; with all three at the old value no figure moves"}
"""Keys that had one value in 0.1 and are a section now, and what is in it; named for one release."""


class Params(Section):
    """The whole of params.yaml."""

    seed: Seeds
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
    headline: Headline
    evaluate: Evaluate
    audit: Audit
    illustrate: Illustrate
    report: Report

    @model_validator(mode="after")
    def _agree(self) -> Params:
        problems = [*_unknown_names(self), *_contradictions(self)]
        if problems:
            raise ValueError("\n".join(problems))
        return self


def active_models(params: Params) -> dict[str, list[str]]:
    """Return the active cohorts, models or levels by the key of their section, and the cohorts that have a folder."""
    return {
        "data": params.data.active,
        "folders": [*params.data.folders],
        "tabular": [*params.tabular.active],
        "cnn": params.cnn.active,
        "augmentation": params.augmentation.active,
        "merged": params.merged.active,
        "seg": params.seg.active,
    }


def _unknown_names(params: Params) -> list[str]:
    levels, models = params.augmentation.levels, params.cnn.models
    problems = [
        *_unknown("data.main", [params.data.main], params.data.cohorts),
        *_unknown("data.active", params.data.active, params.data.cohorts),
        *_unknown("data.folders", [*params.data.folders], params.data.cohorts),
        *_unknown("split.classes", params.split.classes, LABELS),
        *_unknown("split.positive", [params.split.positive], params.split.classes),
        *_unknown("augmentation.active", params.augmentation.active, levels),
        *_unknown("cnn.augmentation", [params.cnn.augmentation], levels),
        *_unknown("seg.augmentation", [params.seg.augmentation], levels),
        *_unknown("cnn.active", params.cnn.active, models),
        *_unknown("merged.active", params.merged.active, params.cnn.active),
        *_unknown("illustrate.saliency", [params.illustrate.saliency], params.cnn.active),
        *_unknown("audit.image_model", [params.audit.image_model], models),
        *_unknown("seg.active", params.seg.active, params.seg.models),
        *_unfit_weights(params),
    ]
    for name, segmenter in params.seg.models.items():
        problems += _unknown(f"seg.models.{name}.augmentation", [segmenter.augmentation], levels)
    return problems


def _unfit_weights(params: Params) -> list[str]:
    files, problems = params.weights.files, _unknown("weights.missing", params.weights.missing, params.weights.files)
    choices = {f"cnn.models.{name}.weights": (one.weights, one.network) for name, one in params.cnn.models.items()}
    choices["lesion.weights"] = (params.lesion.weights, params.lesion.encoder)
    choices["seg.weights"] = (params.seg.weights, params.seg.encoder)
    for name in params.seg.models:
        own = params.seg.of_model(name)
        choices[f"seg.models.{name}.weights"] = (own.weights, own.encoder)
    for where, (choice, network) in choices.items():
        if network in (CUSTOM, OWN) and choice in files:
            problems.append(f"{where}: {network!r} starts from random weights only; take {NONE}")
            continue
        try:
            find_weights(files, choice, network, where)
        except ParameterError as error:
            problems.append("; ".join(line.strip() for line in str(error).splitlines()))
    return problems


def _contradictions(params: Params) -> list[str]:
    problems = [
        f"cnn.models.{name}.fine_tune: needs weights; set it to null, or cnn.models.{name}.weights to {IMAGENET}"
        for name, model in params.cnn.models.items()
        if model.fine_tune and model.weights == NONE
    ]
    problems += _contradictions_of_cohorts(params.data)
    if params.augmentation.active and CUSTOM not in params.cnn.models:
        problems.append(f"augmentation.active: needs {CUSTOM} in cnn.models; add it, or set augmentation.active to []")
    if params.merged.active and "dnn" not in params.tabular.active:
        problems.append("merged.active: needs dnn in tabular.active; add it, or set merged.active to []")
    if params.split.val_fraction + params.split.test_fraction >= 1.0:
        problems.append("split: val_fraction + test_fraction must be below 1")
    if params.cv.val_fraction + params.cv.tune_fraction >= 1.0:
        problems.append("cv: val_fraction + tune_fraction must be below 1")
    if params.cv.image_repeats > params.cv.repeats:
        problems.append("cv: image_repeats must not exceed repeats")
    if params.lesion.networks and params.cv.folds < 3:
        problems.append("cv.folds: must be 3 or more for the lesion network; set lesion.networks to 0 to do without it")
    return problems


def _contradictions_of_cohorts(data: Data) -> list[str]:
    known = [name for name in data.active if name in data.cohorts]
    problems = [
        f"data.folders.{name}: is missing; data.cohorts.{name} reads a folder, give its path"
        for name in known
        if data.cohorts[name].source == "folder" and name not in data.folders
    ]
    problems += [
        f"data.folders.{name}: the source of data.cohorts.{name} is {data.cohorts[name].source}, which reads no folder"
        for name in data.folders
        if name in data.cohorts and data.cohorts[name].source != "folder"
    ]
    if data.main not in data.active:
        problems.append(f"data.active: must have the main cohort {data.main!r}; add it, or name another in data.main")
    return problems


def _unknown(key: str, names: Sequence[str | None], known: Collection[str]) -> list[str]:
    return [
        f"{key}: unknown name {name!r}; {near_matches(name, known)}"
        for name in names
        if name is not None and name not in known
    ]


def load_params(path: Path = Path("params.yaml")) -> Params:
    """Read and check the whole of params.yaml.

    Raises:
        ParameterError: listing every key that has moved, or else every unknown key, wrong type and unknown name.
    """
    content = read_parameters(path)
    moved = [f"\n  - {old}: has moved to {new}" for old, new in MOVED.items() if _has(content, old)]
    moved += [
        f"\n  - {key}: is a section now: {inside}"
        for key, inside in NOW_SECTIONS.items()
        if key in content and not isinstance(content[key], Mapping)
    ]
    if moved:
        mend = "docs/own-data.md shows the keys of data, docs/reproducible.md those of seed"
        raise ParameterError(str(path), "".join(moved).lstrip("\n"), mend=mend)
    return parse_settings(Params, content, str(path))


def _has(content: Any, key: str) -> bool:
    for part in key.split("."):
        if not isinstance(content, Mapping) or part not in content:
            return False
        content = content[part]
    return True
