"""How far work is: a bar on a terminal, elsewhere a plain line whenever another tenth is done."""

import pytest

from busline.base.progress import Progress, show_progress


def plain(capfd):
    return capfd.readouterr().err.splitlines()


@pytest.fixture
def terminal(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("FORCE_COLOR", "1")  # rich then takes any stream for a terminal


def test_a_line_for_every_tenth_of_each_thing(capfd):
    with show_progress() as report_progress:
        for done in range(1, 41):
            report_progress("cases", done, 40)
        report_progress("files", 2, 3)
        report_progress("files", 3, 3)
    lines = plain(capfd)
    assert len(lines) == 12
    assert lines[0].startswith("cases: 10 %, 4 of 40 done, about ")
    assert lines[9] == "cases: 100 %, 40 of 40 done, about 0 s left"
    assert [line.split(",")[0] for line in lines[10:]] == ["files: 60 %", "files: 100 %"]


def test_what_has_no_known_end_or_none_at_all_is_not_told_line_by_line(capfd):
    with show_progress() as report_progress:
        report_progress("download", 1_000_000, None)
        report_progress("files", 0, 0)
    assert plain(capfd) == []


def test_an_end_that_is_known_late_is_told(capfd):
    with show_progress() as report_progress:
        report_progress("download", 1_000_000, None)
        report_progress("download", 1_500_000, 3_000_000)
    assert [line.rpartition(",")[0] for line in plain(capfd)] == ["download: 50 %, 1,500,000 of 3,000,000 done"]


def test_units_are_weighed_by_their_jobs_and_what_was_skipped_took_no_time(capfd, monkeypatch):
    clock = iter((100.0, 130.0, 160.0))
    monkeypatch.setattr("busline.base.progress.time.monotonic", lambda: next(clock))
    with Progress("networks", [6, 2, 2]) as progress:
        progress.skip(0)
        progress.note(1, 0.5, "epoch 3/6")
        progress.note(1, 0.1, "overtaken")
        progress.note(2, 0.5, "")
    assert plain(capfd) == [
        "networks: 70 %, 7 of 10 done, epoch 3/6, about 90 s left",
        "networks: 80 %, 8 of 10 done, about 60 s left",
    ]


def test_on_a_terminal_there_are_bars_instead(terminal, capfd):
    with show_progress() as report_progress:
        report_progress("cases", 3, 3)
    with Progress("networks", [1, 1]) as progress:
        progress.note(0, 0.5, "epoch 3/6")
        progress.finish(0)
    shown = capfd.readouterr().err
    assert all(part in shown for part in ("cases", "3/3", "networks", "1/2", "epoch 3/6", "━"))
    assert " % " not in shown
    assert "done, about" not in shown
