import json

import pytest

from bench.figures import Bound, Line, agree, paired_ratios, rate_line, time_line
from bench.table import figure, render, save


def test_a_rate_line_is_the_median_of_the_rounds_ratios():
    line = rate_line("a", "A", [10.0, 30.0, 40.0], [5.0, 10.0, 10.0], bound=Bound(at_least=2.0, aim=3.5))
    assert (line.value, line.low, line.high, line.n) == (3.0, 2.0, 4.0, 3)
    assert (line.ours, line.theirs) == (30.0, 10.0)
    assert line.verdict == "reached"


def test_a_time_line_is_above_one_where_the_engine_needs_less_time():
    line = time_line("a", "A", [1.0, 2.0, 4.0], [10.0, 30.0, 20.0], bound=Bound(at_least=5.0, aim=10.0))
    assert (line.value, line.ours, line.theirs, line.side_unit) == (10.0, 2.0, 20.0, "s")
    assert line.verdict == "aim reached"


@pytest.mark.parametrize(("ours", "theirs"), [([], []), ([1.0], [1.0, 2.0]), ([0.0], [1.0])])
def test_rounds_that_do_not_pair_are_refused(ours, theirs):
    with pytest.raises(ValueError, match="as many positive figures"):
        paired_ratios(ours, theirs)


@pytest.mark.parametrize(
    ("line", "verdict"),
    [
        (Line("a", "A", bound=Bound(at_least=2.0)), "not run"),
        (Line("a", "A", 1.9, bound=Bound(at_least=2.0)), "missed"),
        (Line("a", "A", 2.0, bound=Bound(at_least=2.0)), "reached"),
        (Line("a", "A", 1.5, "s", Bound(at_most=1.5)), "reached"),
        (Line("a", "A", 1.6, "s", Bound(at_most=1.5)), "missed"),
        (Line("a", "A", 0.0, agrees=True), "reached"),
        (Line("a", "A", 0.0, agrees=False), "missed"),
        (Line("a", "A", 3.0), "shown"),
    ],
)
def test_verdicts(line, verdict):
    assert line.verdict == verdict


def test_scores_agree_only_if_each_mean_lies_in_the_others_interval():
    assert agree((0.8, 0.7, 0.9), (0.85, 0.75, 0.95))
    assert not agree((0.8, 0.5, 1.0), (0.85, 0.84, 0.86))


def test_the_table_shows_value_spread_bound_and_verdict(tmp_path):
    lines = [
        rate_line("a", "A | B", [10.0, 30.0, 40.0], [5.0, 10.0, 10.0], side_unit="images/s", bound=Bound(2.0, 3.5)),
        Line("b", "B", bound=Bound(at_most=2.5), unit="s", note="needs a thing"),
    ]
    text = render(lines, {"cores": 2, "features": ["avx2"], "quick": None})
    assert "Machine: cores 2, features avx2." in text
    a, b = text.strip().splitlines()[-2:]
    assert a == (
        "| A \\| B | 3.00× (2.00× to 4.00×) | 2.00× | 3.50× | reached | 30.0 images/s | 10.0 images/s | 3 |  |"
    ).replace("(2.00× to 4.00×)", "(2.00 to 4.00)")
    assert b == "| B |  | at most 2.50 s |  | not run |  |  |  | needs a thing |"
    save(lines, {"cores": 2}, tmp_path)
    content = json.loads((tmp_path / "bench.json").read_text())
    assert [line["verdict"] for line in content["lines"]] == ["reached", "not run"]
    assert list(content["lines"][0]) == sorted(content["lines"][0])
    assert content["lines"][0]["at_least"] == 2.0


def test_figures_have_three_digits():
    assert [figure(x) for x in (0.1234, 1.234, 12.34, 123.4, -0.5, None)] == [
        "0.123", "1.23", "12.3", "123", "-0.500", "",
    ]  # fmt: skip
