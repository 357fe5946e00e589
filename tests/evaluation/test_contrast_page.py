"""The page of a contrast, to the letter."""

import pytest

from busline.base.artifacts import plain
from busline.evaluation.contrasts import Contrasts, Pair, Side, page, spread, table

SIDES = [
    Side(name="cnn/a", settings={}, folds=5, repeats=2, **spread([0.80, 0.82])),
    Side(name="cnn/a", settings={"cnn.weights": None, "b.c": True, "d": "x"}, folds=3, repeats=2, **spread([0.7, 0.7])),
]
PAIR = Pair(
    what="with weights",
    metric="roc_auc",
    model=SIDES[0],
    against=SIDES[1],
    one_run=False,
    difference=0.11,
    low=-0.01,
    high=0.23456,
    cases_low=0.0,
    cases_high=0.22,
    cases=252,
    undefined=0,
    patients=250,
    groups=249,
)
CONTRASTS = Contrasts(name="w", study="best", settings={"e.f": [1]}, seeds=[7, 8], confidence=0.95, pairs=[PAIR])
TABLE = """\
| what | metric | model (SD over seeds) | against (SD over seeds) | difference | over cases and seeds | \
over cases alone | seeds | cases | patients | folds |
| - | - | - | - | - | - | - | - | - | - | - |
| with weights | roc_auc | 0.8100 (0.0141) | 0.7000 (0.0000) | +0.1100 | -0.0100 to +0.2346 | +0.0000 to +0.2200 | 2 | \
252 | 250 | 5 × 2, 3 × 2 |"""


def squeezed(lines):
    """The cells without the blanks and dashes that align them."""
    rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in lines)
    return "\n".join(f"| {' | '.join('-' if set(cell) == {'-'} else cell for cell in row)} |" for row in rows)


def test_the_table_has_a_line_a_metric_and_its_columns_are_aligned():
    lines = table(CONTRASTS)
    assert squeezed(lines) == TABLE
    assert len({len(line) for line in lines}) == 1


def test_the_page_says_what_was_run_and_what_is_not_in_the_interval():
    lines = page(CONTRASTS).split("\n")
    assert lines[:5] == [
        "# What changes are worth: `w`",
        "",
        "    make contrast NAME=w",
        "",
        "All runs: study `best`, `e.f: [1]`. `seed.train`: 7, 8. Intervals: 95 %.",
    ]
    assert "- with weights: `cnn/a` against `cnn/a` with `cnn.weights: null`, `b.c: true`, `d: x`." in lines
    assert "training sets are held fixed" in page(CONTRASTS).replace("\n", " ")
    assert page(CONTRASTS).endswith("\n")
    assert "left out" not in page(CONTRASTS)


@pytest.mark.parametrize(
    ("study", "settings", "text"), [(None, {}, "params.yaml as it is"), (None, {"a": 1}, "`a: 1`")]
)
def test_runs_without_a_study(study, settings, text):
    assert f"All runs: {text}." in page(CONTRASTS.model_copy(update={"study": study, "settings": settings}))


def test_what_is_undefined_of_one_run_and_left_out_is_said():
    changes = {"low": None, "high": None, "one_run": True, "undefined": 3}
    text = page(CONTRASTS.model_copy(update={"pairs": [PAIR.model_copy(update=changes)] * 2}))
    assert "| n/a to n/a" in text
    assert text.count(", of the same runs.\n") == 1
    assert "- with weights, roc_auc: left out, for want of a score in one run or another: 3 cases." in text


def test_what_is_written_can_be_read_again():
    assert Contrasts.model_validate(plain(CONTRASTS.model_dump())).pairs[0].model.values == [0.8, 0.82]


def test_the_spread_is_that_of_the_seeds():
    found = spread([0.1, 0.3, 0.5])
    assert (found["mean"], found["sd"]) == (pytest.approx(0.3), pytest.approx(0.2))
