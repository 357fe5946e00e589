"""params.yaml as typed values: unknown keys, wrong types and names that do not exist are refused at once.

A stage reads the sections it uses (:mod:`busline.base.settings.reading`); what must agree across sections is checked
here.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from pydantic import model_validator

from busline.base.errors import near_matches
from busline.base.settings.data import Data, Ingest, Prune
from busline.base.settings.evaluation import Audit, Evaluate
from busline.base.settings.images import Cnn
from busline.base.settings.lesion import Lesion
from busline.base.settings.merged import Merged
from busline.base.settings.presentation import Illustrate, Report
from busline.base.settings.protocol import CrossValidation, Split
from busline.base.settings.reading import parse_settings, read_parameters
from busline.base.settings.section import Section, Seed
from busline.base.settings.segmentation import Segmentation
from busline.base.settings.tabular import DnnSearch, Tabular
from busline.base.settings.training import Augmentation, Train
from busline.base.settings.weights import Weights


class Params(Section):
    """The whole of params.yaml."""

    seed: Seed
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

    @model_validator(mode="after")
    def _agree(self) -> Params:
        problems = [*_unknown_names(self), *_contradictions(self)]
        if problems:
            raise ValueError("\n".join(problems))
        return self


def active_models(params: Params) -> dict[str, list[str]]:
    """Return the active models, or levels, by the key of their section."""
    return {
        "tabular": [*params.tabular.active],
        "cnn": params.cnn.active,
        "augmentation": params.augmentation.active,
        "merged": params.merged.active,
        "seg": params.seg.active,
    }


def _unknown_names(params: Params) -> list[str]:
    levels, models, files = params.augmentation.levels, params.cnn.models, params.weights.files
    problems = [
        *_unknown("augmentation.active", params.augmentation.active, levels),
        *_unknown("cnn.augmentation", [params.cnn.augmentation], levels),
        *_unknown("seg.augmentation", [params.seg.augmentation], levels),
        *_unknown("cnn.active", params.cnn.active, models),
        *_unknown("merged.active", params.merged.active, params.cnn.active),
        *_unknown("illustrate.saliency", [params.illustrate.saliency], params.cnn.active),
        *_unknown("audit.image_model", [params.audit.image_model], models),
        *_unknown("seg.active", params.seg.active, params.seg.models),
        *_unknown("seg.weights", [params.seg.weights], files),
    ]
    for name, segmenter in params.seg.models.items():
        problems += _unknown(f"seg.models.{name}.augmentation", [segmenter.augmentation], levels)
    for name, model in models.items():
        problems += _unknown(f"cnn.models.{name}.weights", [model.weights], files)
    return problems


def _contradictions(params: Params) -> list[str]:
    problems = [
        f"cnn.models.{name}.fine_tune: needs weights; set it to null or name a weights file"
        for name, model in params.cnn.models.items()
        if model.fine_tune and not model.weights
    ]
    if params.augmentation.active and "custom_cnn" not in params.cnn.models:
        problems.append("augmentation.active: needs custom_cnn in cnn.models; add it, or set augmentation.active to []")
    if params.merged.active and "dnn" not in params.tabular.active:
        problems.append("merged.active: needs dnn in tabular.active; add it, or set merged.active to []")
    if params.split.val_fraction + params.split.test_fraction >= 1.0:
        problems.append("split: val_fraction + test_fraction must be below 1")
    if params.cv.stop_fraction + params.cv.weigh_fraction >= 1.0:
        problems.append("cv: stop_fraction + weigh_fraction must be below 1")
    if params.cv.image_repeats > params.cv.repeats:
        problems.append("cv: image_repeats must not exceed repeats")
    if params.lesion.networks and params.cv.folds < 3:
        problems.append("cv.folds: must be 3 or more for the lesion network; set lesion.networks to 0 to do without it")
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
        ParameterError: listing every unknown key, wrong type and unknown name.
    """
    return parse_settings(Params, read_parameters(path), str(path))
