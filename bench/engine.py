"""The engine's side of the benchmark: the only file of it that calls ``busline.training`` and the studies."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import nn

from bench.work import Work, fold_seed, with_epochs
from busline.base.processor import computes_bf16
from busline.base.runtime import Runtime, load_runtime
from busline.base.settings.images import ImageModel
from busline.base.settings.tabular import Dnn
from busline.base.settings.training import Kernels, Precision
from busline.cohort.schema import RawCohort
from busline.models.images import build_image_model
from busline.models.segmentation import build_segmenter
from busline.studies.inputs import FoldJob, StudyInputs
from busline.training.batches import Member
from busline.training.loop import fit, seeded
from busline.training.plan import Phase, Plan, make_plan
from busline.training.pool import Place, run_units, warm_up
from busline.training.results import FoldResult, train_and_score
from busline.training.stack import Stack
from busline.training.tasks import ClassifyArrays, ClassifyTask, SegmentArrays, SegmentTask, Task, class_weights
from busline.training.threads import keep_memory

WORKERS = load_runtime().workers
"""Processes side by side, of one thread each, on the processor."""
Scores = Mapping[tuple[int, float], list[float]]
"""ROC AUC of every fold by (hidden units, dropout)."""
Context = tuple[Work, Precision]


def precision() -> Precision:
    """Return the arithmetic the engine is timed with: bf16 where the processor has instructions for it."""
    return "bf16" if computes_bf16() else "fp32"


def make_stretch(work: Work, job: FoldJob) -> Callable[[int], int]:
    """Return a function that trains for some epochs, as one of the engine's processes, and counts the images learnt.

    The caller starts :data:`WORKERS` such processes side by side.
    """
    torch.set_num_threads(1)
    keep_memory()
    network, member = _network(work, job)
    stack, task = Stack([network], torch.device("cpu")), _task(work, [job])

    def stretch(epochs: int) -> int:
        fit(stack, task, _plan(with_epochs(work, epochs), network, precision()), [member])
        return epochs * len(job.roles["train"])

    return stretch


def engine_mlp_search(
    inputs: StudyInputs, base: Dnn, hidden: Sequence[int], dropout: Sequence[float], kernels: Kernels = "native"
) -> Scores:
    """Search the tabular network on all cores and return every fold's score."""
    from busline.base.settings.reading import load_settings
    from busline.metrics.classification import roc_auc
    from busline.studies.dnn import DnnSearchSettings, run_dnn_search

    warm_up(kernels, "busline.studies.dnn")
    params = load_settings(DnnSearchSettings)
    train = params.train.model_copy(update={"kernels": kernels})
    models = params.tabular.models.model_copy(update={"dnn": base})
    grid = params.dnn_search.model_copy(update={"hidden": list(hidden), "dropout": list(dropout)})
    tabular = params.tabular.model_copy(update={"models": models})
    settings = params.model_copy(update={"train": train, "tabular": tabular, "dnn_search": grid})
    predictions, _ = run_dnn_search(inputs, settings, runtime=Runtime(WORKERS))
    scores: dict[tuple[int, float], list[float]] = {}
    for key, rows in predictions[predictions["split"] == "test"].groupby(["hidden", "dropout", "repeat", "fold"]):
        units, rate, _, _ = np.asarray(key).tolist()
        truth = (rows["label"] == inputs.classes[1]).to_numpy()
        scores.setdefault((int(units), rate), []).append(roc_auc(truth, rows[f"p_{inputs.classes[1]}"].to_numpy()))
    return scores


def engine_fold_scores(work: Work, jobs: Sequence[FoldJob]) -> list[np.ndarray]:
    """Train every fold on all cores and return the probabilities of its test cases."""
    warm_up("native", "bench.engine")
    units = [[job] for job in jobs]
    runtime = Runtime(WORKERS)
    results = run_units(
        _train_unit,
        (work, precision()),
        units,
        runtime=runtime,
        title=f"bench {work.kind}",
        kernels="native",
        precision=precision(),
    )
    return [_tested(work, result) for result in results]


def engine_ingest(raw: RawCohort, target: Path) -> None:
    """Ingest raw cases into a folder, on all cores."""
    from busline.base.params import load_params
    from busline.cohort.ingest import ingest

    settings = load_params().ingest
    ingest(raw, "bench", target, settings, workers=WORKERS)


def train_folds(
    work: Work, jobs: Sequence[FoldJob], device: str, *, stacked: bool, precision: Precision = "bf16"
) -> list[np.ndarray]:
    """Train every fold on one device and return the probabilities of its test cases.

    Args:
        work: network and data.
        jobs: the folds.
        device: ``cuda`` or ``cpu``.
        stacked: all folds at once; else one after another.
        precision: arithmetic.
    """
    place = Place(device, lambda share, note: None)
    units = [list(jobs)] if stacked else [[job] for job in jobs]
    results = [result for unit in units for result in _train_unit((work, precision), unit, place)]
    return [_tested(work, result) for result in results]


def _train_unit(context: Context, jobs: Sequence[FoldJob], place: Place) -> list[FoldResult]:
    work, arithmetic = context
    pairs = [_network(work, job) for job in jobs]
    networks, members = [network for network, _ in pairs], [member for _, member in pairs]
    plan = _plan(work, networks[0], arithmetic)
    score = [{"test": job.roles["test"]} for job in jobs]
    device = torch.device(place.device)
    return train_and_score(
        networks, _task(work, jobs), plan, members, score, device=device, report_progress=place.report_progress
    )


def _tested(work: Work, result: FoldResult) -> np.ndarray:
    """Return the maps of the test cases, or the probabilities of the positive class."""
    found = result.probabilities["test"]
    return found if work.segments else found[:, 1]


def _network(work: Work, job: FoldJob) -> tuple[nn.Module, Member]:
    seed = fold_seed(work.kind, job)
    with seeded(seed):
        return _build(work), Member(job.roles["train"], job.roles["val"], seed)


def _task(work: Work, jobs: Sequence[FoldJob]) -> Task:
    level = work.level if work.augmented else None
    images = torch.from_numpy(work.images)
    if work.segments:
        return SegmentTask(SegmentArrays(images=images, masks=torch.from_numpy(work.masks)), level)
    weights = np.stack([class_weights(work.labels, job.roles["train"]) for job in jobs])
    labels = torch.from_numpy(work.labels)
    return ClassifyTask(ClassifyArrays(labels, torch.from_numpy(weights), images), level)


def _build(work: Work) -> nn.Module:
    if work.segments:
        return build_segmenter("unet", "mobilenet_v2", work.images.shape[-1])
    network = {"custom_cnn": "custom_cnn", "mobilenet_v2": "mobilenetv2_100"}[work.kind]
    training = {"batch_size": work.batch_size, "epochs": 1, "learning_rate": work.learning_rate}
    spec = {**training, "network": network, "weights": "none", "dropout": work.dropout}
    spec |= {"batch_norm_momentum": None, "fine_tune": None}
    return build_image_model(ImageModel.model_validate(spec), work.images.shape[-1])


def _plan(work: Work, network: nn.Module, arithmetic: Precision) -> Plan:
    parts = (
        [f"network.{name}" for name, _ in network.get_submodule("network").named_children()] if work.segments else []
    )
    trained = tuple(part for part in parts if part != "network.encoder") if work.kind == "unet_frozen" else None
    phase = Phase("train", work.epochs, work.learning_rate, trained)
    return make_plan((phase,), work.batch_size, work.rules, precision=arithmetic)
