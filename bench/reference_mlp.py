"""The other side of the MLP search: eager networks one after another, with the batches as slices of a tensor.

Tried for so small a table: a DataLoader costs more than the network, so there is none; fused Adam is the fastest of the
three; a fold is encoded once for all configurations; cases are shuffled once an epoch and then sliced.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from bench.work import RULES
from busline.base.settings.tabular import Dnn
from busline.metrics.classification import roc_auc
from busline.models.encoding import TableEncoder
from busline.studies.inputs import Roles, StudyInputs

Grid = Sequence[tuple[int, float]]
Scores = Mapping[tuple[int, float], list[float]]


@dataclass(frozen=True)
class Table:
    """The encoded cases of one fold as tensors: rows (n, features), labels and loss weights (n,)."""

    rows: torch.Tensor
    labels: torch.Tensor
    weights: torch.Tensor

    def take(self, index: np.ndarray) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return some cases."""
        where = torch.from_numpy(index)
        return self.rows[where], self.labels[where], self.weights[where]


def search(
    inputs: StudyInputs, base: Dnn, grid: Grid, *, part: int = 0, of: int = 1, folds: int | None = None
) -> Scores:
    """Train every configuration in every fold and return the scores of its test cases.

    Args:
        inputs: table and resamples.
        base: settings all configurations share.
        grid: (hidden units, dropout) of each.
        part: which share of the folds this process takes.
        of: number of such processes.
        folds: only the first so many of them; None for all.
    """
    scores: dict[tuple[int, float], list[float]] = {key: [] for key in grid}
    for roles in list(inputs.resamples.values())[part::of][:folds]:
        learn = np.sort(np.concatenate([roles["train"], roles["tune"]]))
        table = encode(inputs, learn)
        for hidden, dropout in grid:
            network = train(table, learn, roles, base.model_copy(update={"hidden": hidden, "dropout": dropout}))
            network.eval()
            with torch.inference_mode():
                logits = network(table.take(roles["test"])[0]).squeeze(1)
            scores[hidden, dropout].append(roc_auc(inputs.labels[roles["test"]], torch.sigmoid(logits).numpy()))
    return scores


def encode(inputs: StudyInputs, learn: np.ndarray) -> Table:
    """Fit the encoder on the cases that are learnt from and return all cases as tensors."""
    rows = TableEncoder.fit(inputs.table.iloc[learn], inputs.numeric, inputs.categorical).transform(inputs.table)
    positive = inputs.labels[learn].mean()
    weights = np.where(inputs.labels > 0, 0.5 / positive, 0.5 / (1.0 - positive)).astype(np.float32)
    return Table(torch.from_numpy(rows), torch.from_numpy(inputs.labels).float(), torch.from_numpy(weights))


def train(table: Table, learn: np.ndarray, roles: Roles, spec: Dnn) -> nn.Module:
    """Train one network with plateau and early stopping; return it with the weights of its best epoch."""
    network = build(table.rows.shape[1], spec)
    optimizer = torch.optim.Adam(network.parameters(), lr=spec.learning_rate, fused=True)
    plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimizer, factor=RULES.plateau_factor, patience=RULES.plateau_patience, threshold=0.0,
        min_lr=RULES.min_learning_rate,
    )  # fmt: skip
    rows, labels, weights = table.take(learn)
    stop = table.take(roles["val"])
    best, waited, kept = float("inf"), 0, network.state_dict()
    for _ in range(spec.epochs):
        network.train()
        order = torch.randperm(len(learn))
        shuffled = (tensor[order].split(spec.batch_size) for tensor in (rows, labels, weights))
        for batch, truth, weight in zip(*shuffled, strict=True):
            if len(batch) == 1:  # batch norm cannot take it
                continue
            loss = F.binary_cross_entropy_with_logits(network(batch).squeeze(1), truth, weight=weight)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
        found = val_loss(network, *stop)
        if found < best:
            best, waited = found, 0
            kept = {name: value.clone() for name, value in network.state_dict().items()}
        elif optimizer.param_groups[0]["lr"] < spec.learning_rate:
            waited += 1
        plateau.step(found)
        if waited >= RULES.stop_patience:
            break
    network.load_state_dict(kept)
    return network


def build(features: int, spec: Dnn) -> nn.Sequential:
    """Return the network of one configuration."""
    half = max(spec.hidden // 2, 1)
    return nn.Sequential(
        nn.BatchNorm1d(features, eps=1e-3),
        nn.Linear(features, spec.hidden),
        nn.ReLU(),
        nn.Dropout(spec.dropout),
        nn.Linear(spec.hidden, half),
        nn.ReLU(),
        nn.Dropout(spec.dropout),
        nn.Linear(half, 1),
    )


def val_loss(network: nn.Module, rows: torch.Tensor, labels: torch.Tensor, weights: torch.Tensor) -> float:
    """Return the loss of the cases that steer."""
    network.eval()
    with torch.inference_mode():
        return float(F.binary_cross_entropy_with_logits(network(rows).squeeze(1), labels, weight=weights))


def find_threads(inputs: StudyInputs, base: Dnn, grid: Grid, cores: int) -> int:
    """Try every number of threads on a few folds; go on with the fastest, and return it."""
    taken: dict[int, float] = {}
    base = base.model_copy(update={"epochs": min(base.epochs, 5)})
    search(inputs, base, grid[:1], folds=1)
    for threads in range(1, cores + 1):
        torch.set_num_threads(threads)
        start = time.perf_counter()
        search(inputs, base, grid[:1], folds=1)
        taken[threads] = time.perf_counter() - start
    best = min(taken, key=lambda threads: taken[threads])
    torch.set_num_threads(best)
    return best
