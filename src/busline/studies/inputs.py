"""What every training study starts from: the study's cases, their columns, roles, and images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from busline.base.artifacts import load_json, load_table
from busline.base.skipped import NO_COLUMNS, NO_IMAGES, NO_LABELS
from busline.constant_fits import constant_fits, warn_of_constants
from busline.families import ALL
from busline.splits import MASTER, Resample, first_repeats, indices_by_role

Roles = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class StudyInputs:
    """The cases of the study in one order that all arrays share.

    Attributes:
        case_ids: n ids, ascending.
        classes: labels in order; the last is the positive one.
        labels: int64 (n,), positions in ``classes``; -1 in a cohort without labels.
        table: the columns a model may see, n rows.
        numeric: names of the numeric columns of ``table``.
        categorical: names of the categorical columns of ``table``.
        resamples: positions of the cases of each role, by resample, the master split first.
        images: uint8 (n, side, side), or None where the study needs none or the cohort has none.
        masks: uint8 (n, side, side), 0 or 255, or None likewise.
    """

    case_ids: Sequence[str]
    classes: Sequence[str]
    labels: np.ndarray
    table: pd.DataFrame
    numeric: Sequence[str]
    categorical: Sequence[str]
    resamples: Mapping[Resample, Roles]
    images: np.ndarray | None = None
    masks: np.ndarray | None = None

    @property
    def no_classes(self) -> str | None:
        """Why there is nothing to classify, None if there is."""
        return NO_LABELS if (self.labels < 0).any() else None

    @property
    def no_table(self) -> str | None:
        """Why no model can classify the cases by their columns, None if one can."""
        return self.no_classes or (NO_COLUMNS if self.table.empty else None)

    @property
    def no_pictures(self) -> str | None:
        """Why no model can classify the cases by their images, None if one can."""
        return self.no_classes or (NO_IMAGES if self.images is None else None)

    @property
    def is_positive(self) -> np.ndarray:
        """Whether a case is of the positive class, bool (n,)."""
        return np.asarray(self.labels == len(self.classes) - 1)

    def warn_of_constants(self, predictions: pd.DataFrame, model: str, settings: object = None) -> None:
        """Print where a model says one probability of all test cases; see :mod:`busline.constant_fits`."""
        sizes = {key: {role: len(cases) for role, cases in roles.items()} for key, roles in self.resamples.items()}
        warn_of_constants(constant_fits(predictions, sizes), model, settings)


@dataclass(frozen=True)
class FoldJob:
    """One resample to train and score.

    Attributes:
        resample: which.
        roles: positions of the cases of each role.
        trained_on: which of two fits it is, ``all`` or ``without_tune``; empty where there is one without the tuning
            cases.
    """

    resample: Resample
    roles: Roles
    trained_on: str = ""

    @property
    def repeat(self) -> int:
        """The repeat of cross-validation, -1 of the master split."""
        return self.resample.repeat

    @property
    def fold(self) -> int:
        """The fold of cross-validation, -1 of the master split."""
        return self.resample.fold

    @property
    def is_master(self) -> bool:
        """Whether this is the master split."""
        return self.resample == MASTER

    @property
    def on_all(self) -> FoldJob:
        """The fit on all training cases, those to choose on included."""
        learn = np.sort(np.concatenate([self.roles["train"], self.roles["tune"]]))
        return replace(self, roles={**self.roles, "train": learn, "tune": learn[:0]}, trained_on=ALL)

    def __str__(self) -> str:
        return f"{self.resample}, {self.trained_on}" if self.trained_on else str(self.resample)


def load_inputs(
    root: Path, cohort: str, classes: Sequence[str], *, image_side: int | None = None, repeats: int | None = None
) -> StudyInputs:
    """Load what split, prune and ingest wrote.

    Args:
        root: folder that holds data/.
        cohort: name of the main cohort.
        classes: the study's labels, the positive one last (:attr:`Split.ordered`).
        image_side: side to which images and masks are resized; None loads no images.
        repeats: keep the first so many repeats; None keeps all.
    """
    splits = load_table(root / "data/splits/splits.parquet")
    if repeats is not None:
        splits = first_repeats(splits, repeats)
    features = load_table(root / "data/features/features.parquet").set_index("case_id")
    columns = load_json(root / "data/features/columns.json")
    case_ids = sorted(splits["case_id"].unique())
    place = root / "data/cohort" / cohort
    cases = load_table(place / "cases.parquet").reset_index(drop=True)
    rows = pd.Series(cases.index, index=cases["case_id"]).loc[case_ids].to_numpy()
    images, masks = _load_images(place, cases, rows, image_side) if image_side else (None, None)
    return StudyInputs(
        case_ids=case_ids,
        classes=classes,
        labels=pd.Index(classes).get_indexer(pd.Index(cases["label"].to_numpy()[rows])).astype(np.int64),
        table=features.loc[case_ids].reset_index(drop=True),
        numeric=[column["name"] for column in columns if column["kind"] == "numeric"],
        categorical=[column["name"] for column in columns if column["kind"] == "categorical"],
        resamples=indices_by_role(splits, case_ids),
        images=images,
        masks=masks,
    )


def fold_jobs(inputs: StudyInputs) -> list[FoldJob]:
    """Return one job a resample, the master split first."""
    return [FoldJob(resample, roles) for resample, roles in inputs.resamples.items()]


def prediction_rows(
    inputs: StudyInputs, job: FoldJob, role: str, probabilities: np.ndarray, **extra: object
) -> pd.DataFrame:
    """Return prediction rows of one role in one resample; ``probabilities`` float32 (m, K), of the classes in order."""
    index = job.roles[role]
    if job.trained_on:
        extra["trained_on"] = job.trained_on
    return pd.DataFrame(
        {
            "case_id": np.asarray(inputs.case_ids, dtype=object)[index],
            **job.resample._asdict(),
            "split": role,
            "label": np.asarray(inputs.classes, dtype=object)[inputs.labels[index]],
            **{f"p_{name}": probabilities[:, place] for place, name in enumerate(inputs.classes)},
            **extra,
        }
    )


def _load_images(
    place: Path, cases: pd.DataFrame, rows: np.ndarray, side: int
) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Return images and masks of the cases at ``rows``, None where the cohort has none."""
    from busline.cohort.store import load_cohort, resize_stack

    known = cases.loc[rows]
    if not (known["width"] > 0).any():
        return None, None
    images, masks = resize_stack(load_cohort(place), rows.tolist(), side)
    return images, masks if known["has_mask"].any() else None
