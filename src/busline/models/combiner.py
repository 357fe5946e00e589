"""The last step of a diagnosis: few numbers of a case in, one probability out; shrinkage is chosen inside the fold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from busline.models.spread import MOST, is_constant

Rows = npt.NDArray[np.float64]
STRENGTHS = (0.01, 0.03, 0.1, 0.3, 1.0)
INNER_FOLDS = 5
MISSING = "missing"
OTHER = "other"


@dataclass(frozen=True)
class Combiner:
    """A logistic regression on standardised inputs.

    Attributes:
        names: of the inputs.
        medians: of the fitted cases; they take the place of missing numbers.
        means: of the fitted cases after filling.
        scales: standard deviations, likewise; 1 where an input is constant.
        weights: one an input; 0 where an input is constant.
        intercept: of the logit.
        strength: the inverse of the L2 penalty that was chosen.
    """

    names: tuple[str, ...]
    medians: Rows
    means: Rows
    scales: Rows
    weights: Rows
    intercept: float
    strength: float

    def logits(self, rows: npt.ArrayLike) -> Rows:
        """Return the log odds of n cases, (n,); ``rows`` (n, inputs), NaN where unknown."""
        return np.asarray(_standardise(rows, self.medians, self.means, self.scales) @ self.weights + self.intercept)

    def to_dict(self) -> dict[str, Any]:
        """Return what JSON can hold."""
        return {key: value.tolist() if isinstance(value, np.ndarray) else value for key, value in vars(self).items()}


def fit_combiner(
    rows: npt.ArrayLike, labels: npt.ArrayLike, groups: npt.ArrayLike, names: Sequence[str], *, seed: int
) -> Combiner:
    """Fit a combiner; the penalty is the one of least log loss in an inner cross-validation over the same cases.

    The log loss is a proper score, so the choice is for calibrated probabilities, not for rank alone. Without inner
    folds (see :func:`inner_folds`) the penalty is strongest. Cases of one class alone teach no input: every case has
    the logit of (positives + 1) / (cases + 2).

    Args:
        rows: (n, inputs), NaN where unknown. A case's numbers must come from models that were not trained on it.
        labels: (n,), 0 or 1.
        groups: (n,), equal for cases of one patient and for near-duplicates, as
            :func:`busline.splits.group_cases` numbers them.
        names: of the inputs.
        seed: of the inner folds.
    """
    from sklearn.linear_model import LogisticRegression

    given, true = np.asarray(rows, np.float64), np.asarray(labels, np.int64)
    medians = np.array([_median(column) for column in given.T])
    filled = np.where(np.isnan(given), medians, given)
    means, scales = filled.mean(axis=0), filled.std(axis=0)
    constant = is_constant(filled)
    scales[constant] = 1.0
    inputs = np.where(constant, 0.0, _standardise(given, medians, means, scales))
    if len(np.unique(true)) < 2:
        share = (true.sum() + 1) / (true.size + 2)
        level, nothing = float(np.log(share / (1 - share))), np.zeros(given.shape[1])
        return Combiner(tuple(names), medians, means, scales, nothing, level, STRENGTHS[0])
    folds = inner_folds(true, np.asarray(groups), seed)
    losses = []
    for strength in STRENGTHS:
        total = 0.0
        for learn, score in folds:
            model = LogisticRegression(C=strength, max_iter=1000).fit(inputs[learn], true[learn])
            total += _log_loss(model.decision_function(inputs[score]), true[score])
        losses.append(total)
    best = STRENGTHS[int(np.argmin(losses))]
    model = LogisticRegression(C=best, max_iter=1000).fit(inputs, true)
    weights = np.where(constant, 0.0, model.coef_[0])
    return Combiner(tuple(names), medians, means, scales, weights, float(model.intercept_[0]), best)


def inner_folds(
    labels: npt.NDArray[np.int64], groups: np.ndarray, seed: int
) -> list[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]]:
    """Return which cases are learnt from and which are scored in each inner fold; a group is never on both sides.

    Where a class has fewer groups than :data:`INNER_FOLDS`, there are as many folds as it has groups, and none with one
    group. A fold that would learn from one class alone is left out.

    Args:
        labels: (n,), 0 or 1.
        groups: (n,).
        seed: of the shuffle.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    count = min(INNER_FOLDS, *(len(np.unique(groups[labels == label])) for label in (0, 1)))
    if count < 2:
        return []
    splitter = StratifiedGroupKFold(count, shuffle=True, random_state=seed % 2**32)
    folds = splitter.split(labels, labels, groups)
    return [(learn, score) for learn, score in folds if len(np.unique(labels[learn])) == 2]


@dataclass(frozen=True)
class SignWords:
    """A column of several words a cell as one column a word: ``palpable&breast scar`` has two.

    Attributes:
        words: those with a column of their own; all others share one.
        separator: what stands between words.
    """

    words: tuple[str, ...]
    separator: str = "&"

    @classmethod
    def fit(cls, cells: pd.Series, *, least: int = 5, separator: str = "&") -> SignWords:
        """Keep the words, and ``missing``, that at least ``least`` of the cases have."""
        counts = pd.Series([word for cell in cells for word in _words(cell, separator)], dtype=object).value_counts()
        return cls(tuple(sorted(str(word) for word in counts.index[counts >= least])), separator)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns of :meth:`transform`."""
        return (*self.words, OTHER)

    def transform(self, cells: pd.Series) -> Rows:
        """Return float64 (n, words + 1), 0 or 1."""
        found = [_words(cell, self.separator) for cell in cells]
        columns = [[word in words for words in found] for word in self.words]
        columns.append([bool(words - set(self.words)) for words in found])
        return np.array(columns, np.float64).T


@dataclass(frozen=True)
class ClinicalColumns:
    """The clinical columns as numbers for a combiner.

    A numeric column is itself, NaN where it is missing, and a flag that it is; a categorical one has a column for each
    word that at least five of the fitted cases have.

    Attributes:
        numeric: names of the numeric columns.
        words: what is known of each categorical column.
    """

    numeric: tuple[str, ...]
    words: Mapping[str, SignWords]

    @classmethod
    def fit(cls, table: pd.DataFrame, numeric: Sequence[str], categorical: Sequence[str]) -> ClinicalColumns:
        """Learn the words from the rows of ``table`` and from nothing else."""
        return cls(tuple(numeric), {name: SignWords.fit(table[name].astype(object)) for name in categorical})

    @property
    def names(self) -> list[str]:
        """Names of the columns of :meth:`transform`."""
        numbers = [name for column in self.numeric for name in (column, f"{column} missing")]
        return numbers + [f"{column}: {word}" for column, words in self.words.items() for word in words.names]

    def transform(self, table: pd.DataFrame) -> Rows:
        """Return float64 (rows, names); a row's values depend on that row and the fit alone."""
        parts: list[Rows] = []
        for name in self.numeric:
            values = table[name].to_numpy(dtype=np.float64, na_value=np.nan)
            parts.append(np.stack([values, np.isnan(values)], axis=1).astype(np.float64))
        parts += [words.transform(table[name].astype(object)) for name, words in self.words.items()]
        return np.concatenate(parts, axis=1) if parts else np.empty((len(table), 0))


def _words(cell: object, separator: str) -> set[str]:
    return set(cell.split(separator)) if isinstance(cell, str) else {MISSING}


def _standardise(rows: npt.ArrayLike, medians: Rows, means: Rows, scales: Rows) -> Rows:
    given = np.asarray(rows, np.float64)
    return np.clip((np.where(np.isnan(given), medians, given) - means) / scales, -MOST, MOST)


def _median(values: Rows) -> float:
    known = values[~np.isnan(values)]
    return float(np.median(known)) if known.size else 0.0


def _log_loss(logits: Rows, labels: npt.NDArray[np.int64]) -> float:
    return float(np.logaddexp(0.0, np.where(labels > 0, -logits, logits)).sum())
