"""The kernels that NumPy and OpenBLAS choose, held to what every x86-64 of the last ten years has.

Both look at the processor when they are imported and take other code, which rounds otherwise, where they find more:
NumPy its exp, log and sin, OpenBLAS its matrix products. On a processor with AVX-512 some gray levels of the phantoms
and the last bits of a logistic regression would differ from those of one without. Other architectures (arm64) have
kernels, and so bytes, of their own.
"""

from __future__ import annotations

import os
import platform
from collections.abc import MutableMapping

NUMPY_OFF = ("X86_V4", "AVX512_ICL", "AVX512_SPR")
"""NumPy's dispatch levels above AVX2 and FMA (X86_V3), under the names it has had since version 2.4."""

X86_64 = "x86_64"
BLAS_CORE = "Haswell"
"""OpenBLAS's kernels for AVX2 and FMA."""


def cap_kernels(environment: MutableMapping[str, str] = os.environ, machine: str | None = None) -> None:
    """Set the variables that NumPy and OpenBLAS read on import; processes that are started later inherit them.

    What a user has switched off already stays off. Without effect where NumPy was imported before, or on another
    architecture than x86-64.

    Args:
        environment: the variables to change.
        machine: the architecture, as :func:`platform.machine` names it; that of this machine by default.
    """
    if architecture(machine) != X86_64:
        return
    off = environment.get("NPY_DISABLE_CPU_FEATURES", "").replace(",", " ").split()
    environment["NPY_DISABLE_CPU_FEATURES"] = " ".join(dict.fromkeys([*off, *NUMPY_OFF]))
    environment["OPENBLAS_CORETYPE"] = BLAS_CORE


def architecture(machine: str | None = None) -> str:
    """Return an architecture under one name, that of this machine by default: Windows says AMD64 for x86_64."""
    name = (machine or platform.machine()).lower()
    return X86_64 if name == "amd64" else name
