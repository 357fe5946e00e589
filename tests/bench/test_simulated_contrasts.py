"""Simulated differences between arms: what is drawn has the figures it is said to have, and intervals are counted."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats
from typer.testing import CliRunner

from bench import contrasts
from bench.contrasts import (
    BEGIN,
    END,
    WORLDS,
    Cell,
    Seen,
    World,
    centres,
    draw,
    intervals,
    render,
    see,
    simulate,
    true_difference,
)
from busline.evaluation.paired_cases import figures

MIXED = World("mixed", own=0.4, noise=(0.5, 0.2), seeds=(0.4, 0.1), better=0.3)
PAGE = f"# Title\n\n{BEGIN}\nold\n{END}\n\nafter\n"


@pytest.mark.parametrize("metric", contrasts.METRICS)
def test_the_true_difference_is_the_mean_over_many_experiments(metric):
    generator = np.random.default_rng(1)
    found = []
    for _ in range(600):
        truth, scores = draw(MIXED, metric, 200, generator)
        found.append([figures(arm, truth, metric).mean() for arm in scores])
    found = np.array(found)
    difference = found[:, 0] - found[:, 1]
    assert difference.mean() == pytest.approx(true_difference(MIXED, metric), abs=4 * stats.sem(difference))
    assert abs(difference.mean()) > 8 * stats.sem(difference)
    level = replace(MIXED, better=0.0)
    assert true_difference(level, metric) == pytest.approx(0.0, abs=1e-9)
    assert centres(level, metric)[0] != centres(level, metric)[1]  # what varies more needs another centre


def test_what_varies_by_case_arm_and_seed_has_its_size():
    world, generator = World("w", own=0.3, noise=(0.5, 0.0), seeds=(0.2, 0.0), case=0.7), np.random.default_rng(2)
    logits = []
    for _ in range(400):
        scores = draw(world, "dice", 50, generator)[1][:, :, 0]
        logits.append(np.log(scores / (1 - scores)))
    values = np.array(logits)  # (experiments, arms, seeds, cases)
    assert (values[:, 1, 0] == values[:, 1, 4]).all()
    assert values[:, 1].var() == pytest.approx(0.7**2 + 0.3**2, rel=0.05)
    assert np.diff(values[:, 0], axis=1).var() == pytest.approx(2 * (0.5**2 + 0.2**2), rel=0.05)
    assert values[:, 0].mean(axis=2).var(axis=1, ddof=1).mean() == pytest.approx(0.2**2 + 0.5**2 / 50, rel=0.1)
    both = (values[:, 0].mean(axis=1) - values[:, 0].mean(axis=1).mean()).ravel(), values[:, 1, 0].ravel()
    assert np.cov(*both)[0, 1] == pytest.approx(0.7**2, rel=0.05)


def test_seeds_of_one_run_draw_the_same_in_both_arms():
    world = World("w", own=0.0, noise=(0.5, 0.5), seeds=(0.2, 0.2), one_run=True)
    scores = draw(world, "dice", 20, np.random.default_rng(3))[1]
    assert scores[0] == pytest.approx(scores[1])


def test_satterthwaites_interval_is_welchs_where_cases_say_nothing():
    first, second, samples = np.array([0.8, 0.85, 0.82]), np.array([0.7, 0.71, 0.78]), np.array([1e-9, -1e-9, 0.0])
    theirs = stats.ttest_ind(first, second, equal_var=False).confidence_interval(0.95)
    found = intervals(first, second, samples, 100, one_run=False)
    assert found["Satterthwaite"] == (pytest.approx(theirs.low), pytest.approx(theirs.high))
    assert found["seeds alone"] == (
        pytest.approx(found["cases and seeds"][0]),
        pytest.approx(found["cases and seeds"][1]),
    )
    paired = stats.ttest_rel(first, second).confidence_interval(0.95)
    found = intervals(first, second, samples, 100, one_run=True)["Satterthwaite"]
    assert found == (pytest.approx(paired.low), pytest.approx(paired.high))


def test_intervals_cover_as_they_are_known_to():
    """With one steady arm and two seeds one t for the sum covers too little, and either part alone less still."""
    steady = next(world for world in WORLDS if world.title == "one arm steady, seeds above all")
    truth = true_difference(steady, "dice")
    seen = {name: see(ends, truth) for name, ends in simulate(steady, "dice", 100, 300, 1)[2].items()}
    assert seen["cases alone"].coverage < 0.5 < seen["Satterthwaite"].coverage < 0.92
    assert seen["cases and seeds"].coverage > 0.92
    still = simulate(WORLDS[0], "roc_auc", 100, 100, 1)[3]
    assert (still["cases alone"] == still["cases and seeds"]).all()
    assert see(still["cases alone"], 0.0).coverage > 0.87
    assert see(still["seeds alone"], 0.0) == Seen(0.0, 0.0)


def test_the_page_says_which_interval_covers_everywhere():
    better = replace(MIXED, title="better")
    equal = replace(MIXED, title="equal", better=0.0)
    for lowest, of_equal, verdict, erring in ((0.93, 0.95, "yes", "0.050"), (0.93, 0.935, "in 11 of 12", "0.065")):
        found = {
            Cell(world, "dice", cases, seeds): {"t": Seen(0.96, 0.1)}
            for world in (better, equal)
            for cases in (100, 252)
            for seeds in (2, 3, 5)
        }
        found[Cell(better, "dice", 252, 5)] = {"t": Seen(lowest, 0.3)}
        found[Cell(equal, "dice", 100, 2)] = {"t": Seen(of_equal, 0.2)}
        text = render(2000, found)
        assert f"| t | {lowest:.3f} | 0.960 | 0.960 | {erring} | {verdict} |" in text
        assert f"| dice | 100 | 2 | {of_equal:.3f} (0.150) |" in text
        assert f"| equal | {of_equal:.3f} (0.150) | 0.960 (0.100) | 0.960 (0.100) |" in text


def test_a_run_is_made_again_to_the_letter(tmp_path, monkeypatch):
    monkeypatch.setattr(contrasts, "CASES", (40,))
    monkeypatch.setattr(contrasts, "WORLDS", WORLDS[:2])
    pages = []
    for name, seed in (("a", "1"), ("b", "1"), ("c", "2")):
        page = tmp_path / name
        page.write_text(PAGE, encoding="utf-8")
        cli = contrasts.typer.Typer()
        cli.command()(contrasts.main)
        done = CliRunner().invoke(cli, ["--experiments", "6", "--seed", seed, "--page", str(page)])
        assert done.exit_code == 0, done.output
        pages.append(page.read_text(encoding="utf-8"))
    assert pages[0] == pages[1] != pages[2]
    assert pages[0].startswith("# Title\n")
    assert pages[0].endswith("\nafter\n")
