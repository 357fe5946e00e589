"""A training process: how it starts, what it may use of the machine, and how it ended if not by itself."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterable
from multiprocessing.process import BaseProcess
from typing import Any

START = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
FREE = "free memory, set BUSLINE_WORKERS=1, or choose a smaller network, batch_size or image_size"
OTHER = "choose another model; if this one ran before, look at what changed in requirements.lock"
NO_MEMORY = ("DefaultCPUAllocator", "std::bad_alloc", "out of memory", "could not create a memory object")


def end_with_stage() -> None:
    """End this process when the stage is killed: it would go on for nobody, or wait for its next unit for ever."""

    def watch(parent: BaseProcess) -> None:
        parent.join()
        os._exit(1)

    parent: Any = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=watch, args=(parent,), daemon=True).start()


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an error says that memory ran out, the machine's or a GPU's."""
    return isinstance(error, MemoryError) or any(words in str(error) for words in NO_MEMORY)


def how_they_ended(processes: Iterable[BaseProcess]) -> tuple[str, str]:
    """Return how the first of some processes ended that did not end by itself, and what to do about it.

    A pool that breaks tells its other processes to end (SIGTERM), so that this is the reason only if there is no other.
    """
    codes = []
    for process in processes:
        process.join(timeout=10)
        codes.append(process.exitcode)
    told = -signal.SIGTERM
    unusual = [code for code in codes if code not in (None, 0)]
    first = next((code for code in unusual if code != told), told if told in unusual else None)
    return describe_end(first)


def describe_end(code: int | None) -> tuple[str, str]:
    """Return what an exit code says, negative for a signal, and what to do about it; None if there is none."""
    if code is None:
        return "a training process ended and left no exit code", FREE
    if code >= 0:
        return f"a training process ended by itself with exit code {code}", OTHER
    name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
    if name == "SIGKILL":
        return "a training process was killed (SIGKILL), as the system does when memory runs out", FREE
    if name in ("SIGTERM", "SIGINT", "SIGHUP"):
        return f"a training process was told to end ({name}), by a person or a scheduler", "run it again"
    return f"a training process crashed ({name}): a fault in a library, not a lack of memory", OTHER
