"""The kernels that torch runs: those of AVX2, the same on every x86-64 processor, or what this one is fastest with.

torch computes by three libraries, and each looks at the processor when it first computes: its own kernels (ATen),
oneDNN for convolutions, MKL for matrix products, logarithms and exponentials. Each has a switch of its own. MKL also
looks at who made the processor: what it calls AVX2 runs on Intel's alone, and others get kernels, and bytes, of their
own. Its branch COMPATIBLE is the only one that it promises to be the same on both (oneMKL Developer Guide, "Getting
Started with Conditional Numerical Reproducibility"); it is SSE2, so matrix products take longer.
"""

from __future__ import annotations

import os
import sys
from collections.abc import MutableMapping
from functools import cache
from pathlib import Path

from busline.base.errors import ParameterError, TrainingError
from busline.base.kernels import X86_64, architecture
from busline.base.settings.training import Kernels

SWITCHES = {"ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2", "MKL_CBWR": "COMPATIBLE"}
"""What each of the three libraries reads, and the value that holds it to what every x86-64 with AVX2 has."""
FORMER = ("DNNL_MAX_CPU_ISA", "MKL_ENABLE_INSTRUCTIONS")
"""Switches for the same things that would get in the way; no run has them."""
LEVELS = ("amx_bf16", "avx512_bf16", "avx512f", "avx2")
"""Features by which torch's libraries choose kernels, the widest first, as Linux names them."""
BF16 = ("amx_bf16", "avx512_bf16")
"""Features with which bf16 is computed by instructions; without them it is emulated."""


def choose_kernels(kernels: Kernels, environment: MutableMapping[str, str] = os.environ) -> None:
    """Set the switches, for torch once it is imported here and for processes that are started later.

    Call it before torch is imported. Where torch was imported already, nothing is changed: it must have been imported
    with these switches. On another architecture than x86-64 there are no switches, and ``avx2`` is what ``native`` is.

    Args:
        kernels: ``avx2`` or ``native``.
        environment: the variables to change.

    Raises:
        ParameterError: if the processor is an x86-64 without AVX2, on which these kernels would crash.
        TrainingError: if torch was imported with other kernels.
    """
    if architecture() != X86_64:
        return
    if kernels == "avx2" and features() and "avx2" not in features():
        mend = "-S train.kernels=native"
        raise ParameterError("train.kernels", "is avx2, which this processor has not", expected="native", mend=mend)
    wanted = dict.fromkeys([*SWITCHES, *FORMER]) | (SWITCHES if kernels == "avx2" else {})
    if "torch" in sys.modules:
        _require(kernels, {name: environment.get(name) for name in wanted}, wanted)
        return
    for name, value in wanted.items():
        environment.pop(name, None)
        if value is not None:
            environment[name] = value


def switches() -> dict[str, str | None]:
    """Return the switches of this process, None for one that is not set."""
    return {name: os.environ.get(name) for name in (*SWITCHES, *FORMER)}


def kernel_class(kernels: Kernels) -> str:
    """Return the class of machines that are to write the same bytes as this one: no name of a model or a host.

    With ``avx2`` it is one for all x86-64. With ``native`` it has the maker and the widest instructions, by which the
    libraries choose; on another architecture it is the architecture.
    """
    machine = architecture()
    if machine != X86_64:
        return machine
    if kernels == "avx2":
        return f"{machine} avx2"
    level = next((name for name in LEVELS if name in features()), "unknown")
    return f"{machine} native {level} {_maker()}"


def computes_bf16() -> bool:
    """Return whether the processor has instructions for bf16, as far as this system says."""
    return any(name in features() for name in BF16)


@cache
def features() -> frozenset[str]:
    """Return the processor's features as Linux names them; none where the system is another."""
    return frozenset(_field("flags").split())


def _maker() -> str:
    return {"GenuineIntel": "intel", "AuthenticAMD": "amd"}.get(_field("vendor_id"), "other")


def _field(name: str) -> str:
    """Return a field of the first processor in /proc/cpuinfo, empty without it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.split(":")[0].strip() == name), "")


def _require(kernels: Kernels, found: dict[str, str | None], wanted: dict[str, str | None]) -> None:
    """Refuse a process in which torch was imported with other kernels than those that are declared."""
    wrong = [f"{name} is {found[name]}" for name, value in wanted.items() if found[name] != value]
    level = sys.modules["torch"].backends.cpu.get_cpu_capability()
    if kernels == "avx2" and level != "AVX2":
        wrong.append(f"torch runs {level}")
    if wrong:
        raise TrainingError(
            "train.kernels",
            f"is {kernels}, but this process imported torch with others ({', '.join(wrong)})",
            mend="start it anew; call busline.base.processor.choose_kernels before torch is imported",
        )
