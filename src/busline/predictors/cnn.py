"""Image classifiers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from busline.base.settings.images import ImageSettings
from busline.base.settings.training import Precision
from busline.families import CNN
from busline.models.images import ImageClassifier, build_image_model
from busline.predictors.cases import Cases
from busline.predictors.files import ModelFile, place_of, save_model, save_states, stem_of
from busline.splits import Resample
from busline.training.inference import predict, say
from busline.training.loop import seeded
from busline.training.results import State
from busline.training.tasks import Seen
from busline.training.threads import one_thread

CPU = torch.device("cpu")


class ImageFile(ModelFile):
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
        """Return the probability of the positive class, float32 (n,)."""
        seen = Seen(torch.from_numpy(cases.squares(self.side)))
        with one_thread():
            return predict(self.network, seen, precision=self.file.precision, device=CPU)

    def logits(self, images: np.ndarray) -> np.ndarray:
        """Return the logits, float32 (n,), of images of gray values from 0 to 255, (n, side, side)."""
        with one_thread():
            return say(self.network, Seen(torch.from_numpy(images)), precision=self.file.precision, device=CPU)


def save_cnn(folder: Path, file: ImageFile, states: Mapping[Resample, State]) -> None:
    """Write a model's folder."""
    save_model(file, folder)
    save_states(states, folder)


def load_cnn(data: Path, model: str, resample: Resample) -> ImagePredictor:
    """Read one resample's network; see :func:`busline.predictors.table.load_predictor`."""
    place = place_of(data, CNN, model)
    file = place.model(ImageFile, CNN)
    with seeded(0):
        network = build_image_model(file.settings.model, file.settings.image_size)
    place.fill(network, stem_of(resample))
    return ImagePredictor(network, file)
