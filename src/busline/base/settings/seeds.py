"""Section `seed`: the roots of all random draws, one for each thing that can be drawn anew while the others stay."""

from __future__ import annotations

from busline.base.settings.section import Section, Seed


class Seeds(Section):
    """Three roots; two of them may be equal, as every draw is named too (:mod:`busline.base.seeding`)."""

    data: Seed
    """Of the cases: what the source `phantom` draws."""
    split: Seed
    """Of who learns from whom and of how it is judged: master split and folds, the folds in which a column is judged,
    bootstrap samples, and the audit's permutations, folds, master splits and planted copies."""
    train: Seed
    """Of all that a fit draws: initial weights, the phantoms of pre-training, batches, dropout, augmentation, trees,
    and the inner folds in which a penalty is chosen."""
