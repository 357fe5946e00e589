"""Results that cross between stages: what is undefined, what is refused, and which stage is named."""

import json

import numpy as np
import pytest
from pydantic import ValidationError

from busline.base.errors import DataError
from busline.base.results import Number, Result, Span, load_result


class Part(Result):
    score: Number
    folds: int


class Whole(Result):
    parts: dict[str, Part]
    cases: Span
    best: dict[str, Part] | None = None


CONTENT = {"parts": {"a": {"score": 0.5, "folds": 3}}, "cases": [2, 3]}


def load(tmp_path, text):
    (tmp_path / "results.json").write_text(text, encoding="utf-8")
    return load_result(Whole, tmp_path / "results.json", stage="evaluate")


def test_a_result_comes_back_as_it_was_written(tmp_path):
    found = load(tmp_path, json.dumps(CONTENT))
    assert (found.parts["a"].score, found.cases) == (0.5, (2, 3))
    assert load(tmp_path, found.model_dump_json()) == found


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -np.inf, np.float64("nan"), None])
def test_what_is_not_finite_is_none(value):
    assert Part(score=value, folds=1).score is None


def test_a_result_does_not_change():
    with pytest.raises(ValidationError, match="frozen"):
        Part(score=0.5, folds=1).folds = 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"parts": {"a": {"score": 0.5}}}, "parts.a.folds: is missing"),
        ({"parts": {"a": {"score": 0.5, "folds": 3, "fold": 1}}}, "parts.a.fold: unknown key; did you mean 'folds'"),
        ({"best": {"a": {"score": 0.5, "folds": 3, "fold": 1}}}, "best.a.fold: unknown key; did you mean 'folds'"),
        ({"parts": {"a": {"score": "0.5", "folds": 3}}}, "parts.a.score: Input should be a valid number, found '0.5'"),
        ({"parts": {"a": {"score": 0.5, "folds": 3.0}}}, "parts.a.folds: Input should be a valid integer"),
        ({"cases": [2]}, "cases.1: is missing"),
    ],
)
def test_a_file_of_another_version_is_refused_with_the_stage_to_run_again(tmp_path, change, message):
    with pytest.raises(DataError) as caught:
        load(tmp_path, json.dumps(CONTENT | change))
    assert str(caught.value).startswith(f"{tmp_path}/results.json: 1 problem\n  - {message}")
    assert "`dvc repro --force --single-item evaluate`" in str(caught.value)


def test_a_file_that_is_cut_short_or_missing_is_refused(tmp_path):
    with pytest.raises(
        DataError, match=r"(?s)results.json: 1 problem\n  - the file: Invalid JSON.*single-item evaluate"
    ):
        load(tmp_path, '{"parts": {')
    with pytest.raises(DataError, match="gone.json: is missing"):
        load_result(Whole, tmp_path / "gone.json", stage="evaluate")
