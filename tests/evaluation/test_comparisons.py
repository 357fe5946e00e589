"""Pairs of models on the same folds: shared repeats, identical scores, wins and losses."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score

from busline.base.params import load_params
from busline.evaluation.comparisons import COLUMNS, Competitor, compare, count_outcomes
from busline.evaluation.outcomes import Outcome
from busline.evaluation.patients import PatientBootstrap
from busline.metrics.comparison import corrected_t_test, delong_covariance, delong_test, holm
from made_inputs import PARAMS_FILE

SETTINGS = load_params(PARAMS_FILE).evaluate.model_copy(update={"bootstrap": 300})
CASES, FOLDS = 120, 4
IDS = [f"c{n:03d}" for n in range(CASES)]
PATIENTS = PatientBootstrap(IDS, {}, 0, SETTINGS)
TRUTH = np.random.default_rng(1).random(CASES) < 0.4


def made(skill, seed, repeats=2):
    generator = np.random.default_rng(seed)
    parts = []
    for repeat in range(repeats):
        fold = np.random.default_rng(repeat).permutation(CASES) % FOLDS
        score = generator.normal(size=CASES) + skill * TRUTH
        parts.append(
            pd.DataFrame(
                {"case_id": IDS, "scheme": "cv", "repeat": repeat, "fold": fold, "truth": TRUTH, "score": score}
            )
        )
    return pd.concat(parts).sort_values(["scheme", "repeat", "fold", "case_id"], ignore_index=True)


def competitor(cases, ratio=0.3, threshold=0.5):
    return Competitor(cases, ratio, cases.assign(score=cases["score"] - threshold))


GOOD, FAIR, POOR = made(1.8, 1), made(0.7, 2), made(-0.7, 3, repeats=1)
MODELS = {
    ("tabular", "good"): competitor(GOOD),
    ("cnn", "fair"): competitor(FAIR, ratio=0.5),
    ("cnn", "poor"): competitor(POOR),
}
TABLE = compare("models", MODELS, PATIENTS)


def row(table, a, b):
    (found,) = table[(table["model_a"] == a) & (table["model_b"] == b)].to_dict("records")
    return found


def aucs(cases):
    return [roc_auc_score(fold["truth"], fold["score"]) for _, fold in cases.groupby(["repeat", "fold"])]


def pooled(cases):
    return cases.groupby("case_id")["score"].mean()


def shares(cases):
    """Of the repeats, those that call a case."""
    return (cases["score"] >= 0.5).groupby(cases["case_id"]).mean()


def test_every_pair_has_a_row():
    assert list(TABLE) == COLUMNS
    pairs = list(zip(TABLE["model_a"], TABLE["model_b"], strict=True))
    assert pairs == [("good", "fair"), ("good", "poor"), ("fair", "poor")]
    assert not TABLE["identical"].any()


def test_a_pair_is_compared_on_folds_cases_and_calls():
    found = row(TABLE, "good", "fair")
    t = corrected_t_test(aucs(GOOD), aucs(FAIR), 0.5)  # the greater of the two ratios
    assert (found["t_difference"], found["t_p"]) == pytest.approx((t.difference, t.p_value))
    areas = delong_covariance(TRUTH, [pooled(GOOD), pooled(FAIR)])
    test = delong_test(areas, 0, 1)
    assert (found["delong_difference"], found["delong_p"]) == pytest.approx((test.difference, test.p_value))
    right = [(shares(cases) == 1) == TRUTH for cases in (GOOD, FAIR)]
    only_a, only_b = int((right[0] & ~right[1]).sum()), int((right[1] & ~right[0]).sum())
    assert (found["only_a"], found["only_b"], found["repeats"]) == (only_a, only_b, 2)
    assert found["mcnemar_p"] == pytest.approx(stats.binomtest(only_a, only_a + only_b).pvalue)
    assert found["mcnemar_difference"] == pytest.approx(right[0].mean() - right[1].mean())
    assert found["low"] < found["delong_difference"] < found["high"]


@pytest.mark.parametrize(
    ("margins", "right"), [([1, -9, 1], True), ([-1, 9, -1], False), ([1, -9], False), ([0, 0], True), ([-1], False)]
)
def test_a_case_is_called_if_more_than_half_of_the_repeats_call_it(margins, right):
    """One positive case and a model that misses it; the mean margin would decide otherwise in the first three."""
    keys = {"case_id": "c000", "scheme": "cv", "repeat": range(len(margins)), "fold": 0, "truth": True}
    rows = pd.DataFrame({**keys, "score": np.array(margins, dtype=float)})
    models = {("a", "x"): Competitor(rows, 0.3, rows), ("b", "y"): Competitor(rows, 0.3, rows.assign(score=-1.0))}
    (found,) = compare("g", models, PATIENTS).to_dict("records")
    assert (found["only_a"], found["only_b"]) == (int(right), 0)


def test_the_interval_of_the_difference_draws_the_same_patients_for_both():
    found = row(TABLE, "good", "fair")
    samples = []
    for counts in PATIENTS.counts:
        drawn = np.repeat(np.arange(CASES), counts)
        samples.append(np.subtract(*(roc_auc_score(TRUTH[drawn], pooled(c).to_numpy()[drawn]) for c in (GOOD, FAIR))))
    assert (found["low"], found["high"]) == pytest.approx(tuple(np.quantile(samples, [0.025, 0.975])))


def test_fewer_repeats_are_compared_on_the_shared_ones():
    first = GOOD[GOOD["repeat"] == 0]
    found = row(TABLE, "good", "poor")
    assert found["repeats"] == 1
    assert found["t_difference"] == pytest.approx(np.mean(aucs(first)) - np.mean(aucs(POOR)))
    expected = roc_auc_score(TRUTH, pooled(first)) - roc_auc_score(TRUTH, pooled(POOR))
    assert found["delong_difference"] == pytest.approx(expected)
    alone = {("tabular", "good"): competitor(first), ("cnn", "poor"): MODELS["cnn", "poor"]}
    (again,) = compare("models", alone, PATIENTS).to_dict("records")
    assert {name: again[name] for name in again if not name.endswith("_holm")} == {
        name: found[name] for name in found if not name.endswith("_holm")
    }


def test_identical_scores_are_said_and_have_no_nan():
    copy = GOOD.copy()
    (found,) = compare("g", {("a", "x"): competitor(GOOD), ("b", "y"): competitor(copy)}, PATIENTS).to_dict("records")
    assert found["identical"]
    for test in ("t", "delong", "mcnemar"):
        assert (found[f"{test}_difference"], found[f"{test}_p"], found[f"{test}_holm"]) == (0.0, 1.0, 1.0)
    assert (found["low"], found["high"], found["only_a"], found["only_b"]) == (0.0, 0.0, 0, 0)


def test_equal_figures_of_other_scores_are_not_identical():
    squeezed = GOOD.assign(score=GOOD["score"] / 2)
    (found,) = compare("g", {("a", "x"): competitor(GOOD), ("b", "y"): competitor(squeezed)}, PATIENTS).to_dict(
        "records"
    )
    assert not found["identical"]
    assert (found["t_p"], found["delong_p"]) == (1.0, 1.0)


def test_holm_is_over_the_pairs_of_the_family():
    for test in ("t", "delong", "mcnemar"):
        assert TABLE[f"{test}_holm"].tolist() == pytest.approx(holm(TABLE[f"{test}_p"]).tolist())


def test_wins_ties_and_losses():
    outcomes = {entry.model: entry.by_test() for entry in count_outcomes(TABLE, list(MODELS), 0.05)}
    assert outcomes["good"]["delong"] == Outcome(wins=2, ties=0, losses=0)
    assert outcomes["fair"]["delong"] == Outcome(wins=1, ties=0, losses=1)
    assert outcomes["poor"]["delong"] == Outcome(wins=0, ties=0, losses=2)
    for test in ("t", "delong", "mcnemar"):
        total = [sum(getattr(entry[test], kind) for entry in outcomes.values()) for kind in ("wins", "ties", "losses")]
        assert total[0] == total[2]
        assert sum(total) == 2 * len(TABLE)
    never = count_outcomes(TABLE, list(MODELS), 0.0)
    assert all(entry.t == entry.delong == Outcome(wins=0, ties=2, losses=0) for entry in never)


def test_models_without_an_operating_point_have_no_mcnemar():
    models = {**MODELS, ("dnn_search", "h"): Competitor(FAIR.assign(score=-FAIR["score"]), 0.3)}
    table = compare("g", models, PATIENTS)
    found = row(table, "good", "h")
    assert np.isnan(found["mcnemar_p"])
    assert found["delong_difference"] > 0.3
    (entry,) = (entry for entry in count_outcomes(table, list(models), 0.05) if entry.model == "h")
    assert entry.mcnemar == Outcome(wins=0, ties=0, losses=0)
    # tests that could not be made leave the others' correction alone
    assert row(table, "good", "fair")["mcnemar_holm"] == row(TABLE, "good", "fair")["mcnemar_holm"]


def test_one_model_or_none_makes_no_pair():
    assert compare("g", {}, PATIENTS).empty
    assert list(compare("g", {("a", "x"): competitor(GOOD)}, PATIENTS)) == COLUMNS
    assert count_outcomes(compare("g", {}, PATIENTS), [], 0.05) == []
