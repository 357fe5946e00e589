"""All cases of a repeat at once, averaged over the repeats, of cases and of patients: by hand."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from made_study import INPUTS, PARAMS, RESULT
from sklearn.metrics import roc_auc_score

from busline.base.params import load_params
from busline.base.seeding import numpy_generator
from busline.evaluation.evaluate import evaluate
from busline.evaluation.patients import PatientBootstrap
from busline.evaluation.pooling import one_a_patient, pool, score_patients
from busline.evaluation.summaries import Summariser, score_pooled
from busline.metrics.resampling import draw_patients
from made_inputs import PARAMS_FILE

SETTINGS = load_params(PARAMS_FILE).evaluate.model_copy(update={"bootstrap": 200})
TRUTH = np.array([False, False, True, True])
FIRST, SECOND = [0.6, 0.1, 0.5, 0.9], [0.1, 0.6, 0.5, 0.9]
"""In either repeat c lies below one benign case, another in each; d is above both."""
WHOSE = {"a": "p", "b": "q", "c": "p", "d": "r"}


def made(*repeats, ids="abcd", truth=TRUTH):
    cases = pd.DataFrame({"case_id": list(ids), "scheme": "cv", "fold": 0, "truth": truth})
    return pd.concat([cases.assign(repeat=repeat, score=score) for repeat, score in enumerate(repeats)])


def bootstrap(ids="abcd", patients=None, **options):
    return PatientBootstrap(list(ids), patients or {}, 0, SETTINGS, **options)


def drawn_areas(counts, truth, repeats):
    """The mean ROC AUC over the repeats in every bootstrap sample that has both classes."""
    areas = []
    for count in counts:
        drawn = np.repeat(np.arange(len(truth)), count)
        if 0 < truth[drawn].sum() < drawn.size:
            areas.append(np.mean([roc_auc_score(truth[drawn], np.array(score)[drawn]) for score in repeats]))
    return areas


def test_scores_are_taken_in_each_repeat_and_then_averaged():
    """Averaged first, the scores would be 0.35, 0.35, 0.5 and 0.9, which part the classes."""
    assert score_pooled(made(FIRST, SECOND)) == pytest.approx(
        {"roc_auc": 3 / 4, "average_precision": (1 + 2 / 3) / 2, "curve_sensitivity": 1 / 2}
    )
    perfect = [0.1, 0.2, 0.8, 0.9]
    assert score_pooled(made(FIRST, perfect)) == pytest.approx(
        {"roc_auc": (3 / 4 + 1) / 2, "average_precision": (5 / 6 + 1) / 2, "curve_sensitivity": 3 / 4}
    )


def test_the_interval_is_of_each_samples_mean_over_the_repeats():
    generator = np.random.default_rng(3)
    truth = np.arange(30) % 3 == 0
    ids = [f"c{number:02d}" for number in range(30)]
    repeats = [0.6 * generator.random(30) + 0.3 * truth for _ in range(3)]
    patients = bootstrap(ids)
    found = pool(made(*repeats, ids=ids, truth=truth).sample(frac=1, random_state=1), patients, Summariser(0, SETTINGS))
    expected = np.quantile(drawn_areas(patients.counts, truth, repeats), [0.025, 0.975])
    assert (found.roc_auc_low, found.roc_auc_high) == pytest.approx(tuple(expected))
    assert found.cases == 30


def test_a_study_of_one_class_has_no_pooled_area():
    found = score_pooled(made(FIRST, SECOND, truth=np.zeros(4, dtype=bool)))
    assert np.isnan(found["roc_auc"])


@pytest.mark.parametrize(("rule", "scores"), [("highest", [0.6, 0.1, 0.9]), ("mean", [0.55, 0.1, 0.9])])
def test_a_patient_has_one_score_and_is_positive_if_any_case_is(rule, scores):
    """Patient p has a, which is benign, and c, which is malignant."""
    rows = one_a_patient(made(FIRST), bootstrap(patients=WHOSE).patients, rule)
    assert rows["score"].tolist() == pytest.approx(scores)
    assert rows["truth"].tolist() == [True, False, True]


@pytest.mark.parametrize(("rule", "area"), [("highest", (1 + 1 / 2) / 2), ("mean", (1 + 1 / 2) / 2)])
def test_the_area_of_patients_is_the_mean_over_the_repeats(rule, area):
    """In the second repeat p (0.5 at the highest) lies below q (0.6), which is benign."""
    found = score_patients(made(FIRST, SECOND), bootstrap(patients=WHOSE), rule)
    assert (found.roc_auc, found.patients, found.rule) == (pytest.approx(area), 3, rule)


def test_the_rule_decides_and_the_interval_draws_patients():
    generator = np.random.default_rng(5)
    ids = [f"c{number:02d}" for number in range(40)]
    whose = {case: f"p{place // 2:02d}" for place, case in enumerate(ids)}
    truth = np.arange(40) % 4 == 0
    repeats = [0.6 * generator.random(40) + 0.3 * truth for _ in range(2)]
    patients = bootstrap(ids, whose)
    cases = made(*repeats, ids=ids, truth=truth)
    highest = [score.reshape(20, 2).max(axis=1) for score in repeats]
    mean = [score.reshape(20, 2).mean(axis=1) for score in repeats]
    positive = truth.reshape(20, 2).any(axis=1)
    for rule, scores in (("highest", highest), ("mean", mean)):
        found = pool(cases, patients, Summariser(0, SETTINGS.model_copy(update={"patient_score": rule}))).by_patient
        assert found.roc_auc == pytest.approx(np.mean([roc_auc_score(positive, score) for score in scores]))
        areas = drawn_areas(patients.counts[:, ::2], positive, scores)
        assert (found.roc_auc_low, found.roc_auc_high) == pytest.approx(tuple(np.quantile(areas, [0.025, 0.975])))


def test_patients_have_no_score_of_their_own_where_each_has_one_case():
    one_each = pool(made(FIRST), bootstrap(patients=dict(zip("abcd", "pqrs", strict=True))), Summariser(0, SETTINGS))
    assert one_each.by_patient is None
    assert all(model.pooled.by_patient is None for model in RESULT.tables.classifiers["cnn"].values())


def test_near_duplicates_are_drawn_with_each_other_and_with_all_of_their_patients():
    """b and c are near-duplicates; c's patient has a too; d stands alone, as its pair is no case of the study."""
    found = bootstrap(patients={"a": "p", "c": "p"}, duplicates=[("b", "c"), ("d", "elsewhere")])
    assert (found.counts[:, 0] == found.counts[:, 1]).all()
    assert (found.counts[:, 0] == found.counts[:, 2]).all()
    assert (found.counts[:, 0] + found.counts[:, 3] == 2).all()
    assert found.patients.nunique() == 3  # they remain patients of their own


def test_without_near_duplicates_patients_are_drawn_as_they_are_named():
    found = bootstrap(patients=dict(zip("abcd", "srqp", strict=True)), duplicates=[("a", "elsewhere")])
    drawn = draw_patients(list("srqp"), numpy_generator(0, "bootstrap", "patients"), SETTINGS.bootstrap)
    assert (found.counts == drawn).all()


def test_evaluation_draws_groups_and_scores_patients():
    ids = sorted(INPUTS.splits["case_id"].unique())
    pairs = list(zip(ids[::2], ids[1::2], strict=True))
    before = RESULT.tables.classifiers["cnn"]["custom_cnn"].pooled
    linked = evaluate(replace(INPUTS, duplicates=pairs), PARAMS).tables.classifiers["cnn"]["custom_cnn"].pooled
    assert (linked.roc_auc, linked.by_patient) == (before.roc_auc, None)
    assert linked.roc_auc_low != before.roc_auc_low
    whose = {case: one for one, other in pairs for case in (one, other)}
    shared = evaluate(replace(INPUTS, patients=whose), PARAMS).tables.classifiers["cnn"]["custom_cnn"].pooled
    assert (shared.by_patient.patients, shared.by_patient.rule) == (30, PARAMS.evaluate.patient_score)
