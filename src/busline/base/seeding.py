"""Seeds that depend on what they serve, never on global state or on the order of work."""

from __future__ import annotations

import hashlib

import numpy as np


def derive_seed(root: int, *parts: str | int) -> int:
    """Return a seed in [0, 2**63) for the thing that ``parts`` name, e.g. (model, repeat, fold).

    The same root and parts give the same seed on every machine; any change gives an unrelated one.
    """
    text = "\x1f".join([str(root), *(str(part) for part in parts)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def numpy_generator(root: int, *parts: str | int) -> np.random.Generator:
    """Return NumPy's default generator seeded by :func:`derive_seed`."""
    return np.random.default_rng(derive_seed(root, *parts))
