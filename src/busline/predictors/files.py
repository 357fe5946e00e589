"""A folder of one model: what it is in ``model.json``, and what every resample left in files named by the resample.

What is read is refused, with the stage to run again, unless it has the form of what was written: a missing file,
another version, family or model, a tensor of another shape, a number that is none. A number that was changed to
another one is believed. Nothing is unpickled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import numpy as np
import torch
from pydantic import AfterValidator, ConfigDict, Field
from torch import nn

from busline.base.artifacts import load_json, load_tensors, save_exact_json, save_tensors
from busline.base.errors import BuslineError, DataError
from busline.base.results import Result, load_result
from busline.base.skipped import REASON
from busline.families import Family
from busline.models.encoding import TableEncoder
from busline.splits import MASTER, Resample
from busline.training.loop import seeded
from busline.training.results import State

MODEL = "model.json"
VERSION: Literal[1] = 1


def _distinct(names: list[str]) -> list[str]:
    if len({*names}) < len(names) or not all(names):
        raise ValueError("must be names, each once")
    return names


class File(Result):
    """Base of all files of a model: every number is finite."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class ModelFile(File):
    """What a model is. A family adds what its networks are built from; nothing else is needed to build them."""

    version: Literal[1] = VERSION
    family: str
    model: str


class ClassifierFile(ModelFile):
    """What a classifier is.

    Attributes:
        classes: labels in the order of the probabilities, the positive one last.
    """

    classes: Annotated[list[str], Field(min_length=2), AfterValidator(_distinct)]


class NumericColumn(File):
    """A numeric column of an encoder."""

    name: str
    median: float
    mean: float
    scale: Annotated[float, Field(gt=0)] | None
    """None where the column was constant."""


class CategoricalColumn(File):
    """A categorical column of an encoder."""

    name: str
    categories: list[str]


class EncoderFile(File):
    """A :class:`busline.models.encoding.TableEncoder`; the order of its columns is that of the features."""

    numeric: list[NumericColumn]
    categorical: list[CategoricalColumn]


Kind = TypeVar("Kind", bound=File)
Model = TypeVar("Model", bound=ModelFile)
Network = TypeVar("Network", bound=nn.Module)


@dataclass(frozen=True)
class TableNetwork:
    """A trained network that sees the table: its tensors, and the encoder of its own training cases."""

    encoder: TableEncoder
    state: State


@dataclass(frozen=True)
class ModelFolder:
    """Where one model's files are, and which stage writes them.

    Attributes:
        path: of the folder.
        stage: as DVC names it.
    """

    path: Path
    stage: str

    def broken(self, name: str, problem: str) -> DataError:
        """Return the error that a file of the model is not what it should be."""
        return DataError(str(self.path / name), problem, mend=self._mend())

    def read(self, kind: type[Kind], name: str) -> Kind:
        """Read a JSON file.

        Raises:
            DataError: if it is missing or holds anything else than ``kind``.
        """
        path = self.path / name
        if not path.is_file():
            raise self.broken(name, f"is missing{self._skipped()}")
        try:
            found = load_result(kind, path, stage=self.stage)
        except UnicodeDecodeError as error:
            raise self.broken(name, "is no UTF-8") from error
        unsaid = sorted(set(kind.model_fields) - found.model_fields_set)
        if unsaid:
            raise self.broken(name, f"says nothing of {', '.join(unsaid)}")
        return found

    def model(self, kind: type[Model], family: Family, model: str, name: str = MODEL) -> Model:
        """Read what the model is, from the file ``name``; see :meth:`read`."""
        found = self.read(kind, name)
        if (found.family, found.model) != (family.key, model):
            raise self.broken(name, f"is of {found.family}/{found.model}, not of {family.key}/{model}")
        return found

    def encoder(self, stem: str) -> TableEncoder:
        """Read a resample's encoder; see :meth:`read`."""
        file = self.read(EncoderFile, f"{stem}.json")
        encoder = TableEncoder(
            medians={column.name: column.median for column in file.numeric},
            means={column.name: column.mean for column in file.numeric},
            scales={column.name: column.scale for column in file.numeric},
            categories={column.name: column.categories for column in file.categorical},
        )
        names = [one.name for one in file.numeric] + [one.name for one in file.categorical]
        if len({*names}) < len(names) or len({*encoder.names}) < len(encoder.names):
            raise self.broken(f"{stem}.json", "names a column or a category twice")
        return encoder

    def tensors(self, stem: str) -> dict[str, torch.Tensor]:
        """Read a resample's tensors.

        Raises:
            DataError: if the file is missing or broken, or holds a value that is no finite number.
        """
        name = f"{stem}.safetensors"
        if not (self.path / name).is_file():
            raise self.broken(name, f"is missing{self._skipped()}")
        try:
            tensors = load_tensors(self.path / name)
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

    def network(self, build: Callable[[], Network], stem: str) -> Network:
        """Return a resample's network: built, and filled by :meth:`fill`."""
        with seeded(0):
            network = build()
        self.fill(network, stem)
        return network

    def _skipped(self) -> str:
        """Return why there is no model, if its stage had none to train."""
        try:
            return f": {load_json(self.path / 'skipped.json')[REASON]}"
        except (BuslineError, OSError, ValueError, KeyError, TypeError):
            return ""

    def _mend(self) -> str:
        return f"run its stage again, `dvc repro --force --single-item {self.stage}`, or `dvc pull` what it wrote"


def folder_of(data: Path, family: Family, model: str) -> ModelFolder:
    """Return where a model of a family with a stage for each model is; ``data`` holds models/."""
    return ModelFolder(data / "models" / family.key / model, f"{family.key}@{model}")


def stem_of(resample: Resample, trained_on: str = "") -> str:
    """Return the file name, without suffix, of what one resample left; ``trained_on`` tells two fits apart."""
    name = MASTER.scheme if resample == MASTER else f"r{resample.repeat}_f{resample.fold}"
    return f"{name}_{trained_on}" if trained_on else name


def save_model(file: ModelFile, folder: Path) -> None:
    """Write what the model is."""
    save_exact_json(file.model_dump(mode="json"), folder / MODEL)


def save_encoder(encoder: TableEncoder, folder: Path, stem: str) -> None:
    """Write a resample's encoder, every number as it is."""
    numeric = [
        NumericColumn(name=name, median=median, mean=encoder.means[name], scale=encoder.scales[name])
        for name, median in encoder.medians.items()
    ]
    categorical = [CategoricalColumn(name=name, categories=list(found)) for name, found in encoder.categories.items()]
    file = EncoderFile(numeric=numeric, categorical=categorical)
    save_exact_json(file.model_dump(mode="json"), folder / f"{stem}.json")


def save_state(state: State, path: Path) -> None:
    """Write one network's tensors."""
    save_tensors({name: torch.from_numpy(np.asarray(value)) for name, value in state.items()}, path)


def save_networks(folder: Path, file: ModelFile, states: Mapping[str, State]) -> None:
    """Write a model's folder: what it is, and its networks by :func:`stem_of`."""
    save_model(file, folder)
    for stem, state in states.items():
        save_state(state, folder / f"{stem}.safetensors")


def save_table_networks(folder: Path, file: ModelFile, networks: Mapping[str, TableNetwork]) -> None:
    """Write the folder of a model that sees the table: its networks, with their encoders, by :func:`stem_of`."""
    save_model(file, folder)
    for stem, network in networks.items():
        save_encoder(network.encoder, folder, stem)
        save_state(network.state, folder / f"{stem}.safetensors")


def load_states(resamples: Iterable[Resample], folder: ModelFolder, trained_on: str = "") -> dict[Resample, State]:
    """Read the tensors of the networks of some resamples, to go on training from."""
    states = {key: folder.tensors(stem_of(key, trained_on)) for key in resamples}
    return {key: {name: value.numpy() for name, value in state.items()} for key, state in states.items()}
