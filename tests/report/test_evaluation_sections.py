"""Operating points, calibration and the comparison of models in the report."""

import re
from dataclasses import replace

import pytest
from made_report import edited, with_scores

from busline.evaluation.outcomes import Comparison
from busline.evaluation.results import Tables
from busline.report.model_comparison import comparison_section, show_p
from busline.report.render import render_html, render_markdown, show_cell
from busline.report.summarise import summarise


def section_of(inputs, identity):
    (found,) = (section for section in summarise(inputs)["sections"] if section["id"] == identity)
    return found


def table_of(inputs, section, identity):
    (found,) = (table for table in section_of(inputs, section)["tables"] if table["id"] == identity)
    return found


def cells_of(table, model):
    (row,) = (row for row in table["rows"] if row["model"] == model)
    return {column["key"]: show_cell(row, column) for column in table["columns"]}


def test_an_operating_point_shows_folds_and_pooled_rates_with_their_intervals(inputs):
    found = inputs.scores.classifiers["tabular"]["logreg"].operating["sensitivity_95"]
    cells = cells_of(table_of(inputs, "operating", "operating_sensitivity_95"), "Table: Logistic regression")
    for rate in ("sensitivity", "specificity"):
        shown = getattr(found, rate)
        assert cells[rate] == f"{shown.mean:.2f} ({shown.low:.2f}, {shown.high:.2f})"
        assert cells[f"{rate}_pooled"].startswith(f"{shown.pooled:.2f} (")
    assert (cells["threshold"], cells["folds"]) == (f"{found.threshold.median:.3f}", "3")


def test_every_model_that_kept_cases_out_has_every_point_and_the_few_cases_are_said(inputs):
    section = section_of(inputs, "operating")
    assert [table["id"] for table in section["tables"]] == [
        "operating_youden",
        "operating_sensitivity_95",
        "operating_specificity_90",
    ]
    assert {len(table["rows"]) for table in section["tables"]} == {2 + 2 + 2 + 4 + 4}
    assert "16 tuning cases, 6 to 7 of them malignant" in " ".join(section["text"])
    assert "32 inner out-of-fold predictions, 13 to 14 of them malignant" in " ".join(section["text"])
    assert "Not available for the searches" in " ".join(section["text"])


def test_a_rate_without_a_threshold_is_undefined_and_counted(inputs):
    undefined = {"mean": None, "low": None, "high": None, "folds": 1, "undefined": 2}
    inputs = edited(inputs, "cnn", "tiny_net", "operating", "youden", "sensitivity", **undefined)
    cells = cells_of(table_of(inputs, "operating", "operating_youden"), "Image: tiny_net")
    assert (cells["sensitivity"], cells["folds"]) == ("n/a", "1 of 3")


def test_without_cases_kept_out_it_is_said_that_nothing_is_available(inputs):
    scores = inputs.scores.model_dump()
    for family in ("tabular", "cnn", "merged", "vote", "lesion"):
        for content in scores[family].values():
            content |= {"operating": None, "calibration": None}
    scores["protocol"] |= {"tune": None, "inner": None}
    operating, calibration = (section_of(with_scores(inputs, scores), name) for name in ("operating", "calibration"))
    assert operating["tables"] == []
    assert "Not available" in operating["text"][0]
    assert [table["id"] for table in calibration["tables"]] == ["calibration"]
    assert "not available" in calibration["text"][-1]


def test_pooled_scores_say_what_their_interval_answers(inputs):
    found = inputs.scores.classifiers["tabular"]["logreg"].pooled
    pooled = table_of(inputs, "curves", "pooled")
    (row,) = (row for row in pooled["rows"] if (row["family"], row["model"]) == ("Table", "Logistic regression"))
    assert row["area"] == [found.roc_auc, found.roc_auc_low, found.roc_auc_high]
    heads = {column["key"]: column["head"] for column in pooled["columns"]}
    assert heads["area"] == "ROC AUC (95 %: other patients, the same models)"
    assert "by_patient" not in heads
    assert "patients some have" not in pooled["caption"]
    assert "other patients, the same models" in " ".join(section_of(inputs, "operating")["text"])
    assert "compare ensembles" in " ".join(section_of(inputs, "comparison")["text"])


def test_patients_with_several_cases_have_a_column_of_their_own(inputs):
    score = {"rule": "highest", "patients": 40, "roc_auc": 0.81, "roc_auc_low": 0.7, "roc_auc_high": 0.9}
    inputs = edited(inputs, "merged", "custom_cnn", "pooled", by_patient=score)
    pooled = table_of(inputs, "curves", "pooled")
    shown = [cells_of({**pooled, "rows": [row]}, row["model"])["by_patient"] for row in pooled["rows"]]
    assert sorted(shown)[0] == "0.810 (0.700, 0.900)"
    assert set(shown) == {"0.810 (0.700, 0.900)", "n/a"}
    assert "Of the 40 patients some have several cases: a patient has the highest score" in pooled["caption"]


def test_calibration_stands_beside_that_of_a_perfect_model(inputs):
    pooled = inputs.scores.pairs["vote"]["logreg+tiny_net"].pooled
    cells = cells_of(table_of(inputs, "calibration", "calibration"), "Logistic regression + tiny_net")
    for key in ("ece", "ece_perfect", "ece_chance", "slope", "intercept", "brier"):
        assert cells[key] == f"{getattr(pooled, key):.3f}"
    share = inputs.scores.protocol.positives / inputs.scores.protocol.cases
    text = " ".join(section_of(inputs, "calibration")["text"])
    assert f"{share:.3f}, is perfectly calibrated and useless: its Brier score is {share * (1 - share):.3f}" in text


def test_calibration_before_and_after(inputs):
    inputs = edited(inputs, "merged", "custom_cnn", "calibration", "before", brier=0.25, slope=None)
    inputs = edited(inputs, "merged", "custom_cnn", "calibration", "after", brier=0.20)
    found = inputs.scores.classifiers["merged"]["custom_cnn"].calibration
    cells = cells_of(table_of(inputs, "calibration", "recalibrated"), "Merged: Custom CNN")
    assert (cells["ece_before"], cells["ece_after"]) == (
        f"{found.before.ece:.3f}",
        f"{found.after.ece:.3f}",
    )
    assert (cells["slope_before"], cells["brier_before"], cells["brier_after"]) == ("n/a", "0.250", "0.200")
    assert cells["better"] == "yes"


def made_pair(a, b, **values):
    row = {"group": "models", "family_a": a[0], "model_a": a[1], "family_b": b[0], "model_b": b[1], "identical": False}
    row |= {"repeats": 1, "t_difference": 0.0, "t_holm": 1.0, "delong_difference": 0.0, "delong_holm": 1.0}
    return Comparison(**{**dict.fromkeys(Comparison.model_fields), **row, **values})


def made_section(inputs, *pairs):
    """Three models: logreg and random_forest of the table, custom_cnn of images."""
    models = [("tabular", "logreg"), ("tabular", "random_forest"), ("cnn", "custom_cnn")]
    counts = {test: {"wins": 1, "ties": 0, "losses": 1} for test in ("t", "delong")}
    counts["mcnemar"] = {"wins": 0, "ties": 0, "losses": 0}
    entries = [{"family": family, "model": model, **counts} for family, model in models]
    content = {**inputs.scores.model_dump(), "comparisons": {"models": entries}}
    outcomes, matrix = comparison_section(Tables.model_validate(content), pairs)["tables"]
    return outcomes, [[show_cell(row, column) for column in matrix["columns"]] for row in matrix["rows"]]


def test_the_matrix_has_delong_above_and_the_corrected_t_below_from_the_rows_point_of_view(inputs):
    one, two, three = ("tabular", "logreg"), ("tabular", "random_forest"), ("cnn", "custom_cnn")
    outcomes, matrix = made_section(
        inputs,
        made_pair(one, two, delong_difference=0.123, delong_holm=0.01, t_difference=0.08, t_holm=0.0001),
        made_pair(three, one, delong_difference=0.2, delong_holm=0.04, t_difference=-0.05, t_holm=0.3),
        made_pair(two, three, identical=True),
    )
    assert matrix == [
        ["1 Table: Logistic regression", "–", "▲ +12 (0.010)", "▼ −20 (0.040)"],
        ["2 Table: Random forest", "▼ −8 (<0.001)", "–", "identical"],
        ["3 Image: Custom CNN", "−5 (0.30)", "identical", "–"],
    ]
    assert [column["key"] for column in outcomes["columns"]] == ["family", "model", "auc", "t", "delong"]
    assert [row["t"] for row in outcomes["rows"]] == ["1–0–1"] * 3
    assert outcomes["caption"].startswith("3 pairs;")


def test_a_test_that_could_not_be_made_is_undefined_in_the_matrix(inputs):
    names = [("tabular", "logreg"), ("tabular", "random_forest"), ("cnn", "custom_cnn")]
    pairs = [(names[0], names[1]), (names[0], names[2]), (names[1], names[2])]
    _, matrix = made_section(inputs, *(made_pair(*pair, t_holm=None, t_difference=None) for pair in pairs))
    assert matrix[1][1:] == ["n/a", "–", "0 (1)"]


@pytest.mark.parametrize(
    ("p_value", "shown"),
    [(0.0, "<0.001"), (0.00099, "<0.001"), (0.0014, "0.001"), (0.0499, "0.050"), (0.3, "0.30"), (0.999, "1"), (1, "1")],
)
def test_p_values(p_value, shown):
    assert show_p(p_value) == shown


def test_wins_and_losses_are_the_evaluations(inputs):
    outcomes = table_of(inputs, "comparison", "outcomes_models")
    counted = {(entry.family, entry.model): entry for entry in inputs.scores.comparisons["models"]}
    entry = counted["merged", "custom_cnn"].delong
    (row,) = (row for row in outcomes["rows"] if (row["family"], row["model"]) == ("Merged", "Custom CNN"))
    assert row["delong"] == f"{entry.wins}–{entry.ties}–{entry.losses}"
    assert len(outcomes["rows"]) == len(counted) == 14
    search = table_of(inputs, "comparison", "outcomes_dnn_search")
    assert [row["model"] for row in search["rows"]] == ["16 units, dropout 0.2", "8 units, dropout 0.1"]


def test_a_search_of_one_has_nothing_to_compare(inputs):
    one = inputs.scores.comparisons["augmentation"][:1]
    inputs = edited(inputs, "comparisons", augmentation=[entry.model_dump() for entry in one])
    ids = {table["id"] for table in section_of(inputs, "comparison")["tables"]}
    groups = ("models", "dnn_search", "lesion_parts")
    assert ids == {f"{kind}_{group}" for kind in ("outcomes", "matrix") for group in groups}
    without = with_scores(inputs, {**inputs.scores.model_dump(), "comparisons": {}})
    nothing = section_of(replace(without, comparisons=[]), "comparison")
    assert nothing["tables"] == []


def test_both_forms_show_the_sections_and_no_nan(inputs):
    summary = summarise(inputs)
    page = render_html(summary, [], {"segmentation_best.png": b"", "saliency_01.png": b""})
    text = render_markdown(summary)
    for shown in (page, text):
        for title in ("Operating points", "Calibration", "Comparison of models", "At 95 % sensitivity"):
            assert title in shown
        assert not re.search(r"\bnan\b|\bNone\b", shown)


@pytest.mark.parametrize(
    ("weights", "phantoms", "words"),
    [
        ("none", 0, "from random weights."),
        ("none", 320, "from weights learnt on phantoms."),
        ("imagenet", 0, "from the weights “imagenet” of tf_efficientnet_lite0."),
        ("imagenet", 320, "from weights learnt on phantoms, and before that the weights “imagenet” of tf_"),
    ],
)
def test_the_lesion_network_says_what_it_learnt_from(inputs, weights, phantoms, words):
    lesion = inputs.params.lesion
    pretrain = lesion.pretrain.model_copy(update={"phantoms": phantoms})
    changed = {"weights": weights, "encoder": "tf_efficientnet_lite0", "pretrain": pretrain}
    params = inputs.params.model_copy(update={"lesion": lesion.model_copy(update=changed)})
    assert words in section_of(replace(inputs, params=params), "lesion")["text"][0]
