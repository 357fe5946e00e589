"""Sections `split` and `cv`: who learns from whom."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, PositiveInt

from busline.base.settings.section import Fraction, Section, WholePath


class Split(Section):
    """The master split and the classes of the study."""

    classes: Annotated[list[str], Field(min_length=2)]
    """Labels of the study, in any order. Cases with another label are left out."""
    positive: str
    """The class that all binary analyses are about, against the rest: a score, a threshold or a vote is for it."""
    val_fraction: Fraction
    """Share of the master split's validation cases."""
    test_fraction: Fraction
    """Share of the master split's test cases."""
    folds_from: Annotated[str, Field(min_length=1)] | None
    """Column of the main cohort whose values are the folds: a release's own, or sites; null deals them."""
    folds_kept: WholePath
    """File of the roles that old cases keep, from the repository's root; folds/none.csv keeps none."""

    @property
    def ordered(self) -> list[str]:
        """The classes with the positive one last: the order of all labels as numbers and of all probabilities."""
        return [*(name for name in self.classes if name != self.positive), self.positive]


class CrossValidation(Section):
    """Repeated stratified group k-fold."""

    folds: Annotated[int, Field(ge=2, le=1000)]
    """Folds a repeat."""
    repeats: Annotated[int, Field(ge=1, le=1000)]
    """Repeats, each with a shuffle of its own."""
    image_repeats: PositiveInt
    """The networks of images, which take long, are trained in the first so many repeats only."""
    val_fraction: Fraction
    """Share of a training part kept for early stopping."""
    tune_fraction: Fraction
    """Share of a training part kept for choosing the voting weight."""
