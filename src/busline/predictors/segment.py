"""Segmentation networks."""

from __future__ import annotations

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
from busline.predictors.asking import ask_here
from busline.predictors.cases import Cases
from busline.predictors.files import ModelFile, folder_of, stem_of
from busline.splits import Resample
from busline.training.tasks import Seen


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
        maps = ask_here(self.network, seen, self.file.precision, torch.sigmoid)
        sizes = [picture.shape for picture in cases.frames()]
        return [
            outline_at(chances, width, height)
            for chances, (height, width) in zip(map_bytes(maps[:, 0]), sizes, strict=True)
        ]


def load_segmenter(data: Path, model: str, resample: Resample) -> SegmentPredictor:
    """Read one resample's network; see :func:`busline.predictors.table.load_predictor`."""
    folder = folder_of(data, SEGMENT, model)
    file = folder.model(SegmenterFile, SEGMENT, model)

    def build() -> nn.Module:
        settings = file.settings
        return build_segmenter(settings.architecture, settings.encoder, settings.image_size, settings.start)

    return SegmentPredictor(folder.network(build, stem_of(resample)), file)
