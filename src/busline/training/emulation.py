"""bf16 on a processor that has no instructions for it: correct, and several times slower than fp32."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

from busline.base.processor import computes_bf16
from busline.base.settings.training import Precision

SECONDS = 0.3
"""How long each arithmetic is measured at least."""
SLOWER = 1.2
"""From this factor on bf16 is not worth it."""


def warn_if_emulated(precision: Precision, device: str) -> None:
    """Say on standard error what bf16 costs where the processor must emulate it: a measurement of a second."""
    if precision != "bf16" or device != "cpu" or computes_bf16():
        return
    factor = measure_factor()
    if factor >= SLOWER:
        print(
            f"warning: this processor has no instructions for bf16: a convolution learns {factor:.0f} times slower "
            "than in fp32\n  to mend:  -S train.precision=fp32",
            file=sys.stderr,
            flush=True,
        )


def measure_factor() -> float:
    """Return the time that a convolution's training step takes in bf16, in units of that in fp32, on one thread."""
    import torch

    layer = torch.nn.Conv2d(32, 32, 3, padding=1, bias=False)
    torch.nn.init.ones_(layer.weight)
    images = torch.ones(4, 32, 32, 32, requires_grad=True)

    def step(enabled: bool) -> None:
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=enabled):
            found = layer(images)
        found.float().sum().backward()

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return _seconds(lambda: step(True)) / _seconds(lambda: step(False))
    finally:
        torch.set_num_threads(threads)


def _seconds(step: Callable[[], None]) -> float:
    """Return the shortest time of a step; the first one, which makes the kernels, does not count."""
    step()
    times: list[float] = []
    while sum(times) < SECONDS:
        start = time.perf_counter()
        step()
        times.append(time.perf_counter() - start)
    return min(times)
