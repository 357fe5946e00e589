"""How much a figure moves from one seed of training to another, the data and the folds being the same."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import chdtri, stdtrit

UNDEFINED = float("nan")


@dataclass(frozen=True)
class SeedNoise:
    """The standard deviation of the difference between two seeds, in the figure's unit; NaN where undefined."""

    sd: float
    low: float
    """Lower end of the interval of ``sd``."""
    high: float
    limit: float
    """Repeatability limit: what the difference between two seeds exceeds in ``1 - confidence`` of pairs."""


def seed_noise(values: npt.ArrayLike, *, confidence: float = 0.95) -> SeedNoise:
    """Return the standard deviation of the difference between two seeds.

    With s² the variance over the N seeds with N - 1 degrees of freedom, the variance of the difference between two
    independent seeds is 2 s², which is unbiased, and so ``sd`` is √2 s. The mean of the squared differences over all
    pairs of seeds is the same number. Its root is somewhat small on the average (by 20 % with two seeds, 6 % with
    five), which the interval allows for: √(2 s² (N - 1) / χ²) with the quantiles of χ² for N - 1 degrees of freedom.
    The repeatability limit (ISO 5725-6) is t · ``sd`` with Student's t for N - 1 degrees of freedom, as ``sd`` is
    estimated. Interval and limit take the figures of the seeds as normally distributed.

    Args:
        values: (N,) the figure under each seed; with fewer than two, or one that is NaN, all is undefined.
        confidence: coverage of the interval and of the limit, in (0, 1).
    """
    figures = np.asarray(values, dtype=np.float64)
    if figures.size < 2 or np.isnan(figures).any():
        return SeedNoise(UNDEFINED, UNDEFINED, UNDEFINED, UNDEFINED)
    freedom, tail = figures.size - 1, (1 - confidence) / 2
    sd = float(np.sqrt(2.0) * (figures - figures[0]).std(ddof=1))  # equal figures give 0, to the last bit
    low, high = (sd * float(np.sqrt(freedom / chdtri(freedom, beyond))) for beyond in (tail, 1 - tail))
    return SeedNoise(sd, low, high, float(stdtrit(freedom, 1 - tail)) * sd)
