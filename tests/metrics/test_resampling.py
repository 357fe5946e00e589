"""The bootstrap of patients against loops over drawn cases."""

import math

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score

from busline.metrics.resampling import draw_patients, percentiles, weighted_aucs, weighted_means


def test_cases_of_a_patient_are_drawn_together_and_as_many_patients_as_there_are():
    patients = ["b", "a", "b", "c", "a", "b"]
    counts = draw_patients(patients, np.random.default_rng(0), 500)
    assert counts.shape == (500, 6)
    assert (counts[:, [0, 0]] == counts[:, [2, 5]]).all()
    assert (counts[:, 1] == counts[:, 4]).all()
    assert (counts[:, [0, 1, 3]].sum(axis=1) == 3).all()
    assert counts[:, [0, 1, 3]].mean(axis=0) == pytest.approx([1.0] * 3, abs=0.15)


def test_the_draws_depend_on_the_generator_alone():
    first, again, other = (draw_patients(list("abcd"), np.random.default_rng(seed), 9) for seed in (1, 1, 2))
    assert (first == again).all()
    assert (first != other).any()


def test_weighted_scores_are_those_of_the_drawn_cases():
    generator = np.random.default_rng(2)
    truth, score = generator.random(30) < 0.4, generator.random(30).round(1)
    counts = draw_patients([str(n) for n in range(30)], generator, 40)
    means, aucs = weighted_means(score, counts), weighted_aucs(truth, score, counts)
    for row, mean, auc in zip(counts, means, aucs, strict=True):
        drawn = np.repeat(np.arange(30), row)
        assert mean == pytest.approx(score[drawn].mean())
        assert auc == pytest.approx(roc_auc_score(truth[drawn], score[drawn]))


def test_a_sample_with_one_class_or_none_is_undefined():
    counts = np.array([[1, 1], [2, 0], [0, 2], [0, 0]])
    aucs = weighted_aucs([True, False], [0.9, 0.1], counts)
    assert aucs[0] == 1.0
    assert np.isnan(aucs[1:]).all()
    means = weighted_means([1.0, 0.0], counts)
    assert means[:3].tolist() == [0.5, 1.0, 0.0]
    assert math.isnan(means[3])
    assert percentiles(aucs, 0.95) == (1.0, 1.0)
    assert all(math.isnan(end) for end in percentiles(aucs[1:], 0.95))


def test_with_one_case_a_patient_it_is_the_plain_bootstrap():
    values = np.random.default_rng(3).random(60)
    counts = draw_patients([str(n) for n in range(60)], np.random.default_rng(4), 20_000)
    found = percentiles(weighted_means(values, counts), 0.9)
    theirs = stats.bootstrap(
        (values,), np.mean, n_resamples=20_000, confidence_level=0.9, method="percentile", rng=np.random.default_rng(5)
    ).confidence_interval
    assert found == pytest.approx((theirs.low, theirs.high), abs=2e-3)


def test_cases_of_a_patient_widen_the_interval():
    values = np.repeat(np.random.default_rng(6).random(15), 4)
    together, apart = (
        percentiles(weighted_means(values, draw_patients(patients, np.random.default_rng(7), 4000)), 0.95)
        for patients in ([str(n // 4) for n in range(60)], [str(n) for n in range(60)])
    )
    assert together[1] - together[0] == pytest.approx(2 * (apart[1] - apart[0]), rel=0.1)
