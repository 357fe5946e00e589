"""The lines on training: images a second of four networks, and that the scores are the same."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bench.figures import Bound, Line, agree, rate_line
from bench.work import Kind, Work, make_folds, make_work
from bench.workers import Pace, Workers, compare_training

BOUNDS: dict[Kind, Bound] = {
    "custom_cnn": Bound(at_least=4.5, aim=7.0),
    "mobilenet_v2": Bound(at_least=1.9, aim=3.0),
    "unet_frozen": Bound(at_least=3.0, aim=4.5),
    "unet": Bound(at_least=2.7, aim=4.0),
}
TITLES: dict[Kind, str] = {
    "custom_cnn": "custom CNN in training",
    "mobilenet_v2": "MobileNetV2 in training",
    "unet_frozen": "U-Net with frozen MobileNetV2 encoder in training",
    "unet": "U-Net with MobileNetV2 encoder, trained whole",
}
KERAS = Path(".venv-keras/bin/python")
FIT, STOP, SIDE = 192, 32, 128
"""Images a fold learns from and steers by, and their side."""


def training_line(kind: Kind, pace: Pace, *, fit: int = FIT, side: int = SIDE) -> Line:
    """Time one network against the reference loop, both with augmentation and with validation after each epoch."""
    work = make_work(kind, fit + STOP, side)
    with tempfile.TemporaryDirectory() as folder:
        path = _save(work, Path(folder))
        with Workers(["reference", path, str(fit)]) as theirs, _engine(path, fit) as ours:
            rates = compare_training(ours, theirs, pace)
            note = f"engine: {len(ours.processes)} processes of 1 thread, {ours.note}; reference: {theirs.note}, fp32"
    return rate_line(kind, TITLES[kind], *rates, side_unit="images/s", bound=BOUNDS[kind], note=note)


def keras_line(pace: Pace, *, fit: int = FIT, side: int = SIDE) -> Line:
    """Time the custom CNN against Keras, both without augmentation and with validation after each epoch."""
    key, title, bound = "keras", "custom CNN in training, against Keras 3 on TensorFlow", Bound(at_least=2.0, aim=3.5)
    if not KERAS.exists():
        return Line(key, title, bound=bound, note="needs .venv-keras: make bench-keras")
    work = make_work("custom_cnn", fit + STOP, side, augmented=False)
    with tempfile.TemporaryDirectory() as folder:
        path = _save(work, Path(folder))
        program = (str(KERAS), "bench/keras_side.py")
        with Workers([path, str(fit)], program=program) as theirs, _engine(path, fit) as ours:
            rates = compare_training(ours, theirs, pace)
            note = f"no augmentation on either side; engine: {ours.note}; Keras: {theirs.note}, fp32"
    return rate_line(key, title, *rates, side_unit="images/s", bound=bound, note=note)


def score_line(kind: Kind, *, cases: int, side: int, epochs: int, folds: int = 5) -> Line:
    """Train every fold on both sides and compare the mean scores: each must lie in the other's interval."""
    from bench.engine import engine_fold_scores
    from bench.reference import Choice, Reference
    from bench.side import cores
    from busline.metrics.intervals import corrected_interval

    work = make_work(kind, cases, side, epochs=epochs, batch_size=16, stop_early=True)
    jobs = make_folds(work.labels, folds, 1)
    theirs = []
    for job in jobs:
        reference = Reference(work, job, Choice(cores(), 1))
        reference.train(epochs)
        theirs.append(reference.predict(job.roles["test"]))
    ours = engine_fold_scores(work, jobs)
    tests = [job.roles["test"] for job in jobs]
    ratio = len(tests[0]) / len(jobs[0].roles["train"])
    summaries = []
    for probabilities in (ours, theirs):
        scores = fold_scores(work, tests, probabilities)
        interval = corrected_interval(scores, ratio)
        summaries.append((float(np.mean(scores)), interval.low, interval.high))
    name = "mean Dice" if work.segments else "mean ROC AUC"
    note = "engine {:.3f} ({:.3f} to {:.3f}), reference {:.3f} ({:.3f} to {:.3f})".format(*summaries[0], *summaries[1])
    return Line(
        f"scores_{kind}",
        f"{'U-Net' if work.segments else 'custom CNN'}: {name} of {folds} folds, the difference",
        summaries[0][0] - summaries[1][0],
        unit="",
        ours=summaries[0][0],
        theirs=summaries[1][0],
        n=folds,
        agrees=agree(*summaries),
        note=f"{note}; {cases} phantoms of {side} pixels, at most {epochs} epochs",
    )


def fold_scores(work: Work, tests: Sequence[np.ndarray], probabilities: Sequence[np.ndarray]) -> list[float]:
    """Return each fold's ROC AUC, or mean Dice at 0.5."""
    from busline.metrics.classification import roc_auc
    from busline.metrics.segmentation import dice

    if not work.segments:
        return [roc_auc(work.labels[test], found) for test, found in zip(tests, probabilities, strict=True)]
    pairs = zip(tests, probabilities, strict=True)
    return [float(np.nanmean(dice(found[:, 0] > 0.5, work.masks[test] > 127))) for test, found in pairs]


def _engine(path: str, fit: int) -> Workers:
    from bench.engine import WORKERS

    return Workers(["engine", path, str(fit)], WORKERS)


def _save(work: Work, folder: Path) -> str:
    path = folder / "work.npz"
    work.save(path)
    return str(path)
