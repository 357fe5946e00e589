"""A folder of one model: what it is in ``model.json``, and what every resample left in files named by the resample.

What is read is refused, with the stage to run again, unless it is what was written: a missing file, another version or
family, a tensor of another shape, a number that is none. Nothing is unpickled.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

import numpy as np
import torch
from pydantic import ConfigDict
from torch import nn

from busline.base.artifacts import load_json, load_tensors, save_exact_json, save_tensors
from busline.base.errors import BuslineError, DataError
from busline.base.results import Result, load_result
from busline.base.skipped import REASON
from busline.families import Family
from busline.models.encoding import TableEncoder
from busline.splits import MASTER, Resample
from busline.training.results import State

MODEL = "model.json"
VERSION: Literal[1] = 1


class File(Result):
    """Base of all files of a model: every number is finite."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class ModelFile(File):
    """What a model is. A family adds what its networks are built from; nothing else is needed to build them."""

    version: Literal[1] = VERSION
    family: str
    model: str


class EncoderFile(File):
    """A :class:`busline.models.encoding.TableEncoder`."""

    medians: dict[str, float]
    means: dict[str, float]
    scales: dict[str, float]
    categories: dict[str, list[str]]


Kind = TypeVar("Kind", bound=File)


@dataclass(frozen=True)
class TableNetwork:
    """A trained network that sees the table: its tensors, and the encoder of its own training cases."""

    encoder: TableEncoder
    state: State


@dataclass(frozen=True)
class Place:
    """Where one model's files are, and which stage writes them.

    Attributes:
        folder: of the model.
        stage: as DVC names it.
    """

    folder: Path
    stage: str

    def broken(self, name: str, problem: str) -> DataError:
        """Return the error that a file of the model is not what it should be."""
        return DataError(str(self.folder / name), problem, mend=self._mend())

    def read(self, kind: type[Kind], name: str) -> Kind:
        """Read a JSON file.

        Raises:
            DataError: if it is missing or holds anything else than ``kind``.
        """
        path = self.folder / name
        if not path.is_file():
            raise self.broken(name, f"is missing{self._skipped()}")
        found = load_result(kind, path, stage=self.stage)
        unsaid = sorted(set(kind.model_fields) - found.model_fields_set)
        if unsaid:
            raise self.broken(name, f"says nothing of {', '.join(unsaid)}")
        return found

    def model(self, kind: type[Kind], family: Family) -> Kind:
        """Read what the model is; see :meth:`read`."""
        found = self.read(kind, MODEL)
        if getattr(found, "family", None) != family.key:
            raise self.broken(MODEL, f"is of another family than {family.key!r}")
        return found

    def encoder(self, stem: str) -> TableEncoder:
        """Read a resample's encoder; see :meth:`read`."""
        file = self.read(EncoderFile, f"{stem}.json")
        if not set(file.medians) == set(file.means) == set(file.scales) or 0.0 in file.scales.values():
            raise self.broken(f"{stem}.json", "has not one median, mean and scale above 0 for every numeric column")
        return TableEncoder(**dict(file))

    def tensors(self, stem: str) -> dict[str, torch.Tensor]:
        """Read a resample's tensors.

        Raises:
            DataError: if the file is missing or broken, or holds a value that is no finite number.
        """
        name = f"{stem}.safetensors"
        if not (self.folder / name).is_file():
            raise self.broken(name, f"is missing{self._skipped()}")
        try:
            tensors = load_tensors(self.folder / name)
        except BuslineError as error:
            raise self.broken(name, "is no safetensors file") from error
        wrong = [key for key, value in tensors.items() if not torch.isfinite(value).all()]
        if wrong:
            raise self.broken(name, f"tensor {wrong[0]!r} has values that are no finite numbers")
        return tensors

    def fill(self, network: nn.Module, stem: str) -> None:
        """Put a resample's tensors into a network of its shape, in evaluation mode.

        Raises:
            DataError: as :meth:`tensors`, and if they are not the network's: another name, shape or type.
        """
        found, own = self.tensors(stem), network.state_dict()
        wrong = [
            key
            for key in {**own, **found}
            if key not in own
            or key not in found
            or (own[key].shape, own[key].dtype) != (found[key].shape, found[key].dtype)
        ]
        if wrong:
            raise self.broken(f"{stem}.safetensors", f"tensor {wrong[0]!r} is not that of the network of {MODEL}")
        network.load_state_dict(found)
        network.eval()

    def _skipped(self) -> str:
        """Return why there is no model, if its stage had none to train."""
        path = self.folder / "skipped.json"
        return f": {load_json(path)[REASON]}" if path.is_file() else ""

    def _mend(self) -> str:
        return f"run its stage again, `dvc repro --force --single-item {self.stage}`, or `dvc pull` what it wrote"


def place_of(data: Path, family: Family, model: str) -> Place:
    """Return where a model of a family with a stage for each model is; ``data`` holds models/."""
    return Place(data / "models" / family.key / model, f"{family.key}@{model}")


def stem_of(resample: Resample, trained_on: str = "") -> str:
    """Return the file name, without suffix, of what one resample left; ``trained_on`` tells two fits apart."""
    name = MASTER.scheme if resample == MASTER else f"r{resample.repeat}_f{resample.fold}"
    return f"{name}_{trained_on}" if trained_on else name


def save_model(file: ModelFile, folder: Path) -> None:
    """Write what the model is."""
    save_exact_json(file.model_dump(mode="json"), folder / MODEL)


def save_encoder(encoder: TableEncoder, folder: Path, stem: str) -> None:
    """Write a resample's encoder, every number as it is."""
    save_exact_json(encoder.to_dict(), folder / f"{stem}.json")


def save_state(state: State, path: Path) -> None:
    """Write one network's tensors."""
    save_tensors({name: torch.from_numpy(np.asarray(value)) for name, value in state.items()}, path)


def save_states(states: Mapping[Resample, State], folder: Path) -> None:
    """Write each resample's network."""
    for resample, state in states.items():
        save_state(state, folder / f"{stem_of(resample)}.safetensors")


def load_states(resamples: Iterable[Resample], place: Place, trained_on: str = "") -> dict[Resample, State]:
    """Read the tensors of the networks of some resamples, to go on training from."""
    states = {key: place.tensors(stem_of(key, trained_on)) for key in resamples}
    return {key: {name: value.numpy() for name, value in state.items()} for key, state in states.items()}
