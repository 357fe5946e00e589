"""Every reported family's loader: one literal table, and the one function that reads a model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from busline.families import CNN, LESION, LESION_SEGMENT, MERGED, SEGMENT, TABULAR, VOTE, Family
from busline.predictors.cases import Cases
from busline.predictors.cnn import load_cnn
from busline.predictors.lesion import load_lesion
from busline.predictors.lesion_segment import load_lesion_networks
from busline.predictors.merged import load_merged
from busline.predictors.segment import load_segmenter
from busline.predictors.tabular import load_tabular
from busline.predictors.vote import load_vote
from busline.splits import Resample


class Predictor(Protocol):
    """A model that can be applied to cases it has never seen, on the CPU and one thread.

    What it says of a case depends on the case alone, not on the cases beside it.
    """

    def predict(self, cases: Cases) -> Any:
        """Return what the family's table of predictions holds of n cases.

        A classifier gives the probability of each class, float (n, K), the positive one last; a segmentation network
        the outlines, bool (height, width) each, at the pictures' own sizes.

        Raises:
            DataError: if the cases lack what the model was trained on.
        """


PREDICTORS: dict[str, Callable[[Path, str, Resample], Predictor]] = {
    TABULAR.key: load_tabular,
    CNN.key: load_cnn,
    VOTE.key: load_vote,
    MERGED.key: load_merged,
    LESION.key: load_lesion,
    LESION_SEGMENT.key: load_lesion_networks,
    SEGMENT.key: load_segmenter,
}


def load_predictor(data: Path, family: Family, model: str, resample: Resample) -> Predictor:
    """Read a model as one resample left it: the one that the resample's test cases were scored with.

    It says of them what its stage wrote, to the last bit, in a process that runs the same kernels: call
    :func:`busline.base.processor.choose_kernels` with ``train.kernels`` before anything imports torch.

    Args:
        data: folder that holds models/ and vote/.
        family: one that is reported, no search.
        model: name of its file of predictions.
        resample: the master split or a fold, see :data:`busline.splits.Resample`.

    Raises:
        DataError: if something is missing or is not what its stage wrote; it names the stage to run again.
    """
    return PREDICTORS[family.key](data, model, resample)
