"""Outlines scored from their table: in mm where pixels have a size, else in pixels, and broken tables refused."""

import numpy as np
import pandas as pd
import pytest

from busline.base.errors import DataError
from busline.cohort.outlines import outline_rows
from busline.evaluation.outlines import score_outlines
from imports import REPOSITORY, needed_files


def box(height, width, left):
    mask = np.zeros((height, width), dtype=bool)
    mask[3:6, left : left + 4] = True
    return mask


FOUND = [box(12, 20, 2), box(10, 16, 3), np.zeros((9, 9), dtype=bool)]
TRUE = [box(12, 20, 4), box(10, 16, 3), box(9, 9, 2)]
TABLE = pd.concat([outline_rows(["a", "b", "c"], "cv", repeat, [0, 1, 0], FOUND, TRUE) for repeat in (0, 1)])
LENGTHS = ["hd95", "assd"]


def test_each_row_is_scored_at_its_own_size_in_mm():
    scores = score_outlines(TABLE, {"a": 0.5, "b": 0.1, "c": 0.1}, "here")
    assert scores[["case_id", "scheme", "repeat", "fold", "split"]].equals(
        TABLE[["case_id", "scheme", "repeat", "fold", "split"]].reset_index(drop=True)
    )
    assert list(scores)[5:] == ["dice", "iou", "sensitivity", "specificity", *LENGTHS]
    first, same, missed = (scores.iloc[place] for place in range(3))
    assert first["dice"] == pytest.approx(2 * 6 / 24)
    assert first["specificity"] == pytest.approx(1 - 6 / (240 - 12))
    assert first["hd95"] == pytest.approx(2 * 0.5)  # moved by two columns of half a millimetre
    assert (same["dice"], same["hd95"]) == (1.0, 0.0)
    assert (missed["dice"], missed["sensitivity"]) == (0.0, 0.0)
    assert missed[LENGTHS].isna().all()
    np.testing.assert_array_equal(scores.iloc[:3, 5:].to_numpy(), scores.iloc[3:, 5:].to_numpy())


def test_where_some_pixels_have_no_size_their_cases_have_no_distance():
    scores = score_outlines(TABLE, {"a": float("nan"), "b": 0.1}, "here").set_index("case_id")
    assert scores.loc["a", LENGTHS].isna().all().all()
    assert (scores.loc["b", "hd95"] == 0.0).all()


@pytest.mark.parametrize("pixel_mm", [{}, dict.fromkeys("abc", float("nan"))])
def test_where_no_pixel_has_a_size_distances_are_in_pixels_and_say_so(pixel_mm):
    scores = score_outlines(TABLE, pixel_mm, "here")
    assert list(scores)[-2:] == ["hd95_px", "assd_px"]
    assert scores["hd95_px"].iloc[0] == 2.0


def test_broken_tables_are_refused():
    def refused(broken, match):
        with pytest.raises(DataError, match=match):
            score_outlines(broken, {}, "outlines of segment")

    refused(TABLE.drop(columns="truth"), "outlines of segment: 1 problem\n.*'truth' is missing")
    refused(TABLE.assign(width=TABLE["width"] + 9), "'outline': masks that are not of their row's .* width: 6")
    refused(TABLE.assign(truth=None), "'truth': masks that are not of .* width: 6")
    refused(pd.concat([TABLE, TABLE.head(1)]), "rows that repeat another one's .*: 1")


@pytest.mark.parametrize("stage", ["segment", "lesion"])
def test_a_metric_is_added_without_retraining(stage):
    """No stage that trains a segmentation network reads the metrics or what evaluates."""
    needed = needed_files(REPOSITORY / f"stages/{stage}.py")
    assert f"src/busline/studies/{stage}.py" in needed
    assert "src/busline/cohort/outlines.py" in needed
    assert "src/busline/metrics/segmentation.py" not in needed
    assert not [file for file in needed if file.startswith("src/busline/evaluation/")]
    for script in ("evaluate", "illustrate"):
        assert "src/busline/metrics/segmentation.py" in needed_files(REPOSITORY / f"stages/{script}.py")
