"""Networks of image and table."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from busline.base.settings.merged import MergedSettings
from busline.base.settings.training import Precision
from busline.families import MERGED
from busline.models.encoding import TableEncoder
from busline.models.merged import MergedNetwork, build_merged
from busline.predictors.asking import ask_here
from busline.predictors.cases import Cases
from busline.predictors.files import ClassifierFile, folder_of, stem_of
from busline.splits import Resample
from busline.training.tasks import Seen


class MergedFile(ClassifierFile):
    """What a merged network is built from."""

    settings: MergedSettings
    precision: Precision


@dataclass(frozen=True)
class MergedPredictor:
    """One resample's network."""

    network: MergedNetwork
    encoder: TableEncoder
    file: MergedFile

    def predict(self, cases: Cases) -> np.ndarray:
        """Return the probability of each class, float32 (n, K)."""
        rows = self.encoder.transform(cases.columns(self.encoder.medians, self.encoder.categories))
        images = cases.squares(self.file.settings.image.image_size)
        return ask_here(self.network, Seen(torch.from_numpy(images), torch.from_numpy(rows)), self.file.precision)


def load_merged(data: Path, model: str, resample: Resample) -> MergedPredictor:
    """Read one resample's network; see :func:`busline.predictors.table.load_predictor`."""
    folder, stem = folder_of(data, MERGED, model), stem_of(resample)
    file, encoder = folder.model(MergedFile, MERGED, model), folder.encoder(stem)

    def build() -> MergedNetwork:
        return build_merged(file.settings, len(encoder.names), len(file.classes))

    return MergedPredictor(folder.network(build, stem), encoder, file)
