"""Segmentation networks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from busline.base.settings.segmentation import SegmenterSettings
from busline.base.settings.training import Precision
from busline.families import SEGMENT
from busline.models.maps import map_bytes, outline_at
from busline.models.segmentation import build_segmenter
from busline.predictors.cases import Cases
from busline.predictors.files import ModelFile, place_of, save_model, save_states, stem_of
from busline.splits import Resample
from busline.training.inference import predict
from busline.training.loop import seeded
from busline.training.results import State
from busline.training.tasks import Seen
from busline.training.threads import one_thread

CPU = torch.device("cpu")


class SegmenterFile(ModelFile):
    """What a segmentation network is built from."""

    settings: SegmenterSettings
    precision: Precision


@dataclass(frozen=True)
class SegmentPredictor:
    """One resample's network."""

    network: nn.Module
    file: SegmenterFile

    def predict(self, cases: Cases) -> list[np.ndarray]:
        """Return each case's outline at its picture's own size, bool (height, width)."""
        seen = Seen(torch.from_numpy(cases.squares(self.file.settings.image_size)))
        with one_thread():
            maps = predict(self.network, seen, precision=self.file.precision, device=CPU)
        sizes = [picture.shape for picture in cases.frames()]
        return [
            outline_at(chances, width, height)
            for chances, (height, width) in zip(map_bytes(maps[:, 0]), sizes, strict=True)
        ]


def save_segmenter(folder: Path, file: SegmenterFile, states: Mapping[Resample, State]) -> None:
    """Write a model's folder."""
    save_model(file, folder)
    save_states(states, folder)


def load_segmenter(data: Path, model: str, resample: Resample) -> SegmentPredictor:
    """Read one resample's network; see :func:`busline.predictors.table.load_predictor`."""
    place = place_of(data, SEGMENT, model)
    file = place.model(SegmenterFile, SEGMENT)
    with seeded(0):
        network = build_segmenter(file.settings.architecture, file.settings.encoder, file.settings.image_size)
    place.fill(network, stem_of(resample))
    return SegmentPredictor(network, file)
