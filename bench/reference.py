"""The other side: the loop a competent user of PyTorch writes. One fold after another, a DataLoader, fp32, NCHW.

What a good user does, it does: images decoded and held in memory, workers that persist, the number of threads and
workers found by trying, fused Adam, gradients set to None, no waiting on the loss of a batch, ``inference_mode`` and a
ready-made tensor for validation.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader, Dataset
from torchvision import tv_tensors
from torchvision.transforms import InterpolationMode, v2

from bench.work import Kind, Work
from busline.studies.inputs import FoldJob

EVALUATION_BATCH = 64


@dataclass(frozen=True)
class Choice:
    """How the loop uses the cores: threads of the main process, and loading processes beside it."""

    threads: int
    workers: int

    def __str__(self) -> str:
        return f"{self.threads} thread{'s' * (self.threads > 1)}, {self.workers} worker{'s' * (self.workers != 1)}"


class Cases(Dataset[tuple[Any, Any]]):
    """Some cases as Pillow images in memory, transformed one by one."""

    def __init__(self, work: Work, index: np.ndarray, *, train: bool) -> None:
        self.images = [Image.fromarray(work.images[i]) for i in index]
        self.segments = work.segments
        weights = _class_weights(work.labels, index)
        self.targets: list[Any] = (
            [tv_tensors.Mask(torch.from_numpy(work.masks[i] > 127).float()[None]) for i in index]
            if work.segments
            else [torch.tensor([work.labels[i], weights[i]], dtype=torch.float32) for i in index]
        )
        moved = [v2.RandomHorizontalFlip(), v2.RandomRotation(10, InterpolationMode.BILINEAR)]
        to_tensor = [v2.ToImage(), v2.ToDtype({tv_tensors.Image: torch.float32, "others": None}, scale=True)]
        scaled = v2.Normalize([0.5], [0.5])
        self.transform = v2.Compose([*(moved if train and work.augmented else []), *to_tensor, scaled])

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, number: int) -> tuple[Any, Any]:
        if self.segments:
            image, mask = self.transform(self.images[number], self.targets[number])
            return image.as_subclass(torch.Tensor), mask.as_subclass(torch.Tensor)
        return self.transform(self.images[number]).as_subclass(torch.Tensor), self.targets[number]


def build(kind: Kind, dropout: float) -> nn.Module:
    """Return the network as one builds it without this project."""
    if kind == "custom_cnn":
        layers: list[nn.Module] = []
        for number, (inputs, outputs) in enumerate([(1, 32), (32, 64), (64, 128)]):
            layers += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU(), nn.BatchNorm2d(outputs, eps=1e-3)]
            layers += [nn.MaxPool2d(2)] if number < 2 else []
        return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(dropout), nn.Linear(128, 1))
    if kind == "mobilenet_v2":
        import timm

        return Colour(timm.create_model("mobilenetv2_100", pretrained=False, num_classes=1, drop_rate=dropout))
    import segmentation_models_pytorch as smp

    network = smp.Unet("mobilenet_v2", encoder_weights=None, in_channels=3, classes=1)
    if kind == "unet_frozen":
        network.encoder.requires_grad_(False)
    return Colour(network)


class Colour(nn.Module):
    """A network of three channels, given gray images."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return the logits."""
        logits: torch.Tensor = self.network(images.expand(-1, 3, -1, -1))
        return logits


class Reference:
    """The training of one fold."""

    def __init__(self, work: Work, job: FoldJob, choice: Choice) -> None:
        self.work, self.job = work, job
        self.network = build(work.kind, work.dropout)
        self.cases = Cases(work, job.roles["train"], train=True)
        self.stop = self.whole(job.roles["val"])
        self.use(choice)

    def use(self, choice: Choice) -> None:
        """Go on with other numbers of threads and workers."""
        torch.set_num_threads(choice.threads)
        self.loader = DataLoader(
            self.cases,
            self.work.batch_size,
            shuffle=True,
            num_workers=choice.workers,
            persistent_workers=choice.workers > 0,
            prefetch_factor=4 if choice.workers else None,
        )

    def whole(self, index: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
        """Return some cases as one tensor, not augmented, with their targets."""
        cases = Cases(self.work, index, train=False)
        images, targets = zip(*(cases[i] for i in range(len(cases))), strict=True)
        return torch.stack(images), torch.stack(targets)

    def train(self, epochs: int) -> int:
        """Train, with plateau, early stopping and the best weights kept; return the number of images learnt."""
        rules, learnt, waited, best, kept = self.work.rules, 0, 0, float("inf"), None
        learning = [p for p in self.network.parameters() if p.requires_grad]
        optimizer = torch.optim.Adam(learning, lr=self.work.learning_rate, fused=True)
        plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(
            optimizer, factor=rules.plateau_factor, patience=rules.plateau_patience, threshold=0.0,
            min_lr=rules.min_learning_rate,
        )  # fmt: skip
        for _ in range(epochs):
            learnt += self.train_epoch(optimizer)
            loss = self.val_loss()
            if loss < best:
                best, waited = loss, 0
                kept = {name: value.clone() for name, value in self.network.state_dict().items()}
            elif optimizer.param_groups[0]["lr"] < self.work.learning_rate:
                waited += 1
            plateau.step(loss)
            if waited >= rules.stop_patience:
                break
        if kept:
            self.network.load_state_dict(kept)
        return learnt

    def train_epoch(self, optimizer: torch.optim.Optimizer) -> int:
        """Learn from every case once."""
        self.network.train()
        if self.work.kind == "unet_frozen":
            self.network.get_submodule("network.encoder").eval()
        for images, target in self.loader:
            loss = self.loss(self.network(images), target)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
        return len(self.cases)

    def val_loss(self) -> float:
        """Return the loss of the cases that steer."""
        images, target = self.stop
        self.network.eval()
        total = torch.zeros(())
        with torch.inference_mode():
            for part, wanted in zip(images.split(EVALUATION_BATCH), target.split(EVALUATION_BATCH), strict=True):
                total += self.loss(self.network(part), wanted) * len(part)
        return float(total) / len(images)

    def loss(self, logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Return weighted cross-entropy, or soft Dice loss plus cross-entropy for masks."""
        if not self.work.segments:
            return F.binary_cross_entropy_with_logits(logits.squeeze(1), target[:, 0], weight=target[:, 1])
        probability = torch.sigmoid(logits)
        overlap = (probability * target).sum(dim=(1, 2, 3))
        size = probability.sum(dim=(1, 2, 3)) + target.sum(dim=(1, 2, 3))
        dice = (2.0 * overlap + 1.0) / (size + 1.0)
        return (1.0 - dice).mean() + F.binary_cross_entropy_with_logits(logits, target)

    def predict(self, index: np.ndarray) -> np.ndarray:
        """Return the probabilities of some cases."""
        images, _ = self.whole(index)
        self.network.eval()
        with torch.inference_mode():
            parts = [torch.sigmoid(self.network(part)) for part in images.split(EVALUATION_BATCH)]
        probability = torch.cat(parts).numpy()
        return probability if self.work.segments else probability[:, 0]


def choices(cores: int) -> list[Choice]:
    """Return the numbers of threads and workers that are worth a try on so many cores."""
    found = [Choice(cores, 0), Choice(cores, 1), Choice(cores, cores)]
    if cores > 1:
        found += [Choice(cores - 1, 1), Choice(cores - 1, cores)]
    return found


def find_best(reference: Reference, cores: int) -> Choice:
    """Train one epoch in each way after one that warms up; go on with the fastest, and return it."""
    taken: dict[Choice, float] = {}
    for choice in choices(cores):
        reference.use(choice)
        if choice.workers or not taken:  # workers start with the first epoch
            reference.train(1)
        start = time.perf_counter()
        reference.train(1)
        taken[choice] = time.perf_counter() - start
    best = min(taken, key=lambda choice: taken[choice])
    reference.use(best)
    return best


def _class_weights(labels: np.ndarray, fit: np.ndarray) -> np.ndarray:
    positive = max(float(labels[fit].mean()), 1e-6)
    return np.where(labels > 0, 0.5 / positive, 0.5 / max(1.0 - positive, 1e-6)).astype(np.float32)
