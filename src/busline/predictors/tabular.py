"""Models of the table: classical ones, and the network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from busline.base.settings.tabular import Classical, Dnn
from busline.families import TABULAR
from busline.models.encoding import TableEncoder
from busline.models.mlp import Mlp
from busline.models.tabular import load_classifier, positive_probability, save_classifier
from busline.predictors.cases import Cases
from busline.predictors.files import (
    ModelFile,
    Place,
    TableNetwork,
    place_of,
    save_encoder,
    save_model,
    save_state,
    stem_of,
)
from busline.splits import Resample
from busline.training.inference import predict
from busline.training.loop import seeded
from busline.training.tasks import Seen
from busline.training.threads import one_thread

ALL, WITHOUT_TUNE = "all", "without_tune"
"""On which of a resample's cases it was fitted: on all training cases, as is reported, or without the tuning ones."""
CPU = torch.device("cpu")


class TableFile(ModelFile):
    """What a model of the table is."""

    settings: Classical | Dnn


@dataclass(frozen=True)
class FittedTable:
    """A fitted estimator with the encoder its rows went through."""

    encoder: TableEncoder
    estimator: Any

    def predict(self, cases: Cases) -> np.ndarray:
        """Return the probability of the positive class, float32 (n,)."""
        with one_thread():
            return self.score(cases.columns(self.encoder.medians, self.encoder.categories))

    def score(self, table: pd.DataFrame) -> np.ndarray:
        """Return the probability of the positive class, float32 (n,), of the rows of a table."""
        return positive_probability(self.estimator, self.encoder.transform(table))


@dataclass(frozen=True)
class TableNetworkPredictor:
    """One resample's network of the table."""

    encoder: TableEncoder
    network: Mlp

    def predict(self, cases: Cases) -> np.ndarray:
        """Return the probability of the positive class, float32 (n,)."""
        rows = self.encoder.transform(cases.columns(self.encoder.medians, self.encoder.categories))
        with one_thread():
            return predict(self.network, Seen(table=torch.from_numpy(rows)), precision="fp32", device=CPU)


def save_classical(folder: Path, file: TableFile, fits: Mapping[tuple[Resample, str], FittedTable]) -> None:
    """Write a classical model's folder: its fits by resample and what they were fitted on."""
    save_model(file, folder)
    for (resample, trained_on), fitted in fits.items():
        stem = stem_of(resample, trained_on)
        save_encoder(fitted.encoder, folder, stem)
        save_classifier(file.model, fitted.estimator, folder / stem)


def save_dnn(folder: Path, file: TableFile, networks: Mapping[tuple[Resample, str], TableNetwork]) -> None:
    """Write the network's folder: its networks by resample and what they learnt from."""
    save_model(file, folder)
    for (resample, trained_on), network in networks.items():
        stem = stem_of(resample, trained_on)
        save_encoder(network.encoder, folder, stem)
        save_state(network.state, folder / f"{stem}.safetensors")


def load_tabular(
    data: Path, model: str, resample: Resample, trained_on: str = ALL
) -> FittedTable | TableNetworkPredictor:
    """Read one resample's model, by default the one that is reported, fitted on all training cases.

    See :func:`busline.predictors.table.load_predictor`.
    """
    place = place_of(data, TABULAR, model)
    file, stem = place.model(TableFile, TABULAR), stem_of(resample, trained_on)
    encoder = place.encoder(stem)
    if isinstance(file.settings, Dnn):
        with seeded(0):
            network = Mlp(len(encoder.names), file.settings.hidden, file.settings.dropout)
        place.fill(network, stem)
        return TableNetworkPredictor(encoder, network)
    return FittedTable(encoder, _load_estimator(place, file.model, stem, len(encoder.names)))


def _load_estimator(place: Place, name: str, stem: str, features: int) -> Any:
    """Return the estimator once it has said something of one row; five libraries have errors of five kinds."""
    try:
        if name == "lightgbm":
            _require_end(place.folder / f"{stem}.txt")
        estimator = load_classifier(name, place.folder / stem)
        probability = positive_probability(estimator, np.zeros((1, features), np.float32))
    except Exception as error:
        kind = type(error).__name__
        raise place.broken(
            stem, f"holds no {name} of {features} features that can be read ({kind}: {error})"
        ) from error
    if not np.isfinite(probability).all():
        raise place.broken(stem, f"holds a {name} that gives no finite probability")
    return estimator


def _require_end(path: Path) -> None:
    """Refuse a LightGBM file that is cut: the library would read on behind its end, which ends the process."""
    if not path.read_text(encoding="utf-8").rstrip().rpartition("\n")[2].startswith("pandas_categorical"):
        raise ValueError("its end is missing")
