"""Headline figures out of the metrics file, and their noise over some runs."""

import json
from copy import deepcopy

import pytest
from made_study import RESULT

from busline.base.artifacts import plain
from busline.evaluation.seed_noise import Noise, headline_figures, measure_noise

METRICS = plain(RESULT.metrics)


def changed(family, model, part, number, value):
    metrics = deepcopy(METRICS)
    metrics[family][model][part][number] = value
    return metrics


def test_headline_figures_are_the_means_over_folds_the_pooled_roc_auc_and_dice():
    found = headline_figures(METRICS)
    cnn = METRICS["cnn"]["custom_cnn"]
    assert found["cnn", "custom_cnn", "roc_auc"] == cnn["roc_auc"]["mean"]
    assert found["cnn", "custom_cnn", "pooled_roc_auc"] == cnn["pooled"]["roc_auc"]
    assert found["segment", "unet", "dice"] == METRICS["segment"]["unet"]["dice"]["mean"]
    metrics_of = {name[:2]: sorted(metric for *other, metric in found if (*other,) == name[:2]) for name in found}
    assert metrics_of["vote", "logreg+custom_cnn"] == ["roc_auc"]
    assert metrics_of["augmentation", "mild"] == ["roc_auc"]
    assert {family for family, *_ in found} == set(METRICS) - {"merged"}


def test_noise_is_measured_metric_by_metric():
    start = METRICS["cnn"]["custom_cnn"]["roc_auc"]["mean"]
    noise = measure_noise(
        {7: METRICS, 8: changed("cnn", "custom_cnn", "roc_auc", "mean", start + 0.03)}, settings=["a=1"]
    )
    assert (noise.seeds, noise.settings) == ([7, 8], ["a=1"])
    assert noise.families["cnn"]["custom_cnn"]["roc_auc"].sd == pytest.approx(0.03)
    assert noise.families["cnn"]["custom_cnn"]["pooled_roc_auc"].sd == 0.0
    assert noise.families["tabular"]["logreg"]["roc_auc"].sd == 0.0


def test_a_figure_that_is_undefined_under_one_seed_has_no_noise():
    noise = measure_noise({7: METRICS, 8: changed("cnn", "custom_cnn", "roc_auc", "mean", None)})
    found = noise.families["cnn"]["custom_cnn"]["roc_auc"]
    assert found.values[1] is None
    assert (found.sd, found.low, found.high, found.limit) == (None, None, None, None)
    assert Noise.model_validate_json(json.dumps(plain(noise.model_dump()))) == noise


def test_a_model_that_one_run_lacks_is_left_out():
    fewer = deepcopy(METRICS)
    del fewer["cnn"]["custom_cnn"]
    noise = measure_noise({7: METRICS, 8: fewer})
    assert "custom_cnn" not in noise.families["cnn"]
    assert "mobilenet_v2_random" in noise.families["cnn"]
