"""The benchmark's lines on copies say what was found, and judge what is asked."""

from bench.copies import ASKED, copies_lines, phantoms
from busline.audit.changes import CHANGES, FURTHER


def test_every_kind_has_a_line_and_the_asked_ones_are_judged():
    lines = copies_lines(phantoms(6))
    titles = [line.title.removeprefix("copies found: ") for line in lines]
    assert titles == [*CHANGES, *FURTHER]
    judged = [title for title, line in zip(titles, lines, strict=True) if line.verdict != "shown"]
    assert sorted(judged) == sorted(ASKED)
    assert {line.verdict for line in lines if line.verdict != "shown"} == {"reached"}
    assert all(line.low <= line.value <= line.high for line in lines)
    assert all(line.note.startswith("exact 95 % interval; 0 falsely joined") for line in lines)
