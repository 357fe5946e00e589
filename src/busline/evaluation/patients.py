"""Intervals from one bootstrap of the patients, the same samples for every model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from busline.base.seeding import numpy_generator
from busline.base.settings.evaluation import Evaluate
from busline.metrics.resampling import draw_patients, percentiles, weighted_aucs, weighted_means
from busline.splits import group_cases


class PatientBootstrap:
    """Bootstrap samples of the study's patients; those with near-duplicate images are drawn together.

    It takes the predictions as given: it says how the figure varies with the patients who are scored, not with those
    who are learnt from.

    Args:
        cases: ids of the cases of the study.
        patients: patient of a case; a case that is not there is a patient of its own.
        seed: root seed.
        settings: number of samples and confidence.
        duplicates: pairs of cases with (near-)duplicate images.
    """

    def __init__(
        self,
        cases: Sequence[str],
        patients: Mapping[str, str],
        seed: int,
        settings: Evaluate,
        duplicates: Iterable[tuple[str, str]] = (),
    ) -> None:
        self.confidence = settings.confidence
        ids = sorted(set(cases))
        self.place = pd.Series(np.arange(len(ids)), index=ids)
        # a case id may be another case's patient id
        names = [f"patient {patients[case]}" if case in patients else f"case {case}" for case in ids]
        self.patients = pd.Series(names, index=ids)
        """Patient of each case of the study."""
        self.several = bool(self.patients.duplicated().any())
        """Whether a patient has more than one case."""
        generator = numpy_generator(seed, "bootstrap", "patients")
        self.counts = draw_patients(_group_names(ids, names, duplicates), generator, settings.bootstrap)

    def mean(self, case_ids: pd.Series, values: np.ndarray) -> tuple[float, float]:
        """Return the interval of the mean of values (n,) of n cases."""
        return percentiles(weighted_means(values, self._counts(case_ids)), self.confidence)

    def aucs(self, cases: pd.DataFrame) -> np.ndarray:
        """Return the ROC AUC in every sample; ``cases`` has case_id, truth and score, one row a case."""
        counts = self._counts(cases["case_id"])
        return weighted_aucs(cases["truth"].to_numpy(), cases["score"].to_numpy(), counts)

    def interval(self, samples: np.ndarray) -> tuple[float, float]:
        """Return the interval of a figure's values in the samples."""
        return percentiles(samples, self.confidence)

    def _counts(self, case_ids: pd.Series) -> np.ndarray:
        return self.counts[:, self.place.loc[case_ids].to_numpy()]


def _group_names(ids: Sequence[str], names: Sequence[str], duplicates: Iterable[tuple[str, str]]) -> list[str]:
    """Return the group of each case, named after the patient of its first case: without duplicates, the patients."""
    groups = group_cases(ids, names, duplicates)
    _, first = np.unique(groups, return_index=True)
    return [names[place] for place in first[groups]]
