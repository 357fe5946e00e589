"""The tables of docs/statistics.md: what is counted, what is enough, and that a run is made again to the letter."""

import numpy as np
import pytest
from typer.testing import CliRunner

from bench import coverage
from bench.coverage import EQUAL, UNEQUAL, WORLDS, Run, area_cell, comparison_cell, operating_cell
from bench.coverage_tables import BEGIN, END, Cell, covered, put, render
from bench.simulation import Scheme

PAGE = f"# Title\n\nbefore\n\n{BEGIN}\nold\n{END}\n\nafter\n"
CELL = Cell("a", 100, Scheme(3, 1))


def test_coverage_width_and_bias_by_hand():
    true = np.array([0.7, 0.9]).reshape(2, 1, 1)
    found = covered(true, {"mean": np.array([0.8, 0.9])}, {"t": np.array([[0.6, 0.75], [0.8, 1.2]])})
    assert (found.truth, found.noise) == (pytest.approx(0.8), pytest.approx(0.1))
    assert found.bias == {"mean": pytest.approx(0.05)}
    assert found.coverage == {"t": 0.5}
    assert found.given == {"t": 1.0}
    assert found.width == {"t": pytest.approx((0.15 + 0.2) / 2)}


def seen(coverage_of):
    ends = np.array([[0.0, 1.0 if number < 100 * coverage_of else 0.1] for number in range(100)])
    return covered(np.full((100, 1, 1), 0.5), {"mean": np.full(100, 0.45)}, {"t": ends})


def test_the_page_says_which_interval_covers_everywhere():
    others = Cell("b", 1000, Scheme(5, 10))
    shares = {"difference": 0.0, "t": 0.02, "t, Holm": 0.03}
    for lowest, verdict in ((0.94, "yes"), (0.92, "in 1 of 2")):
        areas = {CELL: seen(0.96), others: seen(lowest)}
        rates = {CELL: {("youden", "sensitivity"): seen(0.97), ("youden", "specificity"): seen(0.91)}}
        text = render(2000, areas, {CELL: shares, others: {**shares, "t": 0.05}}, {CELL: shares}, rates)
        middle = (0.96 + lowest) / 2
        figures = f"{lowest:.3f} | {middle:.3f} | 0.960 | {lowest:.3f} | {0.1 + 0.9 * middle:.3f}"
        assert f"| t | {figures} | {verdict} |" in text
        assert "2,000 experiments a cell: the standard error of a coverage of 0.95 is 0.005." in text
        assert "| b | 1,000 | 5 × 10 | 0.500 | 0.000 | -0.050 |" in text
        assert "|  |  | highest | 0.050 | 0.030 |" in text
        assert "| a | 100 | 3 × 1 | 0.910 (0.946) |" in text
        assert "| a | 100 | 3 × 1 | 0.000 | 0.020 |" in text


def test_tables_go_between_the_markers():
    assert put(PAGE, "new") == PAGE.replace("old", "\nnew\n")
    assert put(put(PAGE, "newer"), "new") == put(PAGE, "new")
    for broken in (PAGE.replace(BEGIN, ""), PAGE.replace(END, "")):
        with pytest.raises(ValueError, match="needs the lines"):
            put(broken, "new")


def test_intervals_cover_as_they_are_known_to():
    """At five folds of 252 cases the bootstrap of folds is far too narrow, and the corrected t is not."""
    found = area_cell(WORLDS[0], Cell("steady", 252, Scheme(5, 1)), Run(100, 1))
    assert found.coverage["fold bootstrap"] < 0.88 < 0.93 <= found.coverage["corrected t, logit"]
    assert abs(found.bias["mean over folds"]) < 0.015
    averaged = area_cell(WORLDS[3], Cell("very unsteady", 100, Scheme(5, 10)), Run(40, 1))
    assert averaged.bias["pooled, scores averaged"] > 0.03 > abs(averaged.bias["pooled, repeats apart"])
    rates = operating_cell(WORLDS[0], Cell("steady", 252, Scheme(3, 1)), Run(60, 1))
    assert len(rates) == 6
    for of_rate in rates.values():
        assert of_rate.coverage["patients, scores averaged"] < of_rate.coverage["corrected t, Wilson"]
        assert abs(of_rate.bias["mean over folds"]) < 0.06


def test_tests_cry_as_they_are_known_to():
    equal, better = (
        comparison_cell(worlds[0], Cell("x", 252, Scheme(3, 1)), Run(60, 1)) for worlds in (EQUAL, UNEQUAL)
    )
    assert equal["corrected t"] <= 0.06
    assert equal["any of the three"] >= max(equal[name] for name in ("corrected t", "DeLong", "McNemar"))
    assert abs(equal["difference"]) < 0.02 < 0.04 < better["difference"]
    assert better["DeLong"] > equal["DeLong"]


def test_a_run_is_made_again_to_the_letter(tmp_path, monkeypatch):
    monkeypatch.setattr(coverage, "CASES", (100,))
    monkeypatch.setattr(coverage, "SCHEMES", (Scheme(3, 1), Scheme(3, 2)))
    pages = []
    for name, seed in (("a", "1"), ("b", "1"), ("c", "2")):
        page = tmp_path / name
        page.write_text(PAGE, encoding="utf-8")
        cli = coverage.typer.Typer()
        cli.command()(coverage.main)
        done = CliRunner().invoke(cli, ["--experiments", "12", "--seed", seed, "--page", str(page)])
        assert done.exit_code == 0, done.output
        pages.append(page.read_text(encoding="utf-8"))
    assert pages[0] == pages[1] != pages[2]
    assert pages[0].startswith("# Title\n\nbefore\n\n")
