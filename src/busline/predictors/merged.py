"""Networks of image and table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from busline.base.settings.merged import MergedSettings
from busline.base.settings.training import Precision
from busline.families import MERGED
from busline.models.encoding import TableEncoder
from busline.models.merged import MergedNetwork, build_merged
from busline.predictors.cases import Cases
from busline.predictors.files import ModelFile, TableNetwork, place_of, save_encoder, save_model, save_state, stem_of
from busline.splits import Resample
from busline.training.inference import predict
from busline.training.loop import seeded
from busline.training.tasks import Seen
from busline.training.threads import one_thread

CPU = torch.device("cpu")


class MergedFile(ModelFile):
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
        """Return the probability of the positive class, float32 (n,)."""
        rows = self.encoder.transform(cases.columns(self.encoder.medians, self.encoder.categories))
        images = cases.squares(self.file.settings.image.image_size)
        seen = Seen(torch.from_numpy(images), torch.from_numpy(rows))
        with one_thread():
            return predict(self.network, seen, precision=self.file.precision, device=CPU)


def save_merged(folder: Path, file: MergedFile, networks: Mapping[Resample, TableNetwork]) -> None:
    """Write a model's folder."""
    save_model(file, folder)
    for resample, network in networks.items():
        stem = stem_of(resample)
        save_encoder(network.encoder, folder, stem)
        save_state(network.state, folder / f"{stem}.safetensors")


def load_merged(data: Path, model: str, resample: Resample) -> MergedPredictor:
    """Read one resample's network; see :func:`busline.predictors.table.load_predictor`."""
    place, stem = place_of(data, MERGED, model), stem_of(resample)
    file, encoder = place.model(MergedFile, MERGED), place.encoder(stem)
    with seeded(0):
        network = build_merged(file.settings, len(encoder.names))
    place.fill(network, stem)
    return MergedPredictor(network, encoder, file)
