"""The processes of one side, and two sides that work in turns."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any

Answers = list[dict[str, Any]]


class Workers:
    """Processes that work side by side; see :mod:`bench.side`.

    Args:
        command: arguments of ``python -m bench.side``, or a whole command if ``program`` is given.
        count: how many of them.
        program: another interpreter and script.
    """

    def __init__(self, command: Sequence[str], count: int = 1, *, program: Sequence[str] | None = None) -> None:
        start = [*(program or (sys.executable, "-m", "bench.side")), *command]
        self.processes = [
            subprocess.Popen(start, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8", env=_environment())  # noqa: S603  # our own programs
            for _ in range(count)
        ]
        self.note = ""

    def __enter__(self) -> Workers:
        self.note = str(self._read()[0]["ready"])
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self.processes:
            assert process.stdin is not None
            process.stdin.close()
        for process in self.processes:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()

    def ask(self, *requests: dict[str, Any]) -> tuple[float, Answers]:
        """Send the first processes a request each, and return the seconds until the last is done, and the answers."""
        start = time.perf_counter()
        for process, request in zip(self.processes, requests, strict=False):
            assert process.stdin is not None
            process.stdin.write(json.dumps(request) + "\n")
            process.stdin.flush()
        answers = self._read(len(requests))
        return time.perf_counter() - start, answers

    def ask_all(self, **request: Any) -> tuple[float, Answers]:
        """Send every process the same request; see :meth:`ask`."""
        return self.ask(*[request] * len(self.processes))

    def rate(self, **request: Any) -> float:
        """Return the images a second of all processes together."""
        seconds, answers = self.ask_all(**request)
        return float(sum(answer["images"] for answer in answers)) / seconds

    def _read(self, count: int | None = None) -> Answers:
        answers = []
        for process in self.processes[:count]:
            assert process.stdout is not None
            line = process.stdout.readline()
            if not line:
                raise RuntimeError(f"a process of the benchmark ended early: {process.args!r}")
            answers.append(json.loads(line))
        return answers


@dataclass(frozen=True)
class Pace:
    """How long and how often things are timed: rounds, and seconds a timing should take at least."""

    rounds: int
    seconds: float


def take_turns(ours: Callable[[], float], theirs: Callable[[], float], rounds: int) -> tuple[list[float], list[float]]:
    """Time both sides in turns, and who goes first in turns as well."""
    found: tuple[list[float], list[float]] = ([], [])
    for number in range(rounds):
        for side in (0, 1) if number % 2 else (1, 0):
            found[side].append((ours, theirs)[side]())
    return found


def compare_training(ours: Workers, theirs: Workers, pace: Pace) -> tuple[list[float], list[float]]:
    """Return both sides' images a second; each timing has whole epochs and lasts as long as the pace asks."""

    def prepare(workers: Workers) -> Callable[[], float]:
        seconds, _ = workers.ask_all(epochs=1)
        epochs = max(1, math.ceil(pace.seconds / seconds))
        return lambda: workers.rate(epochs=epochs)

    return take_turns(prepare(ours), prepare(theirs), pace.rounds)


def _environment() -> dict[str, str]:
    return {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "KERAS_BACKEND": "tensorflow", "PYTHONWARNINGS": "ignore"}
