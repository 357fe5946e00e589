"""Settings of the machine, not of the study: they change how fast a result comes, never which, so DVC ignores them."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args

from busline.base.errors import ParameterError

Device = Literal["auto", "cpu", "cuda"]
Value = TypeVar("Value")
HELP = """Settings of the machine, from the environment: \
BUSLINE_WORKERS, folds or images worked on side by side (the number of cores); \
BUSLINE_DEVICE, auto, cpu or cuda (auto: the GPU if there is one); \
BUSLINE_CACHE, folder of finished folds (~/.cache/busline), empty for none; \
BUSLINE_CACHE_LIMIT, its size in GiB (5); \
BUSLINE_LOG, file that notes how each run went (logs/runs.jsonl), empty for none."""


@dataclass(frozen=True)
class Runtime:
    """How this machine runs a stage.

    Attributes:
        workers: processes that train folds side by side, one thread each, or threads that read images.
        device: where networks train.
        cache: folder of finished folds; None keeps none.
        cache_limit: bytes the folder may hold.
        log: file to which a line a run is added; None for none.
    """

    workers: int = 1
    device: Device = "cpu"
    cache: Path | None = None
    cache_limit: int = 5 * 2**30
    log: Path | None = None

    def record(self, entry: Mapping[str, Any]) -> None:
        """Add a line to the log; a log that cannot be written never stops a run."""
        if self.log is None:
            return
        line = json.dumps({"time": datetime.now(UTC).isoformat(timespec="seconds"), **entry}, sort_keys=True)
        try:
            self.log.parent.mkdir(parents=True, exist_ok=True)
            with self.log.open("a", encoding="utf-8") as file:
                file.write(line + "\n")
        except OSError as error:
            print(f"note: {self.log} cannot be written ({error.strerror})")


def load_runtime() -> Runtime:
    """Read the environment variables; see :data:`HELP`.

    Raises:
        ParameterError: if a variable is not what it should be.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    cache = _read("BUSLINE_CACHE", "a folder", str, None)
    log = _read("BUSLINE_LOG", "a file", str, None)
    return Runtime(
        workers=_read("BUSLINE_WORKERS", "a whole number of at least 1", _count, cores),
        device=_read("BUSLINE_DEVICE", "auto, cpu or cuda", _device, "auto"),
        cache=_place(cache, _user_cache() / "busline"),
        cache_limit=int(_read("BUSLINE_CACHE_LIMIT", "a number of GiB above 0", _size, 5.0) * 2**30),
        log=_place(log, Path("logs/runs.jsonl")),
    )


def _read(name: str, expected: str, parse: Callable[[str], Value], default: Value | None) -> Any:
    text = os.environ.get(name)
    if text is None or (not text and default is not None):
        return default
    try:
        return parse(text)
    except ValueError:
        raise ParameterError(name, f"is {text!r}", expected=expected) from None


def _count(text: str) -> int:
    if int(text) < 1:
        raise ValueError(text)
    return int(text)


def _size(text: str) -> float:
    if not 0.0 < float(text) < float("inf"):
        raise ValueError(text)
    return float(text)


def _device(text: str) -> str:
    if text not in get_args(Device):
        raise ValueError(text)
    return text


def _place(text: str | None, default: Path) -> Path | None:
    if text is None:
        return default
    return Path(text).expanduser() if text else None


def _user_cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
