"""Settings of the machine, not of the study: they change how fast a result comes, never which, so DVC ignores them."""

from __future__ import annotations

import os
from dataclasses import dataclass

from busline.base.errors import ParameterError

HELP = "BUSLINE_WORKERS: folds trained side by side (default: the number of cores)."


@dataclass(frozen=True)
class Runtime:
    """How this machine runs a stage.

    Attributes:
        workers: processes that train folds side by side, one thread each.
    """

    workers: int


def load_runtime() -> Runtime:
    """Read the environment variables; see :data:`HELP`.

    Raises:
        ParameterError: if a variable is not what it should be.
    """
    text = os.environ.get("BUSLINE_WORKERS", "")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if not text:
        return Runtime(cores)
    if not text.isdigit() or int(text) < 1:
        raise ParameterError("BUSLINE_WORKERS", f"is {text!r}", expected="a whole number of at least 1")
    return Runtime(int(text))
