"""One thread, and memory that is kept: how a network is trained, and how it is asked."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager


def keep_memory() -> None:
    """Let the C library keep freed memory for the next batch instead of returning it to the system.

    glibc maps tensors of more than 32 MiB anew, which can take a third of the time; other libraries are left alone.
    """
    library = ctypes.CDLL(None) if sys.platform == "linux" else None
    if library is not None and hasattr(library, "mallopt"):
        never_map, never_trim = (-4, 0), (-1, 2**31 - 1)  # M_MMAP_MAX and M_TRIM_THRESHOLD of malloc.h
        for option, value in (never_map, never_trim):
            library.mallopt(option, value)


@contextmanager
def one_thread() -> Iterator[None]:
    """Keep NumPy's, the boosters' and torch's kernels to one thread in the block; the number changes last bits."""
    from threadpoolctl import threadpool_limits

    keep_memory()
    torch = sys.modules.get("torch")
    before = torch.get_num_threads() if torch else 1
    with threadpool_limits(1):
        if torch:
            torch.set_num_threads(1)
        try:
            yield
        finally:
            if torch:
                torch.set_num_threads(before)
