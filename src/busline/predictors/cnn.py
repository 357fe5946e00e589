"""Image classifiers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from busline.base.settings.images import ImageSettings
from busline.base.settings.training import Precision
from busline.families import ALL, CNN
from busline.models.classes import log_odds
from busline.models.images import ImageClassifier, build_image_model
from busline.predictors.asking import ask_here
from busline.predictors.cases import Cases
from busline.predictors.files import ClassifierFile, folder_of, stem_of
from busline.splits import Resample
from busline.training.tasks import Seen


class ImageFile(ClassifierFile):
    """What an image classifier is built from."""

    settings: ImageSettings
    precision: Precision


@dataclass(frozen=True)
class ImagePredictor:
    """One resample's network."""

    network: ImageClassifier
    file: ImageFile

    @property
    def side(self) -> int:
        """Side of the network's square input in pixels."""
        return self.file.settings.image_size

    def predict(self, cases: Cases) -> np.ndarray:
        """Return the probability of each class, float32 (n, K)."""
        return ask_here(self.network, Seen(torch.from_numpy(cases.squares(self.side))), self.file.precision)

    def log_odds(self, images: np.ndarray) -> np.ndarray:
        """Return the log odds of the positive class against the rest, float32 (n,).

        Args:
            images: gray values from 0 to 255, (n, side, side).
        """
        return ask_here(self.network, Seen(torch.from_numpy(images)), self.file.precision, log_odds)


def load_cnn(data: Path, model: str, resample: Resample, trained_on: str = ALL) -> ImagePredictor:
    """Read one resample's network, of two fits by default the reported one, on all training cases.

    See :func:`busline.predictors.table.load_predictor`.
    """
    folder = folder_of(data, CNN, model)
    file = folder.model(ImageFile, CNN, model)

    def build() -> ImageClassifier:
        settings = file.settings
        return build_image_model(settings.model, settings.image_size, len(file.classes), settings.start)

    return ImagePredictor(folder.network(build, stem_of(resample, trained_on if file.settings.fit_all else "")), file)
