"""What is true of each family of models: the one table that the stages, evaluation, audit and report read.

A family of models shares its input and its way of training; its predictions lie in one folder. To add one: a row here
and a stage that writes its predictions.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Any, Literal

TRAINING = ("train", "val", "tune")
"""Roles of the cases of a resample that are not tested; whose loss stops a network counts as learnt from."""
KEPT_OUT = "tune"
"""Role of the cases that some models do not learn from, so that something can be chosen on them."""
WITHOUT_KEPT_OUT = ("train", "val")
ALL, WITHOUT_TUNE = "all", "without_tune"
"""Where a model is fitted twice a resample: on all training cases, as is reported, or without those to choose on."""
TOGETHER = "models"
"""The group of comparisons of all models with every metric."""
GROUPS = {
    TOGETHER: "All models",
    "augmentation": "Levels of augmentation",
    "dnn_search": "Sizes of the tabular network",
    "lesion_parts": "Parts of the lesion model",
}
"""Titles of the families of comparisons (what is asked at once, and corrected for at once), in the report's order."""


@dataclass(frozen=True)
class Family:
    """One row of the table."""

    key: str
    """Names its folders below data/predictions and data/curves, and its part of the metrics."""
    title: str
    """What its models learn from, or what they are, in a word or two."""
    task: Literal["classification", "segmentation"]
    learns_from: tuple[str, ...] = TRAINING
    """Roles of the cases that an evaluated model was trained on."""
    left_out: int = 1
    """Folds of a repeat that a model did not learn from: its test fold, and 1 more where *pairs* of folds are left out.

    With the roles it gives the ratio of test to training cases, and so the width of the intervals.
    """
    all_repeats: bool = False
    """Whether it is trained in every repeat of the cross-validation, or in the first ``cv.image_repeats``."""
    active: str = ""
    """Dotted key of the list of its active models in the parameters; empty if that is not what decides."""
    files: tuple[str, ...] = ()
    """The fixed list of its files of predictions, where no parameter lists its models."""
    members: tuple[str, ...] = ()
    """Families of which it joins every two models, named a+b; empty if it joins none."""
    point: str = ""
    """Template of a model's name over columns of its file, where the one file holds a grid of models."""
    curves: Literal["", "each", "one"] = ""
    """Learning curves: none, a file for each file of predictions, or one file of the family's own name."""
    search: bool = False
    """Whether it is a comparison that feeds nothing or parts of a model, with the ROC AUC only; else every metric."""
    chooses: Literal["", "kept out", "inner"] = ""
    """On what a threshold and a calibration are chosen, see :mod:`busline.evaluation.held_out`; empty: on nothing."""
    binary_only: bool = False
    """Whether it is for two classes alone: a study of more is run without it."""
    stage: str = ""
    """Stage that writes its models, if it has not the family's own name and a model to itself."""
    group: str = ""
    """Its family of comparisons, a key of :data:`GROUPS`; empty if its models are not compared."""

    @property
    def chosen_on(self) -> tuple[str, ...]:
        """Roles of the cases that a threshold is chosen on."""
        return {"": (), "kept out": (KEPT_OUT,), "inner": self.learns_from}[self.chooses]

    @property
    def operated_learns_from(self) -> tuple[str, ...]:
        """Roles of the cases that a model was trained on whose threshold was chosen."""
        kept_out = (KEPT_OUT,) if self.chooses == "kept out" else ()
        return tuple(role for role in self.learns_from if role not in kept_out)


TABULAR = Family(
    "tabular",
    "Table",
    "classification",
    all_repeats=True,
    active="tabular.active",
    curves="each",
    chooses="kept out",
    group=TOGETHER,
)
DNN_SEARCH = Family(
    "dnn_search",
    "Search of the tabular network",
    "classification",
    all_repeats=True,
    files=("dnn",),
    point="h{hidden}_d{dropout}",
    curves="each",
    search=True,
    group="dnn_search",
)
AUGMENTATION = Family(
    "augmentation",
    "Augmentation",
    "classification",
    learns_from=WITHOUT_KEPT_OUT,
    active="augmentation.active",
    curves="each",
    search=True,
    group="augmentation",
)
CNN = Family(
    "cnn",
    "Image",
    "classification",
    learns_from=WITHOUT_KEPT_OUT,
    active="cnn.active",
    curves="each",
    chooses="kept out",
    group=TOGETHER,
)
VOTE = Family(
    "vote",
    "Voting",
    "classification",
    learns_from=WITHOUT_KEPT_OUT,
    members=(TABULAR.key, CNN.key),
    chooses="kept out",
    stage="vote",
    group=TOGETHER,
)
MEMBER_COLUMNS = (TABULAR.key, "image")
"""Columns of the table of voting weights that name a pair's members."""
MERGED = Family(
    "merged",
    "Merged",
    "classification",
    learns_from=WITHOUT_KEPT_OUT,
    active="merged.active",
    curves="each",
    chooses="kept out",
    group=TOGETHER,
)
LESION = Family(
    "lesion",
    "Lesion",
    "classification",
    left_out=2,  # see LESION_SEGMENT: the regression learns from one fold more, the networks that it rests on do not
    files=("image", "image_scale", "image_clinical", "image_scale_clinical"),
    curves="one",
    binary_only=True,
    stage="combine",
    chooses="inner",
    group=TOGETHER,
)
LESION_PARTS = Family(
    "lesion_parts",
    "Parts of the lesion model",
    "classification",
    left_out=2,  # as LESION; the part "clinical" rests on no network, and its interval is the wider for it
    files=(
        "malignancy",
        "malignancy_whole",
        "malignancy_window",
        "network",
        "shape",
        "scale",
        "clinical",
        "network_clinical",
        "shape_clinical",
    ),
    binary_only=True,
    search=True,
    group="lesion_parts",
)
LESION_SEGMENT = Family(
    "lesion_segment",
    "Lesion network",
    "segmentation",
    left_out=2,  # a network for every pair of folds (busline.studies.lesion)
    files=("lesion",),
    binary_only=True,
    stage="lesion",
)
SEGMENT = Family("segment", "Segmentation network", "segmentation", active="seg.active", curves="each")

FAMILIES: dict[str, Family] = {
    family.key: family
    for family in (
        TABULAR,
        DNN_SEARCH,
        AUGMENTATION,
        CNN,
        VOTE,
        MERGED,
        LESION,
        LESION_PARTS,
        LESION_SEGMENT,
        SEGMENT,
    )
}
"""The table, in the report's order.

The networks of :data:`LESION_SEGMENT` learn from all folds but two. :data:`LESION` and :data:`LESION_PARTS` are
regressions that learn from all folds but one, on numbers that these networks say: what can be known of a case is learnt
by the networks, from K - 2 folds, and the regression weighs a dozen numbers. So they have the networks' ratio, which is
also the wider interval: a claim is rather too modest than too bold.
"""


def classifiers(*, search: bool | None = None) -> list[Family]:
    """Return the families of classifiers in order, those that are searches or are not if ``search`` is given."""
    families = [family for family in FAMILIES.values() if family.task == "classification"]
    return [family for family in families if search is None or family.search == search]


def segmenters() -> list[Family]:
    """Return the families of segmentation networks in order."""
    return [family for family in FAMILIES.values() if family.task == "segmentation"]


def active_files(family: Family, params: object) -> list[str]:
    """Return the names of a family's files of predictions: its active models, pairs a+b of them, or its fixed list.

    Args:
        family: a row of the table.
        params: all parameters, which hold the lists that :attr:`Family.active` names.
    """
    if family.members:
        lists = [active_files(FAMILIES[key], params) for key in family.members]
        return ["+".join(pair) for pair in product(*lists)]
    if family.active:
        found: Any = params
        for part in family.active.split("."):
            found = getattr(found, part)
        return list(found)
    return list(family.files)
