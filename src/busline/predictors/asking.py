"""How a stored network is asked: on the CPU and one thread, as its stage asked it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from busline.base.settings.training import Precision
from busline.models.classes import class_probabilities
from busline.training.inference import ask
from busline.training.tasks import Seen
from busline.training.threads import one_thread

CPU = torch.device("cpu")


def ask_here(
    network: nn.Module,
    seen: Seen,
    precision: Precision,
    function: Callable[[torch.Tensor], torch.Tensor] = class_probabilities,
) -> np.ndarray:
    """Return a function of the network's logits, float32 (n, ...); by default the probability of each class, (n, K).

    See :func:`busline.training.inference.ask`.
    """
    with one_thread():
        return ask(network, seen, function, precision=precision, device=CPU)
