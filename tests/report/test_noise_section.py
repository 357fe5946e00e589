"""The report's section on the noise of training: there when something was measured, and honest about its age."""

from dataclasses import replace

import pytest

from busline.base.artifacts import plain
from busline.evaluation.metrics_file import compact
from busline.evaluation.seed_noise import NOT_MEASURED, measure_noise
from busline.report.render import render_html, render_markdown
from busline.report.summarise import summarise

SEED = 2026


@pytest.fixture
def measured(inputs):
    """Two seeds: the metrics of the inputs, and others of one image model."""
    one, other = plain(compact(inputs.scores)), plain(compact(inputs.scores))
    for part, number in (("roc_auc", "mean"), ("pooled", "roc_auc")):
        other["cnn"]["custom_cnn"][part][number] -= 0.03
    return replace(inputs, noise=measure_noise({SEED: one, SEED + 1: other}))


def noise_of(summary):
    return next((part for part in summary["sections"] if part["id"] == "noise"), None)


def words(summary):
    return " ".join(noise_of(summary)["text"])


def test_without_a_measurement_there_is_no_section(inputs):
    assert inputs.noise == NOT_MEASURED
    assert noise_of(summarise(inputs)) is None


def test_a_row_has_the_standard_deviation_of_the_difference_its_interval_and_the_limit(measured):
    summary = summarise(measured)
    (table,) = noise_of(summary)["tables"]
    row, pooled = (row for row in table["rows"] if row["family"] == "Image" and row["model"] == "Custom CNN")
    assert (row["metric"], pooled["metric"]) == ("ROC AUC", "Pooled ROC AUC")
    mean = measured.scores.classifiers["cnn"]["custom_cnn"].metrics["roc_auc"].mean
    assert row["mean"] == pytest.approx(mean - 0.015)
    assert row["sd"] == pytest.approx(0.03)
    assert row["interval"][0] < row["sd"] < row["interval"][1]
    assert row["limit"] == pytest.approx(12.706 * 0.03, rel=1e-4)
    line = next(line for line in render_markdown(summary).splitlines() if "| Image | Custom CNN | ROC AUC |" in line)
    assert "| 0.030 | (0.013, 0.957) | 0.381 |" in line
    assert "Noise of training" in render_html(summary, [], dict.fromkeys(pictures(summary), b""))


def pictures(summary):
    return [
        picture["file"]
        for part in summary["sections"]
        for gallery in part["galleries"]
        for picture in gallery["pictures"]
    ]


def test_what_no_seed_moves_is_named_and_what_one_moves_is_not(measured):
    text = next(part for part in noise_of(summarise(measured))["text"] if part.startswith("0 where"))
    assert "Table: Logistic regression" in text
    assert "Image: Custom CNN" not in text


def test_a_table_of_this_run_is_not_called_out_of_date(measured):
    assert not any(part in words(summarise(measured)) for part in ("Out of date", "Not measured", "another seed.train"))


def test_a_figure_that_changed_since_is_named(measured, inputs):
    other = plain(compact(inputs.scores))
    other["tabular"]["logreg"]["roc_auc"]["mean"] += 0.01
    stale = replace(measured, noise=measure_noise({SEED: other, SEED + 1: other}))
    assert "Out of date, as this run has other figures with the same seed: Table: Logistic regression." in words(
        summarise(stale)
    )


def test_a_model_that_was_not_measured_is_named_and_one_that_is_gone_has_no_row(measured, inputs):
    other = plain(compact(inputs.scores))
    other["cnn"]["gone"] = other["cnn"].pop("tiny_net")
    summary = summarise(replace(measured, noise=measure_noise({SEED: other, SEED + 1: other})))
    assert "Not measured: Image: tiny_net." in words(summary)
    assert "gone" not in {row["model"] for row in noise_of(summary)["tables"][0]["rows"]}


def test_another_seed_of_this_run_is_said(measured):
    seeds = measured.params.seed.model_copy(update={"train": 5})
    summary = summarise(replace(measured, params=measured.params.model_copy(update={"seed": seeds})))
    assert "This run has another seed.train, 5" in words(summary)
