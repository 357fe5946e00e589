"""What the lesion network learns: outline, label and findings, from two views of each case.

A case is drawn twice at every step, each time changed at random: as a whole, squashed to a square, and as a square
window around its lesion. The loss is the sum of the field's usual parts, without class weights, because the
probabilities are to be calibrated.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from busline.models.gray import to_lesion_scale, unit
from busline.models.lesion import LesionLogits
from busline.training import views
from busline.training.tasks import Arrays, Batch, Seen, dice_cross_entropy, for_network

WINDOW = 1.6
"""Side of a plain window over the longer side of the lesion's box."""
LABEL_WEIGHT = 0.5


@dataclass(frozen=True)
class LesionArrays(Arrays):
    """Pictures of their own shape, each in the upper left corner of a square canvas, and all that is known of them.

    Attributes:
        images: uint8 (n, C, C).
        masks: uint8 (n, C, C), 0 or 255.
        sizes: int64 (n, 2), width and height of each picture.
        boxes: float32 (n, 4), left, upper, right and lower edge of each lesion in pixels.
        labels: float32 (n,), 1 for the positive class.
        findings: float32 (n, findings), 0, 1, or NaN where unknown.
    """

    images: torch.Tensor
    masks: torch.Tensor
    sizes: torch.Tensor
    boxes: torch.Tensor
    labels: torch.Tensor
    findings: torch.Tensor


@dataclass(frozen=True)
class LesionTask:
    """Outline, label and findings from two views a case.

    Attributes:
        arrays: of all cases.
        side: of the views in pixels.
        ranges: how far views are changed.
        findings_weight: of the findings' loss.
    """

    arrays: LesionArrays
    side: int
    ranges: views.Ranges
    findings_weight: float = 0.5

    @property
    def draws(self) -> int:
        """Numbers a case: those of its two views."""
        return 2 * views.DRAWS

    @property
    def views(self) -> int:
        """The whole picture and the window."""
        return 2

    def batch(self, networks: torch.Tensor, index: torch.Tensor, draws: torch.Tensor | None) -> Batch:
        """Return views (k, 2 b, 1, s, s), a case's two side by side, their masks, and labels and findings twice.

        Args:
            networks: not looked at: all networks of a stack learn from the same arrays.
            index: positions of the cases, (k, b).
            draws: float32 (k * b, :attr:`draws`); None for plain views.
        """
        arrays, cases = self.arrays, index.flatten()
        canvas, canvases = arrays.images.shape[-1], unit(arrays.images[cases])
        outlines = arrays.masks[cases].unsqueeze(1)
        first, second = (None, None) if draws is None else draws.split(views.DRAWS, dim=1)
        ranges = None if draws is None else self.ranges
        maps = [
            views.whole(arrays.sizes[cases], canvas, ranges, first),
            views.window(arrays.boxes[cases], canvas, WINDOW, ranges, second),
        ]
        seen = torch.stack([views.look(canvases, part, self.side) for part in maps], dim=1).flatten(0, 1)
        if draws is not None:
            seen = views.change_intensity(seen, self.ranges, draws.unflatten(1, (2, -1)).flatten(0, 1))
        true = torch.stack([views.look(outlines.float() / 255.0, part, self.side) for part in maps], dim=1)
        shape = (index.shape[0], 2 * index.shape[1])
        return Batch(
            (for_network(to_lesion_scale(seen), shape),),
            (true.flatten(0, 1) > 0.5).float().unflatten(0, shape),
            outlines.amax(dim=(1, 2, 3)).gt(0).float().unflatten(0, index.shape),
            (arrays.labels[index].repeat_interleave(2, dim=1), arrays.findings[index].repeat_interleave(2, dim=1)),
        )

    def seen(self, network: int, cases: np.ndarray) -> Seen:
        """Refuse: a trained network sees two views, the second where its own outline lies (:mod:`.two_views`)."""
        raise NotImplementedError("busline.training.two_views shows a lesion network its cases")

    def losses(self, logits: LesionLogits, batch: Batch) -> torch.Tensor:
        """Return each case's loss, the mean over its views, (k, b).

        Cross-entropy of the pixels, plus 1 - soft Dice, plus half the cross-entropy of the label, plus the weighted
        mean one of the known findings. A case without an outline has no loss of its mask.
        """
        label, findings = batch.more
        outline = dice_cross_entropy(logits.mask, batch.target)
        known = (~findings.isnan()).float()
        found = F.binary_cross_entropy_with_logits(logits.findings, findings.nan_to_num(), reduction="none")
        of_findings = (found * known).sum(dim=2) / known.sum(dim=2).clamp_min(1.0)
        of_label = F.binary_cross_entropy_with_logits(logits.label, label, reduction="none")
        judged = LABEL_WEIGHT * of_label + self.findings_weight * of_findings
        return _by_case(outline) * batch.weight + _by_case(judged)

    def score(self, logits: Any, target: torch.Tensor, valid: torch.Tensor) -> torch.Tensor:
        """Refuse: the network learns from all training cases and has no validation cases to be scored on."""
        raise NotImplementedError("the lesion network has no validation cases")

    def probabilities(self, logits: Any) -> torch.Tensor:
        """Refuse: see :meth:`seen`."""
        raise NotImplementedError("busline.training.two_views makes of the logits what is saved")


def _by_case(losses: torch.Tensor) -> torch.Tensor:
    """Return the means over the two views of each case: (k, 2 b) to (k, b)."""
    means: torch.Tensor = losses.unflatten(1, (-1, 2)).mean(dim=2)
    return means
