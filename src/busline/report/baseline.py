"""What a model has to be better than: the row of calling every case the commoner class."""

from __future__ import annotations

from busline.evaluation.results import Protocol
from busline.report.layout import Row
from busline.report.names import METRICS, NOTHING


def no_skill(protocol: Protocol) -> list[Row]:
    """Return what calling every case the commoner class scores, which an accuracy has to be seen beside."""
    if len(protocol.classes) != 2 or protocol.positives is None:
        return []
    share = protocol.positives / protocol.cases
    label = protocol.classes[int(share > 0.5)]
    row = dict.fromkeys(("paper", "interval", "master", "folds", "agrees"), NOTHING)
    own = {"model": f"Always {label}", "metric": METRICS["accuracy"], "ours": max(share, 1.0 - share)}
    return [{**row, **own, "paper": None, "status": "run"}]
