"""Work on many items at once, in threads, and hand the results out in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

AHEAD = 4
"""Items a thread may be ahead of the one whose result is wanted: few, because a result is held until then."""


def map_in_order(function: Callable[[Item], Result], items: Iterable[Item], workers: int) -> Iterator[Result]:
    """Yield ``function(item)`` of each item in order, as ``map`` does.

    Threads, not processes: they start at once and hand arrays over without copying them. They gain time only where the
    function spends it outside the interpreter's lock, as Pillow does when it decodes and NumPy when it resizes.

    Args:
        function: called in several threads at once, with one worker in the caller's own.
        items: taken at most :data:`AHEAD` ``· workers`` ahead, so that memory does not grow with their number.
        workers: threads.

    Raises:
        Exception: what ``function`` raises for the first item for which it raises; no later result is handed out.
    """
    if workers == 1:
        yield from map(function, items)
        return
    pool = ThreadPoolExecutor(workers, thread_name_prefix="busline")
    waiting: deque[Future[Result]] = deque()
    try:
        for item in items:
            waiting.append(pool.submit(function, item))
            if len(waiting) > AHEAD * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
