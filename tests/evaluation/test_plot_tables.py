"""Tables behind the plots, by hand."""

import pandas as pd
import pytest

from busline.evaluation.classes import binary_calls
from busline.evaluation.plot_tables import COLUMNS, classifier_plots, learning_curves, reliability_plot
from busline.evaluation.summaries import pool_repeats

CLASSES = ("benign", "malignant")


def make_cases():
    """Four cases in two repeats; their mean scores are 0.2, 0.5, 0.5, 0.8."""
    return pd.DataFrame(
        {
            "case_id": list("abcd") * 2,
            "scheme": "cv",
            "repeat": [0] * 4 + [1] * 4,
            "fold": 0,
            "truth": [False, False, True, True] * 2,
            "score": [0.1, 0.4, 0.6, 0.7, 0.3, 0.6, 0.4, 0.9],
        }
    )


def plots_of(models):
    calls = {name: binary_calls(pool_repeats(cases), CLASSES) for name, cases in models.items()}
    return classifier_plots(models, calls, bins=2)


def test_curves_of_averaged_repeats_by_hand():
    plots = plots_of({("cnn", "m"): make_cases()})
    assert set(plots) == {"roc", "pr", "calibration", "confusion"}
    for name, table in plots.items():
        assert list(table) == ["family", "model", *COLUMNS[name]]
        assert set(zip(table["family"], table["model"], strict=True)) == {("cnn", "m")}
    # thresholds 0.8, 0.5 (a tie of one positive and one negative case), 0.2
    assert plots["roc"][["fpr", "tpr"]].to_numpy().tolist() == [[0, 0], [0, 0.5], [0.5, 1], [1, 1]]
    assert plots["pr"]["precision"].tolist() == pytest.approx([1, 2 / 3, 1 / 2])
    assert plots["pr"]["recall"].tolist() == [0.5, 1, 1]
    assert plots["confusion"]["actual"].tolist() == ["benign", "benign", "malignant", "malignant"]
    assert plots["confusion"]["predicted"].tolist() == ["benign", "malignant", "malignant", "malignant"]
    assert plots["calibration"]["count"].sum() == 4


def test_models_stand_one_after_another():
    cases = make_cases()
    plots = plots_of({("cnn", "b"): cases, ("cnn", "a"): cases, ("tabular", "c"): cases})
    assert plots["confusion"]["model"].unique().tolist() == ["b", "a", "c"]
    assert len(plots["confusion"]) == 12


def test_one_class_has_no_curve_but_a_confusion():
    cases = make_cases()[lambda table: ~table["truth"]]
    plots = plots_of({("cnn", "m"): cases})
    assert (len(plots["roc"]), len(plots["pr"]), len(plots["confusion"])) == (0, 0, 2)
    assert list(plots["roc"]) == ["family", "model", *COLUMNS["roc"]]


def test_no_models_make_tables_without_rows():
    plots = plots_of({})
    assert {name: list(table) for name, table in plots.items()} == {
        name: ["family", "model", *COLUMNS[name]] for name in ("roc", "pr", "calibration", "confusion")
    }
    assert list(reliability_plot({}, 2)) == ["family", "model", *COLUMNS["reliability"]]
    assert list(learning_curves({})) == ["family", "model", *COLUMNS["curves"]]


def make_curve():
    """Phase head: fold 0 two epochs, fold 1 one; then fine_tune: one each; and a master split that must not count."""
    rows = [
        (0, 0, "head", 1, 1.0, 2.0),
        (0, 0, "head", 2, 0.8, 1.8),
        (0, 0, "fine_tune", 3, 0.4, 1.0),
        (0, 1, "head", 1, 3.0, 4.0),
        (0, 1, "fine_tune", 2, 0.6, 3.0),
        (-1, -1, "head", 1, 99.0, 99.0),
    ]
    table = pd.DataFrame(rows, columns=["repeat", "fold", "phase", "epoch", "train_loss", "val_loss"])
    return table.assign(scheme=["cv"] * 5 + ["master"])


@pytest.mark.parametrize("order", [range(6), range(5, -1, -1)])
def test_learning_curves_are_averaged_over_the_folds_that_reached_an_epoch(order):
    found = learning_curves({("cnn", "m"): make_curve().iloc[list(order)]})
    expected = [
        ("cnn", "m", "head", 1, 2.0, 3.0, 2),
        ("cnn", "m", "head", 2, 0.8, 1.8, 1),
        ("cnn", "m", "fine_tune", 3, 0.5, 2.0, 2),
    ]
    pd.testing.assert_frame_equal(found, pd.DataFrame(expected, columns=["family", "model", *COLUMNS["curves"]]))


def test_a_model_with_a_master_split_only_has_no_curve():
    only_master = make_curve()[lambda table: table["scheme"] == "master"]
    assert learning_curves({("cnn", "m"): only_master}).empty
