"""The diagnosis of the lesion model: which numbers of a case it rests on, and how they become one probability.

A model that says nothing of ``scale`` rests on the picture alone, and on clinical columns where it says so. The size of
the lesion in mm needs the size of a pixel: an entry of the file that whoever scanned the case chose, and that can tell
more of the label than the lesion does. So it is an input of models of their own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit

from busline.models.combiner import ClinicalColumns, Combiner, Rows
from busline.models.shape import SCALE, SHAPE

Inputs = tuple[tuple[str, ...], bool]
"""Names of the inputs from the image, and whether the clinical columns join them."""

NETWORK = ("malignancy", "birads")
IMAGE = (*NETWORK, *SHAPE)
MODELS: dict[str, Inputs] = {
    "image": (IMAGE, False),
    "image_scale": ((*IMAGE, SCALE), False),
    "image_clinical": (IMAGE, True),
    "image_scale_clinical": ((*IMAGE, SCALE), True),
}
PARTS: dict[str, Inputs] = {
    "malignancy": (("malignancy",), False),
    "malignancy_whole": (("malignancy_whole",), False),
    "malignancy_window": (("malignancy_window",), False),
    "network": (NETWORK, False),
    "shape": (SHAPE, False),
    "scale": ((SCALE,), False),
    "clinical": ((), True),
    "network_clinical": (NETWORK, True),
    "shape_clinical": (SHAPE, True),
}
"""The same step with some of the inputs: what each is worth."""


@dataclass(frozen=True)
class Diagnosis:
    """The last step, fitted.

    Attributes:
        columns: names of the inputs from the image.
        clinical: the clinical columns; None if they are no inputs.
        combiner: the regression, on both in this order.
    """

    columns: tuple[str, ...]
    clinical: ClinicalColumns | None
    combiner: Combiner

    def judge(self, numbers: pd.DataFrame, table: pd.DataFrame) -> pd.Series:
        """Return each case's mean logit over the networks that judged it, by its position, ascending.

        Args:
            numbers: ``position`` of the case in ``table``, and numbers, one row a network and case.
            table: the cases' clinical columns.
        """
        place = numbers["position"].to_numpy()
        logits = self.combiner.logits(design_rows(numbers, table, self.columns, self.clinical))
        return pd.Series(logits).groupby(place).mean()


def design_rows(
    numbers: pd.DataFrame, table: pd.DataFrame, columns: tuple[str, ...], clinical: ClinicalColumns | None
) -> Rows:
    """Return what the regression sees of rows of :meth:`Diagnosis.judge`: float64 (rows, inputs)."""
    known = np.empty((len(table), 0)) if clinical is None else clinical.transform(table)
    return np.concatenate([numbers[list(columns)].to_numpy(np.float64), known[numbers["position"].to_numpy()]], axis=1)


def mean_views(outputs: pd.DataFrame) -> pd.DataFrame:
    """Return what a network says of cases with the logits averaged over both views."""
    means = {name: outputs[[f"{name}_whole", f"{name}_window"]].mean(axis=1) for name in NETWORK}
    return outputs.assign(**means)


def probabilities(logits: pd.Series) -> np.ndarray:
    """Return the probability of the negative and of the positive class, float32 (n, 2), of n cases' mean logits."""
    positive = expit(logits.to_numpy(np.float64)).astype(np.float32)
    return np.stack([np.float32(1.0) - positive, positive], axis=1)
