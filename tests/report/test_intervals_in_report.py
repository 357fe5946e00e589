"""The one interval that the report explains, and the appendix on the paper's own."""

from dataclasses import replace

import pytest
from made_report import edited, with_scores

from busline.report import intervals
from busline.report.render import render_markdown, show_cell
from busline.report.summarise import summarise
from imports import REPOSITORY


def section_of(inputs, identity):
    return next((part for part in summarise(inputs)["sections"] if part["id"] == identity), None)


def explained(inputs):
    return section_of(inputs, "overview")["text"][1]


def test_the_interval_is_explained_with_its_source_and_how_little_it_rests_on(inputs):
    text = explained(inputs)
    assert text.startswith("The 95 % interval beside it is the corrected t of Nadeau and Bengio (doi:10.1023/")
    assert "in simulations it held the truth 0.94 to 1.00 of the time where it says 0.95 (docs/statistics.md)" in text
    assert "3 folds leave 2 degrees of freedom." in text
    assert "5 folds leave 4 degrees of freedom." in explained(edited(inputs, "protocol", folds=5))
    assert "2 folds leave 1 degree of freedom." in explained(edited(inputs, "protocol", folds=2))
    more = explained(edited(inputs, "protocol", folds=5, repeats=10))
    assert "50 folds leave 49 degrees of freedom, the 5 of networks of images 4." in more


def simulated(interval):
    """Return the least and the greatest coverage of an interval in the tables of docs/statistics.md."""
    lines = (REPOSITORY / "docs/statistics.md").read_text(encoding="utf-8").splitlines()
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]
    found = [row for row in rows if len(row) == 7 and row[0] == interval]
    return min(float(row[1]) for row in found), max(float(row[3]) for row in found)


@pytest.mark.parametrize(
    ("interval", "said"), [("corrected t, Wilson", intervals.COVERED), ("fold bootstrap", intervals.BOOTSTRAP_COVERED)]
)
def test_what_is_said_of_coverage_is_what_was_simulated(interval, said):
    assert said == pytest.approx(simulated(interval), abs=0.005)


def test_the_appendix_sets_a_bootstrap_of_our_folds_beside_every_published_interval(inputs):
    part = section_of(inputs, "paper_interval")
    (table,) = part["tables"]
    lines = [row["table"] for row in table["rows"]]
    counts = {f"Table {number}": lines.count(f"Table {number}") for number in range(4, 10)}
    # two models with five metrics, one network of the search, two levels, one image network, one merged, four scores
    assert counts == {"Table 4": 10, "Table 5": 1, "Table 6": 2, "Table 7": 1, "Table 8": 1, "Table 9": 4}
    score = inputs.scores.classifiers["merged"]["custom_cnn"].metrics["roc_auc"]
    (row,) = (row for row in table["rows"] if row["table"] == "Table 8")
    cells = {column["head"]: show_cell(row, column) for column in table["columns"]}
    drawn = f"({score.bootstrap_low:.3f}, {score.bootstrap_high:.3f})"
    paper = inputs.published.merged["custom_cnn"]
    assert cells == {
        "Table": "Table 8",
        "Model": "DNN + Custom CNN",
        "Metric": "ROC AUC",
        "Paper (95 %)": f"{paper.mean:.2f} ({paper.low:.2f}, {paper.high:.2f})",
        "Ours": f"{score.mean:.3f}",
        "Bootstrap of the folds 95 %": drawn,
    }
    assert drawn != f"({score.low:.3f}, {score.high:.3f})"
    assert "it held the truth 0.37 to 0.83 of the time where it says 0.95 (docs/statistics.md)" in part["text"][0]
    searched = inputs.scores.searches["dnn_search"]["h16_d0.2"].metrics["roc_auc"]
    (row,) = (row for row in table["rows"] if row["table"] == "Table 5")
    assert (row["model"], row["ours"]) == ("16 units, dropout 0.2", searched.mean)


def test_the_bootstrap_of_folds_stands_nowhere_else(inputs):
    summary = summarise(inputs)
    tables = [table for part in summary["sections"] for table in part["tables"]]
    assert [table["id"] for table in tables if "bootstrap" in str(table["columns"]).lower()] == ["paper_interval"]
    assert not any("bootstrap" in row for table in tables if table["id"] != "paper_interval" for row in table["rows"])
    assert not any("bootstrap" in row for row in summary["forest"])
    without = render_markdown(summarise(replace(inputs, published=None)))
    assert "Bootstrap of the folds" not in without
    assert "The paper's own interval" not in without


def test_nothing_of_the_paper_is_no_appendix(inputs):
    content = inputs.scores.model_dump()
    for family in ("tabular", "dnn_search", "augmentation", "cnn", "vote", "merged", "segment", "comparisons"):
        content.pop(family)
    assert section_of(with_scores(inputs, content), "paper_interval") is None
