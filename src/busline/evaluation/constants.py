"""Which models say one probability of all test cases, by family and model."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from busline.constant_fits import ConstantFit, constant_fits, count_roles, warn_of_constants


def find_constants(
    predictions: Mapping[str, Mapping[str, pd.DataFrame]], splits: pd.DataFrame
) -> dict[str, dict[str, list[ConstantFit]]]:
    """Return the constant fits; a family or model without one is left out.

    Args:
        predictions: by family and model.
        splits: case_id, scheme, repeat, fold, role.
    """
    sizes = count_roles(splits)
    found = {
        family: {model: constant_fits(table, sizes) for model, table in models.items()}
        for family, models in predictions.items()
    }
    named = {family: {model: fits for model, fits in models.items() if fits} for family, models in found.items()}
    return {family: models for family, models in named.items() if models}


def warn_of_all(constant: Mapping[str, Mapping[str, list[ConstantFit]]]) -> None:
    """Print a line for each of :func:`find_constants`."""
    for family, models in constant.items():
        for model, fits in models.items():
            warn_of_constants(fits, f"{family}/{model}")
