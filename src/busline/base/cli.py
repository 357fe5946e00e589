"""How a stage script runs: typer options, one clear message for a user's mistake, exit code 1."""

from __future__ import annotations

import errno
import sys
from collections.abc import Callable

import typer

from busline.base.errors import BuslineError, cut
from busline.base.runtime import HELP

LONGEST_PLACE = 300


def run_stage(function: Callable[..., None]) -> None:
    """Run ``function`` as a command line program.

    A :class:`BuslineError` or an error of the file system (a full disk, a missing permission) ends the program with
    exit code 1 and its message on standard error; any other exception is a defect and keeps its traceback.
    """
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command(epilog=HELP)(function)
    run_app(app)


def run_app(app: typer.Typer) -> None:
    """Run a program of several commands; errors end it as :func:`run_stage` says."""
    try:
        app()
    except BuslineError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)
    except OSError as error:
        place = cut(str(error.filename or "file system"), LONGEST_PLACE)
        mend = "shorten the name" if error.errno == errno.ENAMETOOLONG else "check the disk and try again"
        print(f"error: {place}: {error.strerror or error}\n  to mend:  {mend}", file=sys.stderr)
        sys.exit(1)
