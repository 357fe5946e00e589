"""Errors a user can mend: each names the place, what was expected there, and what to do."""

from __future__ import annotations

import difflib
import reprlib
from collections.abc import Iterable
from typing import Any

LONGEST_SHOWN = 80
"""Characters of a value that a message prints."""
LONGEST_LINE = 1000
"""Characters that a line of a list of problems may have."""


class BuslineError(Exception):
    """A user's mistake or a bad input; a stage prints it as one message and exits with 1.

    Args:
        where: the file, row, column or key the problem is in.
        problem: what was found there.
        expected: what would have been right.
        mend: what the user can do about it.
    """

    def __init__(self, where: str, problem: str, *, expected: str = "", mend: str = "") -> None:
        lines = [f"{where}: {problem}"]
        if expected:
            lines.append(f"  expected: {expected}")
        if mend:
            lines.append(f"  to mend:  {mend}")
        super().__init__("\n".join(lines))

    def __reduce__(self) -> tuple[Any, ...]:
        """Let the error cross from a training process to the stage with its message as it is."""
        return _with_message, (type(self), str(self))


def _with_message(kind: type[BuslineError], message: str) -> BuslineError:
    error = kind.__new__(kind)
    Exception.__init__(error, message)
    return error


class ParameterError(BuslineError):
    """params.yaml has an unknown key, a wrong type, or a value that does not exist."""


class DataError(BuslineError):
    """A source's file, table, image or mask is missing, broken or contradicts itself."""


class DownloadError(BuslineError):
    """A download failed, was cut short, or has the wrong checksum."""


class TrainingError(BuslineError):
    """Training cannot go on, for example because a loss is not a number."""


def shown(value: object) -> str:
    """Return a value as a message shows it: its ``repr``, cut after some 80 characters or few levels of nesting."""
    if isinstance(value, str):
        return repr(value) if len(value) <= LONGEST_SHOWN else f"{value[:LONGEST_SHOWN]!r}…"
    return cut(_short.repr(value))


def cut(text: str, longest: int = LONGEST_SHOWN) -> str:
    """Return a text, or its beginning and an ellipsis where it is longer than ``longest`` characters."""
    return text if len(text) <= longest else f"{text[:longest]}…"


def plain(text: str) -> str:
    """Return a name as a message shows it without quotes: cut, and without what a terminal would obey."""
    return cut("".join(character if character.isprintable() else "\ufffd" for character in text[: LONGEST_SHOWN + 1]))


def near_matches(name: str, known: Iterable[str]) -> str:
    """Return a phrase that offers the known names nearest to ``name``, or all of them if few."""
    names = sorted(cut(text) for text in known)
    close = difflib.get_close_matches(cut(name), names, n=3, cutoff=0.5)
    if close:
        return "did you mean " + " or ".join(repr(match) for match in close) + "?"
    offered = ", ".join(names[:20])
    return f"choose one of: {offered}" + (" …" if len(names) > 20 else "")


def list_problems(where: str, problems: list[str], *, expected: str = "", mend: str = "") -> DataError:
    """Return one error that lists every problem found, so that all are mended in one go."""
    lines = [cut(line, LONGEST_LINE) for line in problems[:50]]
    more = [f"… and {len(problems) - 50} more"] if len(problems) > 50 else []
    count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    return DataError(where, count + "".join(f"\n  - {line}" for line in lines + more), expected=expected, mend=mend)


_short = reprlib.Repr()
_short.maxlevel, _short.maxstring, _short.maxother, _short.maxlong = 2, LONGEST_SHOWN, LONGEST_SHOWN, LONGEST_SHOWN
