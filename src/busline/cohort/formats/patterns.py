"""What a regular expression finds in texts, within a bound of time.

A pattern such as ``(a+)+b`` takes longer than anyone lives on some thirty characters, and Python cannot stop it. So a
pattern is searched for in a process of its own, which is ended once it took :data:`LONGEST_SEARCH`.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import warnings
from collections.abc import Sequence

LONGEST_PATTERN = 200
LONGEST_TEXT = 1000
"""Characters of a cell that is searched; a file's path has no more."""
LONGEST_SEARCH = 20.0
"""Seconds for all cells of a column; a sane pattern takes a millisecond for a thousand of them."""

_SEARCH = """
import json, re, sys, warnings
warnings.simplefilter("ignore")
pattern, texts = json.loads(sys.stdin.buffer.read())
found = (re.search(pattern, text) for text in texts)
json.dump([one and one[1 if one.re.groups else 0] for one in found], sys.stdout)
"""


def require_pattern(pattern: str) -> str:
    """Return a pattern that is a regular expression.

    Raises:
        ValueError: with the reason, if it is none, or too long.
    """
    if len(pattern) > LONGEST_PATTERN:
        raise ValueError(f"is longer than {LONGEST_PATTERN} characters")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of sets that may mean another thing in a later Python
            re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"is no regular expression ({error})") from error
    return pattern


def search_all(pattern: str, texts: Sequence[str], seconds: float = LONGEST_SEARCH) -> list[str | None]:
    """Return what a pattern finds in each text: its first group if it has one, else all of it; None if nothing.

    Raises:
        ValueError: if a text is too long, or the search takes too long.
    """
    if not texts:
        return []
    if max(map(len, texts)) > LONGEST_TEXT:
        raise ValueError(f"is for cells of at most {LONGEST_TEXT} characters")
    command = [sys.executable, "-I", "-S", "-c", _SEARCH]
    message = json.dumps([pattern, list(texts)]).encode()
    try:
        done = subprocess.run(command, input=message, stdout=subprocess.PIPE, check=True, timeout=seconds)  # noqa: S603  # fixed program, no shell
    except subprocess.TimeoutExpired as error:
        raise ValueError(
            f"takes longer than {seconds:g} s; write it without a repetition inside a repetition"
        ) from error
    except subprocess.CalledProcessError as error:
        raise ValueError("cannot be searched for; write a simpler one") from error
    return [found or None for found in json.loads(done.stdout)]
