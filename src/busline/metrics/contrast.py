"""What a change is worth: the difference between two arms that are scored on the same cases under several seeds.

An arm is a model under some settings, trained once a seed on the same data and folds. Its figure is the mean over its
seeds. Two things vary: which patients are scored, and what training draws.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit, stdtrit

UNDEFINED = float("nan")


@dataclass(frozen=True)
class Contrast:
    """The first arm's figure minus the second's, with its intervals; NaN where undefined."""

    difference: float
    low: float
    """Lower end of the interval over cases and seeds: other patients, and networks that are trained again."""
    high: float
    cases_low: float
    """Lower end of the interval over cases alone: other patients, these very networks."""
    cases_high: float


def contrast_arms(
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    samples: npt.ArrayLike,
    units: int,
    *,
    one_run: bool,
    confidence: float = 0.95,
) -> Contrast:
    """Return the difference between two arms, with an interval over cases and seeds and one over cases alone.

    To either side the interval over both reaches √(r² + q²), r the reach of the interval over cases alone
    (:func:`reach_over_cases`) and q that over seeds alone (:func:`reach_over_seeds`), each with its own Student's t.
    Sources: Banerjee, Sankhyā 22 (1960) 357, for normal estimates, where it covers at least as often as it says; Zou
    and Donner 2008, DOI 10.1002/sim.3095, where a part reaches further to one side. One t with Satterthwaite's degrees
    of freedom for the sum of the variances covers too little: two or three seeds that happen to agree leave it many
    degrees of freedom (simulated in docs/statistics.md).

    What a case's score varies by from seed to seed widens both parts: the interval is rather too wide than too narrow.

    Args:
        first: (S,) the first arm's figure under each seed, two or more.
        second: (S',) the second arm's.
        samples: (B,) the difference between the arms' means over the seeds in each bootstrap sample of the patients,
            the same patients in both arms and under all seeds; NaN where undefined.
        units: number of patients, or groups of patients, that are drawn.
        one_run: whether the figures of a seed come from one run, see :func:`reach_over_seeds`.
        confidence: coverage in (0, 1).

    Returns:
        NaN throughout where a figure is undefined, there are fewer than two seeds or units, or no sample is defined.
    """
    one, other = (np.asarray(figures, dtype=np.float64) for figures in (first, second))
    drawn = np.asarray(samples, dtype=np.float64)
    drawn = drawn[~np.isnan(drawn)]
    if np.isnan(one).any() or np.isnan(other).any() or min(one.size, other.size, units, drawn.size) < 2:
        return Contrast(*[UNDEFINED] * 5)
    difference = float(one.mean() - other.mean())
    cases = reach_over_cases(drawn, units, confidence)
    down, up = (float(np.hypot(cases, reach)) for reach in reach_over_seeds(one, other, confidence, one_run=one_run))
    return Contrast(difference, difference - down, difference + up, difference - cases, difference + cases)


def reach_over_cases(samples: np.ndarray, units: int, confidence: float) -> float:
    """Return half the width of the interval over cases alone, by Student's t with ``units`` - 1 degrees of freedom.

    The variance is that of the bootstrap samples (B,), which is short by one unit in ``units``.
    """
    return _quantile(units - 1, confidence) * float(np.sqrt(_variance(samples) * units / (units - 1)))


def reach_over_seeds(first: np.ndarray, second: np.ndarray, confidence: float, *, one_run: bool) -> tuple[float, float]:
    """Return how far the interval over seeds alone reaches down and up.

    The seeds of two arms are independent draws. Each arm's mean has an interval of its own, on the logit scale, since a
    figure near 1 falls further than it rises; both with Student's t of Welch's degrees of freedom for their difference
    (Welch 1947, DOI 10.1093/biomet/34.1-2.28). Where seeds have more in common than that, as the order of the batches,
    figures agree more and not less, and the interval is rather too wide.

    Where both figures of a seed come from one run, as of two models that rest on the same networks, they may hang
    together in any way, and their differences are what is independent: Student's t of these.

    Args:
        first: (S,) figures, S > 1, in [0, 1].
        second: (S',) figures; S' = S if ``one_run``.
        confidence: coverage in (0, 1).
        one_run: whether the s-th figures of both are of one run.
    """
    if one_run:
        reach = _quantile(first.size - 1, confidence) * float(np.sqrt(_variance(first - second) / first.size))
        return reach, reach
    own, other = _variance(first) / first.size, _variance(second) / second.size
    if own + other == 0.0:
        return 0.0, 0.0
    share = own / (own + other)
    quantile = _quantile(1.0 / (share**2 / (first.size - 1) + (1.0 - share) ** 2 / (second.size - 1)), confidence)
    (down, up), (down_other, up_other) = (_reach_of_mean(figures, quantile) for figures in (first, second))
    return float(np.hypot(down, up_other)), float(np.hypot(up, down_other))


def _reach_of_mean(figures: np.ndarray, quantile: float) -> tuple[float, float]:
    """Return how far the interval of a mean reaches down and up, on the logit scale unless a figure is 0 or 1."""
    mean = float(figures.mean())
    if figures.min() <= 0.0 or figures.max() >= 1.0:
        reach = quantile * float(np.sqrt(_variance(figures) / figures.size))
        return reach, reach
    reach = quantile * float(np.sqrt(_variance(logit(figures)) / figures.size))
    return mean - float(expit(logit(mean) - reach)), float(expit(logit(mean) + reach)) - mean


def _quantile(freedom: float, confidence: float) -> float:
    return float(stdtrit(freedom, (1 + confidence) / 2))


def _variance(values: np.ndarray) -> float:
    """Return the variance with one degree of freedom less than values; of equal ones 0, to the last bit."""
    return float((values - values[0]).var(ddof=1))
