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
from busline.families import ALL, TABULAR
from busline.models.encoding import TableEncoder
from busline.models.mlp import Mlp
from busline.models.tabular import load_classifier, probabilities, save_classifier
from busline.predictors.asking import ask_here
from busline.predictors.cases import Cases
from busline.predictors.files import ClassifierFile, ModelFolder, folder_of, save_encoder, save_model, stem_of
from busline.splits import Resample
from busline.training.tasks import Seen
from busline.training.threads import one_thread


class TableFile(ClassifierFile):
    """What a model of the table is."""

    settings: Classical | Dnn


@dataclass(frozen=True)
class FittedTable:
    """A fitted estimator with the encoder its rows went through."""

    encoder: TableEncoder
    estimator: Any

    def predict(self, cases: Cases) -> np.ndarray:
        """Return the probability of each class, float32 (n, K)."""
        with one_thread():
            return self.score(cases.columns(self.encoder.medians, self.encoder.categories))

    def score(self, table: pd.DataFrame) -> np.ndarray:
        """Return the probability of each class, float32 (n, K), of the rows of a table."""
        return probabilities(self.estimator, self.encoder.transform(table))


@dataclass(frozen=True)
class TableNetworkPredictor:
    """One resample's network of the table."""

    encoder: TableEncoder
    network: Mlp

    def predict(self, cases: Cases) -> np.ndarray:
        """Return the probability of each class, float32 (n, K)."""
        rows = self.encoder.transform(cases.columns(self.encoder.medians, self.encoder.categories))
        return ask_here(self.network, Seen(table=torch.from_numpy(rows)), "fp32")


def save_classical(folder: Path, file: TableFile, fits: Mapping[tuple[Resample, str], FittedTable]) -> None:
    """Write a classical model's folder: its fits by resample and what they were fitted on."""
    save_model(file, folder)
    for (resample, trained_on), fitted in fits.items():
        stem = stem_of(resample, trained_on)
        save_encoder(fitted.encoder, folder, stem)
        save_classifier(file.model, fitted.estimator, folder / stem)


def load_tabular(
    data: Path, model: str, resample: Resample, trained_on: str = ALL
) -> FittedTable | TableNetworkPredictor:
    """Read one resample's model, by default the one that is reported, fitted on all training cases.

    See :func:`busline.predictors.table.load_predictor`.
    """
    folder = folder_of(data, TABULAR, model)
    file, stem = folder.model(TableFile, TABULAR, model), stem_of(resample, trained_on)
    encoder = folder.encoder(stem)
    if isinstance(file.settings, Dnn):
        settings = file.settings

        def build() -> Mlp:
            return Mlp(len(encoder.names), settings.hidden, settings.dropout, len(file.classes))

        return TableNetworkPredictor(encoder, folder.network(build, stem))
    return FittedTable(encoder, _load_estimator(folder, file, stem, len(encoder.names)))


def _load_estimator(folder: ModelFolder, file: TableFile, stem: str, features: int) -> Any:
    """Return the estimator once it has said something of one row; five libraries have errors of five kinds."""
    name = file.model
    try:
        estimator = load_classifier(name, folder.path / stem)
        found = probabilities(estimator, np.zeros((1, features), np.float32))
    except Exception as error:
        kind = type(error).__name__
        raise folder.broken(
            stem, f"holds no {name} of {features} features that can be read ({kind}: {error})"
        ) from error
    if found.shape != (1, len(file.classes)) or not np.isfinite(found).all():
        raise folder.broken(stem, f"holds a {name} that gives no {len(file.classes)} finite probabilities")
    return estimator
