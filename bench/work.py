"""What both sides train: phantoms, networks by name, and the rules of training. No part of either side is in here."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from busline.base.seeding import derive_seed, numpy_generator
from busline.base.settings.protocol import CrossValidation, Split
from busline.base.settings.training import AugmentationLevel, Train
from busline.splits import CV, MASTER, Resample, indices_by_role, make_splits

if TYPE_CHECKING:
    from busline.studies.inputs import FoldJob, StudyInputs

Kind = Literal["custom_cnn", "mobilenet_v2", "unet_frozen", "unet"]
KINDS: tuple[Kind, ...] = get_args(Kind)
SEED = 2026
CLASSES = ["benign", "malignant"]
MALIGNANT_SHARE = 0.39
RENDERED = (224, 176)
"""Width and height at which a phantom is rendered, before it is made square."""
RULES = Train(
    kernels="native", precision="fp32", plateau_factor=0.5, plateau_patience=5, min_learning_rate=1e-5, stop_patience=12
)  # fmt: skip
"""Plateau and early stopping of both sides. The precision is each side's own."""
MILD = AugmentationLevel(flip=True, rotation=10.0, translation=0.0, shear=0.0, zoom=0.0)
PLAIN = AugmentationLevel(flip=False, rotation=0.0, translation=0.0, shear=0.0, zoom=0.0)
SPLIT = Split(
    classes=CLASSES,
    positive=CLASSES[1],
    val_fraction=0.1,
    test_fraction=0.1,
    folds_from=None,
    folds_kept="folds/none.csv",
)


@dataclass(frozen=True)
class Work:
    """One network to be trained, on either side.

    Attributes:
        kind: the network; ``unet_frozen`` does not train its encoder.
        images: uint8 (n, side, side).
        masks: uint8 (n, side, side), 0 or 255.
        labels: int64 (n,), 1 for malignant.
        epochs: most epochs of a fold.
        batch_size: cases a step.
        augmented: whether training images are augmented at the level ``MILD``.
        stop_early: whether training may end before its last epoch.
    """

    kind: Kind
    images: np.ndarray
    masks: np.ndarray
    labels: np.ndarray
    epochs: int = 1
    batch_size: int = 32
    augmented: bool = True
    stop_early: bool = False
    learning_rate: float = 1e-3
    dropout: float = 0.3

    @property
    def level(self) -> AugmentationLevel:
        """The ranges of the random transforms."""
        return MILD if self.augmented else PLAIN

    @property
    def rules(self) -> Train:
        """Plateau and early stopping."""
        return RULES if self.stop_early else RULES.model_copy(update={"stop_patience": 10**6})

    @property
    def segments(self) -> bool:
        """Whether the network draws masks; else it classifies."""
        return self.kind.startswith("unet")

    def save(self, path: Path) -> None:
        """Write it as one NPZ file, for the processes of both sides."""
        arrays = {name: value for name, value in vars(self).items() if isinstance(value, np.ndarray)}
        settings = {name: value for name, value in vars(self).items() if name not in arrays}
        with path.open("wb") as file:
            np.savez(file, settings=np.array(json.dumps(settings)), allow_pickle=False, **arrays)

    @classmethod
    def load(cls, path: Path) -> Work:
        """Read what :meth:`save` wrote."""
        with np.load(path, allow_pickle=False) as file:
            settings = json.loads(str(file["settings"]))
            return cls(images=file["images"], masks=file["masks"], labels=file["labels"], **settings)


def make_work(kind: Kind, cases: int, side: int, *, epochs: int = 1, batch_size: int = 32, **more: bool) -> Work:
    """Return work on ``cases`` phantoms of ``side`` pixels; the same arguments give the same phantoms."""
    images, masks, labels = phantoms(cases, side)
    return Work(kind, images, masks, labels, epochs, batch_size, **more)


@lru_cache(maxsize=4)
def phantoms(cases: int, side: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return images uint8 (n, side, side), masks likewise (0 or 255), and labels int64 (n,) of phantoms."""
    from busline.cohort.phantom.image import render
    from busline.cohort.phantom.lesion import draw_findings
    from busline.cohort.resize import resize_image, resize_mask

    images, masks = np.empty((2, cases, side, side), dtype=np.uint8)
    labels = draw_labels(cases)
    for number, label in enumerate(labels):
        generator = numpy_generator(SEED, "bench", number)
        findings = draw_findings("malignant" if label else "benign", generator.uniform(0.01, 0.99), generator)
        picture = render(findings, *RENDERED, generator)
        assert picture.tumor is not None
        images[number] = resize_image(picture.gray, side, side)
        masks[number] = resize_mask(picture.tumor, side, side) * np.uint8(255)
    return images, masks, labels


def draw_labels(cases: int) -> np.ndarray:
    """Return labels int64 (n,) of which 39 in 100 are malignant, in random order."""
    labels = np.arange(cases) < round(MALIGNANT_SHARE * cases)
    return numpy_generator(SEED, "bench", "labels").permutation(labels).astype(np.int64)


def make_folds(labels: np.ndarray, folds: int, repeats: int) -> list[FoldJob]:
    """Return the resamples of repeated stratified k-fold, each with its four roles."""
    import pandas as pd

    from busline.studies.inputs import FoldJob

    cv = CrossValidation(folds=folds, repeats=repeats, image_repeats=repeats, val_fraction=0.15, tune_fraction=0.15)
    cases = pd.DataFrame({"case_id": _case_ids(len(labels)), "label": np.array(CLASSES, dtype=object)[labels]})
    table = make_splits(cases, np.arange(len(labels)), SPLIT, cv, SEED)
    roles = indices_by_role(table, _case_ids(len(labels)))
    return [FoldJob(resample, part) for resample, part in roles.items() if resample != MASTER]


def table_inputs(cases: int, folds: int, repeats: int) -> StudyInputs:
    """Return the clinical columns of phantoms that a model may see, with their resamples."""
    import pandas as pd

    from busline.cohort.phantom.lesion import draw_findings
    from busline.cohort.phantom.table import draw_row
    from busline.studies.inputs import StudyInputs

    labels = draw_labels(cases)
    rows = []
    for number, label in enumerate(labels):
        generator = numpy_generator(SEED, "bench", "table", number)
        findings = draw_findings("malignant" if label else "benign", generator.uniform(0.01, 0.99), generator)
        rows.append(draw_row(findings, generator))
    table = pd.DataFrame(rows)[["Age", "Signs"]].replace("not available", None)
    table["Age"] = table["Age"].astype(float)
    jobs = make_folds(labels, folds, repeats)
    return StudyInputs(
        case_ids=_case_ids(cases),
        classes=CLASSES,
        labels=labels,
        table=table,
        numeric=["Age"],
        categorical=["Signs"],
        resamples={job.resample: job.roles for job in jobs},
    )


def throughput_fold(work: Work, fit: int) -> FoldJob:
    """Return the fold whose training is timed: the first ``train`` cases are learnt from, the rest steers."""
    from busline.studies.inputs import FoldJob

    return FoldJob(Resample(CV, 0, 0), {"train": np.arange(fit), "val": np.arange(fit, len(work.labels))})


def fold_seed(kind: str, job: FoldJob) -> int:
    """Return the seed of one network of the benchmark."""
    return derive_seed(SEED, "bench", kind, job.repeat, job.fold)


def with_epochs(work: Work, epochs: int) -> Work:
    """Return the same work for another number of epochs."""
    return replace(work, epochs=epochs)


def _case_ids(cases: int) -> list[str]:
    return [f"case{number:04d}" for number in range(cases)]
