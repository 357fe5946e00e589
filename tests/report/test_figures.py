import pandas as pd
import pytest

from busline.report.figures import draw_columns, draw_confusion, draw_curves, draw_forest, draw_learning
from busline.report.summarise import summarise

PNG_START = b"\x89PNG\r\n\x1a\n"


def test_every_figure_belongs_to_a_section(inputs, figures):
    sections = {section["id"] for section in summarise(inputs)["sections"]}
    assert [figure.title for figure in figures] == [
        "ROC AUC of every model",
        "What each column alone would score",
        "ROC curves",
        "Precision–recall curves",
        "Calibration",
        "Calibration before and after",
        "Confusion matrices",
        "Learning curves",
    ]
    assert {figure.section for figure in figures} <= sections
    assert all(figure.png.startswith(PNG_START) and figure.width > 100 for figure in figures)


def test_a_figure_says_nothing_of_when_and_by_what_it_was_drawn(inputs):
    figure = draw_columns(inputs.verdicts)
    assert b"tEXt" not in figure.png
    assert b"tIME" not in figure.png


def test_a_change_of_a_figure_shows(inputs):
    before = draw_columns(inputs.verdicts).png
    inputs.verdicts[0]["auc_alone"] = 0.6
    assert draw_columns(inputs.verdicts).png != before


def test_the_users_matplotlib_settings_do_not_matter(inputs):
    import matplotlib as mpl

    before = draw_columns(inputs.verdicts).png
    with mpl.rc_context({"font.size": 30.0, "axes.facecolor": "red"}):
        assert draw_columns(inputs.verdicts).png == before
        assert mpl.rcParams["font.size"] == 30.0


def test_the_forest_has_a_row_a_model_with_paper_and_ours(inputs):
    rows = {row["label"]: row for row in summarise(inputs)["forest"]}
    assert len(rows) == 6 + 4 + 21 + 4
    assert rows["Table: Random forest"]["paper"]["mean"] == 0.74
    forest = inputs.scores.classifiers["tabular"]["random_forest"]
    assert rows["Table: Random forest"]["ours"] == forest.metrics["roc_auc"].mean
    assert rows["Image: MobileNetV2 (ImageNet)"]["status"] == "not run"


def test_the_forest_draws_the_interval(inputs):
    rows = summarise(inputs)["forest"]
    (row,) = (row for row in rows if row["label"] == "Table: Random forest")
    score = inputs.scores.classifiers["tabular"]["random_forest"].metrics["roc_auc"]
    assert row["interval"] == [score.low, score.high]
    before = draw_forest(rows, None).png
    row["interval"] = [score.low, score.high - 0.05]
    assert draw_forest(rows, None).png != before


def test_undefined_intervals_and_names_with_dollars_can_be_drawn():
    row = {"family": "g", "ours": 0.5, "paper": None}
    rows = [{"label": "a $x$ $", "interval": [None, None], **row}, {"label": "b", "interval": None, **row}]
    assert draw_forest(rows, None).png.startswith(PNG_START)
    verdict = {"name": "US$ and $", "provenance": None, "kept": False, "auc_alone": 0.5}
    assert draw_columns([verdict]).png.startswith(PNG_START)


@pytest.mark.parametrize("kind", ["roc", "pr", "calibration"])
def test_without_data_there_is_no_figure(kind):
    empty = pd.DataFrame({"family": [], "model": []})
    assert draw_curves(empty, kind) is None
    assert draw_confusion(empty) is None
    assert draw_learning(empty) is None
    assert draw_forest([], None) is None
    assert draw_columns([]) is None


def test_more_pairs_than_colours_share_one_colour():
    points = pd.DataFrame({"family": "vote", "model": [f"m{i // 2}" for i in range(24)], "fpr": 0.5, "tpr": 0.5})
    assert draw_curves(points, "roc").png.startswith(PNG_START)
