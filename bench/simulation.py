"""Cross-validated linear models on Gaussian classes: experiments whose truth is known without a test population.

Cases of a class are Gaussian with unit covariance, so a linear score's ROC AUC, sensitivity and specificity on the
population are values of the normal distribution. The learner is regularised linear discriminant analysis, in closed
form for all folds of all experiments at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, ndtr

POSITIVES = 0.4
"""Share of positive cases in every cohort."""
RIDGE = 0.1
"""Added to every feature's variance within classes, which is 1."""


@dataclass(frozen=True)
class World:
    """What is learnt from.

    Attributes:
        title: its name in the tables.
        effects: (models, features) mean of the positive cases minus that of the negative ones, by model and feature;
            each model sees features of its own.
        drawn: number of features that a fit draws and learns from, new ones each time, as a network draws its initial
            weights; None for all of them.
        shared: correlation of a model's feature with the same feature of another model, within a class.
    """

    title: str
    effects: np.ndarray
    drawn: int | None = None
    shared: float = 0.0


@dataclass(frozen=True)
class Scheme:
    """K folds, R times; of a fold's training cases, ``tuned`` is the share kept out to choose a threshold on."""

    folds: int
    repeats: int
    tuned: float = 0.0

    def __str__(self) -> str:
        return f"{self.folds} × {self.repeats}"

    @property
    def ratio(self) -> float:
        """Number of test cases divided by the number of training cases."""
        return 1.0 / ((self.folds - 1) * (1.0 - self.tuned))


@dataclass(frozen=True)
class Experiments:
    """E experiments with M models, R repeats, K folds, n cases; the positive cases come first."""

    truth: np.ndarray
    """bool (n,)"""
    fold: np.ndarray
    """(E, R, n) the fold that tests a case."""
    tune: np.ndarray
    """bool (E, R, K, n) the cases that a fold's threshold is chosen on."""
    scores: np.ndarray
    """(E, M, R, K, n) log odds by every fold's model."""
    effect: np.ndarray
    """(E, M, R, K) distance of the classes' mean scores, in standard deviations of the score."""
    centre: np.ndarray
    """(E, M, R, K) score half way between the classes' means."""
    spread: np.ndarray
    """(E, M, R, K) standard deviation of the score within a class."""

    @property
    def aucs(self) -> np.ndarray:
        """ROC AUC of every fold's model on the population (E, M, R, K): that of a normal difference of variance 2."""
        return np.asarray(ndtr(self.effect / np.sqrt(2.0)))

    @property
    def out_of_fold(self) -> np.ndarray:
        """Probability of a case by the model that did not learn from it (E, M, R, n)."""
        return np.asarray(expit(of_own_fold(self.scores, self.fold)))

    def rates(self, thresholds: np.ndarray) -> dict[str, np.ndarray]:
        """Return sensitivity and specificity on the population at thresholds (E, M, R, K) of the log odds."""
        above = (thresholds - self.centre) / self.spread
        return {
            "sensitivity": np.asarray(ndtr(self.effect / 2 - above)),
            "specificity": np.asarray(ndtr(self.effect / 2 + above)),
        }


def run(world: World, scheme: Scheme, cases: int, experiments: int, generator: np.random.Generator) -> Experiments:
    """Draw cohorts of ``cases``, cross-validate every model on them, and return what it said and what is true."""
    models, features = world.effects.shape
    truth = np.arange(cases) < round(POSITIVES * cases)
    common = generator.standard_normal((experiments, 1, cases, features)) if world.shared else 0.0
    own = generator.standard_normal((experiments, models, cases, features))
    noise = np.sqrt(world.shared) * common + np.sqrt(1.0 - world.shared) * own
    values = noise + np.where(truth, 0.5, -0.5)[:, None] * world.effects[:, None, :]
    fold = draw_folds(truth, scheme, experiments, generator)
    tested = fold[:, :, None, :] == np.arange(scheme.folds)[:, None]
    tune = _draw_tuned(truth, tested, scheme.tuned, generator)
    shape = (experiments, models, scheme.repeats, scheme.folds, features)
    used = _draw_features(shape, world.drawn, generator)
    slope, offset = fit(values, truth, ~tested & ~tune, used)
    spread = np.sqrt((slope**2).sum(axis=-1))
    apart = np.einsum("emrkp,mp->emrk", slope, world.effects)
    scores = np.einsum("emnp,emrkp->emrkn", values, slope, optimize=True) + offset[..., None]
    return Experiments(truth, fold, tune, scores, apart / spread, offset, spread)


def draw_folds(truth: np.ndarray, scheme: Scheme, experiments: int, generator: np.random.Generator) -> np.ndarray:
    """Return stratified folds (experiments, repeats, n); sizes differ by one case a class at most."""
    parts = [
        generator.permuted(
            np.broadcast_to(np.arange(count) % scheme.folds, (experiments, scheme.repeats, count)), axis=-1
        )
        for count in (int(truth.sum()), int((~truth).sum()))
    ]
    return np.concatenate(parts, axis=-1)


def of_own_fold(by_fold: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """Return each case's value by the fold that tests it: (E, M, R, K, n) and folds (E, R, n) to (E, M, R, n)."""
    return np.take_along_axis(by_fold, fold[:, None, :, None, :], axis=3)[:, :, :, 0, :]


def fit(values: np.ndarray, truth: np.ndarray, train: np.ndarray, used: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return slope (E, M, R, K, p) and offset (E, M, R, K) of the log odds by linear discriminant analysis.

    Args:
        values: (E, M, n, p) features.
        truth: bool (n,).
        train: bool (E, R, K, n) the cases to learn from.
        used: bool (E, M, R, K, p) the features to learn from; the others get a slope of 0.
    """
    features = values.shape[-1]
    outer = (values[..., :, None] * values[..., None, :]).reshape(*values.shape[:-1], features * features)
    weight = train.astype(np.float64)
    second = np.einsum("erkn,emnq->emrkq", weight, outer, optimize=True)
    scatter = second.reshape(*second.shape[:-1], features, features)
    means, sizes = [], []
    for group in (truth, ~truth):
        size = weight[..., group].sum(axis=-1)[:, None]
        mean = np.einsum("erkn,emnp->emrkp", weight[..., group], values[:, :, group], optimize=True) / size[..., None]
        scatter = scatter - size[..., None, None] * mean[..., :, None] * mean[..., None, :]
        means.append(mean)
        sizes.append(size)
    covariance = scatter / (sizes[0] + sizes[1] - 2)[..., None, None] + RIDGE * np.eye(features)
    both = used[..., :, None] & used[..., None, :]
    covariance = np.where(both, covariance, np.eye(features))
    slope = np.linalg.solve(covariance, np.where(used, means[0] - means[1], 0.0)[..., None])[..., 0]
    middle = (slope * (means[0] + means[1])).sum(axis=-1) / 2
    return slope, np.log(sizes[0] / sizes[1]) - middle


def _draw_features(shape: tuple[int, ...], drawn: int | None, generator: np.random.Generator) -> np.ndarray:
    if drawn is None:
        return np.ones(shape, dtype=bool)
    return generator.random(shape).argsort(axis=-1) < drawn


def _draw_tuned(truth: np.ndarray, tested: np.ndarray, share: float, generator: np.random.Generator) -> np.ndarray:
    """Return a share of each class of the training cases, bool like ``tested`` (E, R, K, n)."""
    tuned = np.zeros(tested.shape, dtype=bool)
    if not share:
        return tuned
    for group in (truth, ~truth):
        order = np.where(tested[..., group], 2.0, generator.random((*tested.shape[:-1], int(group.sum()))))
        place = order.argsort(axis=-1).argsort(axis=-1)
        count = np.rint(share * (~tested[..., group]).sum(axis=-1, keepdims=True))
        tuned[..., group] = place < count
    return tuned
