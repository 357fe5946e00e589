"""Pairs of a model of the table and one of images that vote."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from busline.base.artifacts import load_table
from busline.base.errors import BuslineError
from busline.base.skipped import skip_reason
from busline.families import MEMBER_COLUMNS, VOTE, WITHOUT_TUNE
from busline.metrics.voting import vote
from busline.predictors.cases import Cases
from busline.predictors.cnn import ImagePredictor, load_cnn
from busline.predictors.files import ModelFolder
from busline.predictors.tabular import FittedTable, TableNetworkPredictor, load_tabular
from busline.splits import RESAMPLE, Resample

FILE = "weights.parquet"


@dataclass(frozen=True)
class VotePredictor:
    """The two members of one resample, which did not learn from its tuning cases, and the weight chosen on these."""

    table: FittedTable | TableNetworkPredictor
    image: ImagePredictor
    weight: float

    def predict(self, cases: Cases) -> np.ndarray:
        """Return the probability of each class, float64 (n, K)."""
        return vote(self.weight, self.table.predict(cases), self.image.predict(cases))


def load_vote(data: Path, model: str, resample: Resample) -> VotePredictor:
    """Read one resample's pair "<tabular>+<image>"; see :func:`busline.predictors.table.load_predictor`."""
    first, _, second = model.partition("+")
    weight = _weight(ModelFolder(data / VOTE.key, VOTE.stage), (first, second), resample)
    return VotePredictor(
        load_tabular(data, first, resample, WITHOUT_TUNE), load_cnn(data, second, resample, WITHOUT_TUNE), weight
    )


def _weight(folder: ModelFolder, pair: tuple[str, str], resample: Resample) -> float:
    try:
        table = load_table(folder.path / FILE)
    except BuslineError as error:
        raise folder.broken(FILE, "is missing or no table") from error
    if reason := skip_reason(table):
        raise folder.broken(FILE, f"has no weights: {reason}")
    wanted = dict(zip((*MEMBER_COLUMNS, *RESAMPLE), (*pair, *resample), strict=True))
    if not {*wanted, "weight"} <= set(table.columns):
        raise folder.broken(FILE, "is no table of voting weights")
    found = pd.to_numeric(table["weight"], errors="coerce")
    rows = found[(table[list(wanted)] == list(wanted.values())).all(axis=1)].to_numpy(np.float64)
    if len(rows) != 1 or not 0.0 <= rows[0] <= 1.0:
        raise folder.broken(FILE, f"has not one weight in [0, 1] of {'+'.join(pair)} in {resample}")
    return float(rows[0])
