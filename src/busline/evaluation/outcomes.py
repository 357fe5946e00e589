"""What comparing every model with every other finds: wins, ties and losses, and the rows of plots/comparisons.csv.

A number that is undefined is None, null in a file.
"""

from __future__ import annotations

from busline.base.results import Number, Result


class Outcome(Result):
    """How often a model wins, ties and loses in one test."""

    wins: int
    ties: int
    losses: int


class Outcomes(Result):
    """How a model fares against every other of its family of comparisons."""

    family: str
    model: str
    t: Outcome
    delong: Outcome
    mcnemar: Outcome

    def by_test(self) -> dict[str, Outcome]:
        """Return the outcomes by test."""
        return {"t": self.t, "delong": self.delong, "mcnemar": self.mcnemar}


class Claim(Result):
    """A task's headline, see :mod:`busline.evaluation.headline`; without the two models there are no figures."""

    model: str
    """Family and model, as in the parameters."""
    metric: str
    against: str | None
    difference: Number = None
    """Of the folds' scores, the headline's minus the other's, with the corrected t interval."""
    low: Number = None
    high: Number = None
    p_value: Number = None
    """Of the corrected t test."""
    p_holm: Number = None
    """After Holm's correction over the claims."""
    folds: int = 0
    """Folds in which both have a score."""


class Comparison(Result):
    """A pair of models; differences are the first one's figure minus the second's. A row of plots/comparisons.csv."""

    group: str
    """Its family of comparisons, a key of :data:`busline.families.GROUPS`."""
    family_a: str
    model_a: str
    family_b: str
    model_b: str
    repeats: int
    """How many both have."""
    identical: bool
    """Whether they have the same score for every case."""
    t_difference: Number
    """Of the folds' ROC AUCs; p of the corrected resampled t test, and p after Holm's correction."""
    t_p: Number
    t_holm: Number
    delong_difference: Number
    """Of the ROC AUCs of scores averaged over the repeats, with an interval of a bootstrap of the patients; p of
    DeLong's test."""
    low: Number
    high: Number
    delong_p: Number
    delong_holm: Number
    only_a: Number
    """Cases that the first model alone calls rightly at Youden's point in most repeats; p of McNemar's exact test."""
    only_b: Number
    mcnemar_difference: Number
    mcnemar_p: Number
    mcnemar_holm: Number
