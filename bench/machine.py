"""What the machine is, and how much memory a process and its children take."""

from __future__ import annotations

import os
import platform
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

FLAGS = ("avx2", "avx512f", "avx512_bf16", "amx_bf16")
INTERVAL = 0.05


def describe() -> dict[str, Any]:
    """Return cores, processor features, memory and versions: nothing that names the machine or its user."""
    text = _read(Path("/proc/cpuinfo"))
    flags = next((line.split() for line in text.splitlines() if line.startswith("flags")), [])
    memory = next((line.split()[1] for line in _read(Path("/proc/meminfo")).splitlines() if "MemTotal" in line), None)
    return {
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "architecture": platform.machine(),
        "features": [flag for flag in FLAGS if flag in flags],
        "memory_gib": round(int(memory) / 2**20) if memory else None,
        "python": platform.python_version(),
        "torch": version("torch"),
    }


@dataclass
class Memory:
    """Peaks in MiB, over a process and all that it started.

    Attributes:
        rss: resident memory; pages that processes share count once for each.
        pss: the same with shared pages shared out.
    """

    rss: float = 0.0
    pss: float = 0.0


@contextmanager
def watch(pid: int) -> Iterator[Memory]:
    """Sample a process and its children inside the block; the peaks stand in the object that is handed out."""
    memory, ended = Memory(), threading.Event()

    def sample() -> None:
        while not ended.wait(INTERVAL):
            tree = process_tree(pid)
            memory.rss = max(memory.rss, sum(_field(Path(f"/proc/{one}/status"), "VmRSS:") for one in tree))
            memory.pss = max(memory.pss, sum(_field(Path(f"/proc/{one}/smaps_rollup"), "Pss:") for one in tree))

    thread = threading.Thread(target=sample, daemon=True)
    thread.start()
    try:
        yield memory
    finally:
        ended.set()
        thread.join()


def process_tree(root: int) -> list[int]:
    """Return a process and all its descendants."""
    children: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        parts = _read(path).rpartition(")")[2].split()
        if parts:
            children.setdefault(int(parts[1]), []).append(int(path.parent.name))
    found = [root]
    for one in found:
        found += children.get(one, [])
    return found


def _field(path: Path, name: str) -> float:
    """Return a field of a file of /proc in MiB; 0 if the process has ended."""
    line = next((line for line in _read(path).splitlines() if line.startswith(name)), "")
    return int(line.split()[1]) / 1024.0 if line else 0.0


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return ""
