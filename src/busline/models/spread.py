"""Whether numbers differ by more than rounding makes them differ."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

MOST = 1e18
"""Standard deviations beyond which a value is cut: further ones are no finite numbers behind a layer of float32."""


def is_constant(columns: npt.ArrayLike) -> Any:
    """Return whether the values of each column are one value, give or take the rounding of their sum.

    The mean of n equal numbers can miss them by some of their last bits, and so can numbers that were converted from
    one unit to another; their standard deviation is then not 0 but of the order of 1e-17. It counts as 0 up to the
    rounding of the mean, n · ε · |mean| (Chan, Golub & LeVeque 1983, doi:10.1080/00031305.1983.10483115; the bound is
    that of scikit-learn's scalers).

    Args:
        columns: float64 (n,) or (n, p), finite.

    Returns:
        bool, or bool (p,).
    """
    values = np.asarray(columns, np.float64)
    largest = np.abs(values).max(axis=0)
    values = values / np.where(largest > 0, largest, 1.0)  # squares of any number are then neither infinite nor 0
    rounding = len(values) * np.finfo(np.float64).eps * np.abs(values.mean(axis=0))
    return (values.max(axis=0) == values.min(axis=0)) | (values.std(axis=0) <= rounding)
