"""The diagnosis on top of the lesion networks: outline, logits and clinical columns as one probability."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import Field

from busline.base.artifacts import save_exact_json
from busline.families import LESION, LESION_SEGMENT
from busline.models.combiner import ClinicalColumns, Combiner, SignWords
from busline.models.diagnosis import Diagnosis, mean_views, probabilities
from busline.predictors.cases import Cases
from busline.predictors.files import File, ModelFile, ModelFolder
from busline.predictors.lesion_segment import PairNetworks, load_lesion_networks
from busline.splits import Resample
from busline.training.threads import one_thread
from busline.training.two_views import OUTPUTS


class Words(File):
    """A :class:`busline.models.combiner.SignWords`, and the column that it is of."""

    column: str
    words: list[str]
    separator: Annotated[str, Field(min_length=1)]


class Clinical(File):
    """A :class:`busline.models.combiner.ClinicalColumns`."""

    numeric: list[str]
    words: list[Words]


class Regression(File):
    """A :class:`busline.models.combiner.Combiner`."""

    names: list[str]
    medians: list[float]
    means: list[float]
    scales: list[float]
    weights: list[float]
    intercept: float
    strength: float


class FoldFile(File):
    """One fold's last step, a :class:`busline.models.diagnosis.Diagnosis`."""

    repeat: int
    fold: int
    columns: list[str]
    clinical: Clinical | None
    combiner: Regression


class DiagnosisFile(ModelFile):
    """The last steps of all folds."""

    folds: list[FoldFile]


@dataclass(frozen=True)
class LesionPredictor:
    """The last step of one fold, on the networks that left this fold out."""

    networks: PairNetworks
    diagnosis: Diagnosis

    def predict(self, cases: Cases) -> np.ndarray:
        """Return the probability of the negative and of the positive class, float32 (n, 2)."""
        clinical = self.diagnosis.clinical
        numeric, categorical = (clinical.numeric, clinical.words) if clinical else ((), ())
        table = cases.columns(numeric, categorical)
        numbers = mean_views(self.networks.outputs(cases))
        with one_thread():
            return probabilities(self.diagnosis.judge(numbers, table))


def save_diagnoses(folder: Path, diagnoses: Mapping[str, Mapping[Resample, Diagnosis]]) -> None:
    """Write the last steps of each model, and of each part of it, into a file of its name."""
    for name, folds in diagnoses.items():
        rows = [
            {
                "repeat": resample.repeat,
                "fold": resample.fold,
                "columns": list(one.columns),
                "clinical": None if one.clinical is None else _describe(one.clinical),
                "combiner": one.combiner.to_dict(),
            }
            for resample, one in folds.items()
        ]
        file = DiagnosisFile.model_validate({"family": LESION.key, "model": name, "folds": rows}, strict=False)
        save_exact_json(file.model_dump(mode="json"), folder / f"{name}.json")


def load_lesion(data: Path, model: str, resample: Resample) -> LesionPredictor:
    """Read one fold's last step and networks; see :func:`busline.predictors.table.load_predictor`."""
    folder, name = ModelFolder(data / "models" / LESION.key, LESION.stage), f"{model}.json"
    file = folder.model(DiagnosisFile, LESION, model, name)
    folds = [one for one in file.folds if (one.repeat, one.fold) == (resample.repeat, resample.fold)]
    if len(folds) != 1:
        raise folder.broken(name, f"has not one last step of {resample}")
    return LesionPredictor(
        load_lesion_networks(data, LESION_SEGMENT.files[0], resample), _diagnosis(folder, name, folds[0])
    )


def _diagnosis(folder: ModelFolder, name: str, file: FoldFile) -> Diagnosis:
    clinical = None
    if file.clinical is not None:
        words = {one.column: SignWords(tuple(one.words), one.separator) for one in file.clinical.words}
        clinical = ClinicalColumns(tuple(file.clinical.numeric), words)
    arrays = {key: value for key, value in dict(file.combiner).items() if isinstance(value, list) and key != "names"}
    names = [*file.columns, *(clinical.names if clinical else [])]
    wrong = [key for key, value in arrays.items() if len(value) != len(names)]
    unknown = set(file.columns) - {*OUTPUTS, "malignancy", "birads"}
    if wrong or unknown or file.combiner.names != names or 0.0 in file.combiner.scales:
        raise folder.broken(name, f"its regression is not one of {len(names)} inputs")
    numbers = {key: np.array(value, np.float64) for key, value in arrays.items()}
    combiner = Combiner(tuple(names), **numbers, intercept=file.combiner.intercept, strength=file.combiner.strength)
    return Diagnosis(tuple(file.columns), clinical, combiner)


def _describe(clinical: ClinicalColumns) -> dict[str, object]:
    words = [
        {"column": name, "words": list(one.words), "separator": one.separator} for name, one in clinical.words.items()
    ]
    return {"numeric": list(clinical.numeric), "words": words}
