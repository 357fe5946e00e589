"""A notice of each model that says one probability of all test cases."""

from __future__ import annotations

from busline.base.settings.tabular import Tabular
from busline.evaluation.results import Tables
from busline.families import TABULAR
from busline.report.layout import Row
from busline.report.names import in_order, one_name


def constant_notices(scores: Tables, tabular: Tabular) -> list[Row]:
    """Return a notice a model; what its figures say of cases that it does not tell apart is nothing.

    Args:
        scores: evaluation's tables.
        tabular: settings of the tabular models, of which some say what makes them constant.
    """
    notices = []
    for family, models in scores.constant.items():
        for model in in_order(models):
            settings = getattr(tabular.models, model, None) if family == TABULAR.key else None
            said = "; ".join(fit.describe(model, settings) for fit in models[model])
            text = f"{one_name(family, model)}: {said}. There its ROC AUC is 0.5, and it is no model."
            notices.append({"kind": "warning", "title": "Constant model.", "text": text})
    return notices
