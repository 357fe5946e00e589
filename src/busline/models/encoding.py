"""Clinical columns as numbers: fitted on a fold's training cases, applied to all, saved as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from busline.models.spread import MOST, is_constant

MISSING = "not available"


@dataclass(frozen=True)
class TableEncoder:
    """Numeric columns: median for missing values, then standardised. Categorical ones: one column a category.

    A missing category is a category of its own; a category that was not seen in fitting is a row of zeros. A column
    that is constant over the fitted cases (:func:`busline.models.spread.is_constant`) has taught nothing of any other
    value: it is 0 in every row, so that no model can take another value for millions of standard deviations.

    Attributes:
        medians: median of each numeric column over the fitted cases.
        means: mean of each numeric column after filling.
        scales: standard deviation after filling, None where the column is constant.
        categories: sorted categories of each categorical column.
    """

    medians: Mapping[str, float]
    means: Mapping[str, float]
    scales: Mapping[str, float | None]
    categories: Mapping[str, Sequence[str]]

    @classmethod
    def fit(cls, table: pd.DataFrame, numeric: Sequence[str], categorical: Sequence[str]) -> TableEncoder:
        """Learn medians, scales and categories from the rows of ``table`` and from nothing else."""
        medians = {name: _finite(table[name].astype(float).median()) for name in numeric}
        filled = {name: table[name].astype(float).fillna(medians[name]) for name in numeric}
        return cls(
            medians=medians,
            means={name: float(values.mean()) for name, values in filled.items()},
            scales={name: _scale(values) for name, values in filled.items()},
            categories={name: sorted(table[name].fillna(MISSING).unique().tolist()) for name in categorical},
        )

    def transform(self, table: pd.DataFrame) -> np.ndarray:
        """Return float32 (rows, features); a row's values depend on that row and the fit alone."""
        columns = [self._standardise(name, table[name].astype(float)) for name in self.medians]
        for name, categories in self.categories.items():
            values, taught = table[name].fillna(MISSING), len(categories) > 1
            columns += [((values == category) & taught).astype(float) for category in categories]
        return np.column_stack([np.asarray(column, dtype=np.float32) for column in columns])

    def _standardise(self, name: str, values: pd.Series) -> pd.Series:
        scale = self.scales[name]
        if scale is None:
            return pd.Series(0.0, index=values.index)
        return ((values.fillna(self.medians[name]) - self.means[name]) / scale).clip(-MOST, MOST)

    @property
    def names(self) -> list[str]:
        """Names of the features, in the order of the columns of :meth:`transform`."""
        return [*self.medians, *(f"{name}={value}" for name, values in self.categories.items() for value in values)]


def _scale(filled: pd.Series) -> float | None:
    return None if is_constant(filled.to_numpy()) else float(filled.std(ddof=0))


def _finite(value: Any) -> float:
    return float(value) if np.isfinite(value) else 0.0
