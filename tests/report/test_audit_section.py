"""What the report says of the audit: the dict, and the Markdown made of it."""

from dataclasses import replace

import pytest

from busline.audit.results import Leakage
from busline.base.params import load_params
from busline.report.audit_protocol import protocol_rows, whole_weights
from busline.report.audit_section import audit_section
from busline.report.paper import load_published
from busline.report.render import render_markdown
from busline.report.summarise import summarise
from made_inputs import PARAMS_FILE

INTERVAL = {"mean": 0.71, "low": 0.6, "high": 0.8}
COLUMNS = {
    "alone": [{"name": "Age", "provenance": "patient", "kept": True, "value": INTERVAL, "missing": INTERVAL}],
    "classes": [
        {"provenance": None, "columns": ["Age"], "auc": INTERVAL, "gain": None},
        {
            "provenance": "radiologist",
            "columns": ["BIRADS"],
            "auc": {**INTERVAL, "mean": 0.93},
            "gain": {"mean": 0.22, "low": 0.1, "high": None},
        },
    ],
}
SPLITS = {
    "resamples": 4,
    "patients": 47,
    "cases": 48,
    "duplicate_pairs": 2,
    "pairs_on_two_sides": {"patients": 0, "duplicates": 0},
    "planted": [{"change": "mirrored", "planted": 24, "found": 23, "false": 0}],
}
PERMUTATION = {
    "name": "logreg",
    "metric": "balanced_accuracy",
    "permutations": 49,
    "mean": 0.502,
    "sd": 0.05,
    "p_mean": 0.4,
    "observed": 0.72,
    "p_observed": 0.02,
}
SETTINGS = {
    **load_params(PARAMS_FILE).audit.model_dump(),
    "max_auc_alone": 0.98,
    "tabular_permutations": 49,
    "image_permutations": 3,
}


def draws(mean, low, high):
    return {"mean": mean, "low": low, "median": mean, "high": high, "max": min(high + 0.02, 1.0), "draws": 50}


def protocol_row(family, model, honest, leaked):
    return {"family": family, "model": model, "honest": draws(*honest), "leaked": draws(*leaked), "known": 0.8}


def made_leakage(**settings):
    rows = [
        protocol_row("tabular", "random_forest", (0.74, 0.6, 0.9), (0.91, 0.82, 0.99)),
        protocol_row("tabular", "xgboost", (0.74, 0.6, 0.9), (0.89, 0.8, 0.98)),
        protocol_row("vote", "random_forest+custom_cnn", (0.76, 0.63, 0.89), (0.92, 0.82, 0.99)),
        protocol_row("vote", "xgboost+custom_cnn", (0.78, 0.66, 0.9), (0.9, 0.8, 0.98)),
        protocol_row("vote", "logreg+custom_cnn", (0.8, 0.7, 0.93), (0.85, 0.73, 0.97)),
    ]
    content = {
        "columns": COLUMNS,
        "splits": SPLITS,
        "protocol": {"master_splits": 50, "test_cases": [25, 25], "rows": rows},
        "permutation": [PERMUTATION],
        "settings": SETTINGS | settings,
    }
    return Leakage.model_validate(content)


@pytest.fixture(scope="module")
def published():
    return load_published("chowdhary2026")


def test_the_papers_voting_rows_are_sorted_by_what_would_explain_them(published):
    rows = {row["model"]: row for row in protocol_rows(made_leakage().protocol, published)}
    assert rows["Random forest + Custom CNN"]["within"] == "leaked only"
    assert rows["XGBoost + Custom CNN"]["within"] == "honest only"
    assert rows["Logistic regression + Custom CNN"]["within"] == "both"
    assert rows["Random forest"]["within"] == ""
    assert rows["Random forest"]["paper"] == {"mean": 0.74}


def test_a_pair_that_was_not_run_shows_its_tabular_member_and_says_so(published):
    rows = {row["model"]: row for row in protocol_rows(made_leakage().protocol, published)}
    row = rows["Random forest + MobileNetV2 (ImageNet)"]
    assert (row["paper"], row["leaked"], row["from"]) == ({"mean": 0.97}, 0.91, "tabular member alone")
    assert row["within"] == "leaked only"
    assert "LightGBM + Custom CNN" not in rows


def test_the_sentences_name_and_count_both_sides_and_weights_of_one_too(published):
    text = " ".join(audit_section(made_leakage(), published, comparable=True)["text"])
    assert (
        "leaked scoring, and not honest scoring, would give figures like those of 2: Random forest + Custom CNN "
        "(0.95); Random forest + MobileNetV2 (ImageNet) (0.97)." in text
    )
    assert "XGBoost + Custom CNN (0.72)" in text.partition("Honest scoring, and not")[2].partition("Either would")[0]
    assert "not a verdict on what was done" in text
    assert len(whole_weights(published)) == 5
    honest = text.partition("Honest scoring, and not")[2].partition("Either would")[0]
    assert "Random forest + MobileNetV2 (random) (0.74)" in honest
    rows = protocol_rows(made_leakage().protocol, published)
    assert f"alone (2) than by honest scoring alone ({sum(row['within'] == 'honest only' for row in rows)})" in text


def test_figures_about_other_data_are_not_judged(published):
    text = " ".join(audit_section(made_leakage(), published, comparable=False)["text"])
    assert "are about other data" in text
    assert "would give figures" not in text


def test_a_short_run_says_that_it_was_short():
    text = " ".join(audit_section(made_leakage(), None, comparable=False)["text"])
    assert "49 of tabular models, where 199 are meant; 3 of image models, where 19 are meant" in text
    full = made_leakage(tabular_permutations=199, image_permutations=19)
    assert "few permutations" not in " ".join(audit_section(full, None, comparable=False)["text"])


def test_the_section_stands_in_the_markdown_without_the_paper_too(inputs):
    assert "Leakage audit" not in render_markdown(summarise(inputs))
    for paper in (inputs.published, None):
        shown = render_markdown(summarise(replace(inputs, leakage=made_leakage(), published=paper)))
        assert "## Leakage audit" in shown
        assert "| mirrored | 24 | 23 | 0 |" in shown
        assert "| kept and radiologist | 0.930 | 0.22 | n/a | BIRADS |" in shown
        assert "| Logistic regression | Balanced accuracy | 49 | 0.502 | 0.050 | 0.400 | 0.720 | 0.020 |" in shown
