"""The lesion networks of pairs of left-out folds: outlines of cases, and what the diagnosis rests on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
from pydantic import Field

from busline.base.settings.lesion import Lesion, LesionBody
from busline.base.settings.training import Precision
from busline.families import LESION_SEGMENT
from busline.models.lesion import LesionNetwork, build_lesion_network
from busline.predictors.asking import CPU
from busline.predictors.cases import Cases
from busline.predictors.files import ModelFile, ModelFolder, save_model, save_state
from busline.splits import Resample
from busline.training.results import State
from busline.training.threads import one_thread
from busline.training.two_views import OUTPUTS, describe_lesions, lay_on_canvas, mean_map, mean_outputs, outline_of

NetworkKey = tuple[int, int, int, int]
"""Repeat, the two left-out folds, and which of the pair's networks."""


class LesionFile(ModelFile):
    """What the lesion networks are built from, and which there are.

    Attributes:
        settings: those of training.
        body: what the networks stand on.
        precision: arithmetic.
        canvas: side of the canvas in pixels on which training laid the pictures; last bits depend on it.
        networks: repeat, left-out folds and number of every network.
    """

    settings: Lesion
    body: LesionBody
    precision: Precision
    canvas: Annotated[int, Field(ge=1, le=10_000)]
    networks: list[Annotated[list[int], Field(min_length=4, max_length=4)]]


@dataclass(frozen=True)
class PairNetworks:
    """The networks of all pairs that left one fold of a repeat out."""

    networks: Mapping[NetworkKey, LesionNetwork]
    file: LesionFile

    def predict(self, cases: Cases) -> list[np.ndarray]:
        """Return the outline of each case's main lesion at its picture's own size, bool (height, width)."""
        maps = [self.look(network, cases)[0] for network in self.networks.values()]
        totals = [np.stack(each).sum(axis=0, dtype=np.uint32) for each in zip(*maps, strict=True)]
        return [outline_of(mean_map(total, len(maps))) for total in totals]

    def outputs(self, cases: Cases) -> pd.DataFrame:
        """Return what the pairs say: ``position`` of the case and :data:`OUTPUTS`, a row a pair and case."""
        parts = []
        for _, keys in groupby(self.networks, lambda key: key[:3]):
            mean = mean_outputs([self.look(self.networks[key], cases)[1] for key in keys])
            parts.append(pd.DataFrame(mean, columns=list(OUTPUTS)).assign(position=np.arange(len(cases))))
        return pd.concat(parts, ignore_index=True).sort_values("position", kind="stable", ignore_index=True)

    def look(self, network: LesionNetwork, cases: Cases) -> tuple[list[np.ndarray], np.ndarray]:
        """Return one network's maps, uint8 (height, width) each, and :data:`OUTPUTS`, float64 (n, outputs).

        A picture larger than the canvas of training lies on a canvas of its own.
        """
        pictures = cases.frames()
        large = [place for place, one in enumerate(pictures) if max(one.shape) > self.file.canvas]
        fit = sorted(set(range(len(pictures))) - set(large))
        maps: list[np.ndarray] = [np.empty(0)] * len(pictures)
        outputs = np.empty((len(pictures), len(OUTPUTS)))
        pixel = np.full(len(cases), np.nan) if cases.pixel_mm is None else np.asarray(cases.pixel_mm, np.float64)
        for places in [fit, *([place] for place in large)]:
            if not places:
                continue
            own = [pictures[place] for place in places]
            canvas = self.file.canvas if places is fit else max(own[0].shape)
            found, outputs[places] = self._describe(network, own, canvas, pixel[places])
            for place, chances in zip(places, found, strict=True):
                height, width = pictures[place].shape
                maps[place] = chances[:height, :width]
        return maps, outputs

    def _describe(
        self, network: LesionNetwork, pictures: Sequence[np.ndarray], canvas: int, pixel: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        canvases, sizes = lay_on_canvas(pictures, canvas)
        side, precision = self.file.settings.image_size, self.file.precision
        with one_thread():
            return describe_lesions(network, canvases, sizes, pixel, side, precision=precision, device=CPU)


def save_lesion_networks(
    folder: Path,
    settings: Lesion,
    body: LesionBody,
    precision: Precision,
    canvas: int,
    states: Mapping[NetworkKey, State],
) -> None:
    """Write the networks' folder; arguments as :class:`LesionFile`."""
    file = LesionFile(
        family=LESION_SEGMENT.key,
        model=LESION_SEGMENT.files[0],
        settings=settings,
        body=body,
        precision=precision,
        canvas=canvas,
        networks=[list(key) for key in states],
    )
    save_model(file, folder)
    for key, state in states.items():
        save_state(state, folder / f"{_stem(key)}.safetensors")


def load_lesion_networks(data: Path, model: str, resample: Resample) -> PairNetworks:
    """Read the networks that left one fold out; see :func:`busline.predictors.table.load_predictor`."""
    folder = ModelFolder(data / "models" / LESION_SEGMENT.key, LESION_SEGMENT.stage)
    file = folder.model(LesionFile, LESION_SEGMENT, model)
    keys: list[NetworkKey] = [
        (repeat, first, second, number)
        for repeat, first, second, number in file.networks
        if repeat == resample.repeat and resample.fold in (first, second)
    ]
    if not keys:
        raise folder.broken("model.json", f"has no network that left {resample} out")

    def build() -> LesionNetwork:
        return build_lesion_network(file.body)

    return PairNetworks({key: folder.network(build, _stem(key)) for key in sorted(keys)}, file)


def _stem(key: NetworkKey) -> str:
    repeat, first, second, number = key
    return f"r{repeat}_f{first}_f{second}_n{number}"
