"""Small networks, arrays and plans for the tests of the engine."""

import numpy as np
import torch
from torch import nn

from busline.base.settings.training import AugmentationLevel
from busline.models.dropout import GivenDropout
from busline.models.images import ImageClassifier, custom_body
from busline.models.mlp import Mlp
from busline.training.batches import Member
from busline.training.inference import evaluate
from busline.training.loop import fit, seeded
from busline.training.plan import Phase, Plan
from busline.training.stack import Stack
from busline.training.tasks import ClassifyArrays, ClassifyTask, SegmentArrays, SegmentTask, class_weights

CASES, SIDE = 60, 16
CPU = torch.device("cpu")
MILD = AugmentationLevel(flip=True, rotation=10.0, translation=0.1, shear=0.0, zoom=0.0, speckle=0.1)


def plan(**changes):
    settings = {
        "phases": (Phase("train", 30, 0.05),),
        "batch_size": 8,
        "plateau_factor": 0.5,
        "plateau_patience": 2,
        "min_learning_rate": 1e-5,
        "stop_patience": 3,
    }
    return Plan(**{**settings, **changes})


def member(number=0, fit=40, stop=12):
    cases = np.random.default_rng(number).permutation(CASES)
    return Member(np.sort(cases[:fit]), np.sort(cases[fit : fit + stop]), 100 + number)


def table_task(members, noise=0.3, features=3):
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(CASES) % 2
    table = labels[:, None].float() + noise * torch.randn(len(members), CASES, features, generator=generator)
    weights = torch.from_numpy(np.stack([class_weights(labels.numpy(), one.fit) for one in members]))
    return ClassifyTask(ClassifyArrays(labels, weights, table=table))


def image_task(members, kind=ClassifyTask):
    labels = torch.arange(CASES) % 2
    rows, columns = torch.meshgrid(torch.arange(SIDE), torch.arange(SIDE), indexing="ij")
    inside = torch.hypot(rows - 8.0, columns - 8.0)[None] < 3.0 + 2.0 * labels[:, None, None]
    noise = 20 * torch.randn(CASES, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    images = (130 + noise - 60 * inside).clamp(0, 255).to(torch.uint8)
    weights = torch.ones(len(members), CASES)
    masks = inside.to(torch.uint8) * 255
    if kind is SegmentTask:
        return SegmentTask(SegmentArrays(images, masks), MILD)
    return ClassifyTask(ClassifyArrays(labels, weights, images), MILD)


class Line(nn.Module):
    def __init__(self, width=3):
        super().__init__()
        self.body = nn.Sequential(nn.BatchNorm1d(width), GivenDropout(0.1, width))
        self.head = nn.Linear(width, 1)

    def forward(self, table):
        return self.head(self.body(table)).squeeze(1)


class TinyUNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.down = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU())
        self.deep = nn.Sequential(nn.MaxPool2d(2), nn.Conv2d(8, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU())
        self.up = nn.ConvTranspose2d(16, 8, 2, stride=2)
        self.last = nn.Conv2d(16, 1, 1)

    def forward(self, images):
        high = self.down(images)
        return self.last(torch.cat([high, self.up(self.deep(high))], dim=1))


def make(kind, seed=0):
    with seeded(seed):
        if kind == "mlp":
            return Mlp(3, 8, [0.1, 0.3, 0.5][seed % 3])
        if kind == "cnn":
            return ImageClassifier(custom_body(), 128, 0.3)
        return TinyUNet() if kind == "unet" else Line()


def make_task(kind, members):
    if kind in ("mlp", "line"):
        return table_task(members)
    return image_task(members, SegmentTask if kind == "unet" else ClassifyTask)


def train(kind, members, settings, task=None):
    task = task or make_task(kind, members)
    stack = Stack([make(kind, one.seed) for one in members], CPU)
    outcomes = fit(stack, task, settings, members)
    return stack, task, outcomes


def predict(stack, task, settings, cases):
    """Each network's probabilities of its own cases, as the stack says them."""
    probability = torch.sigmoid(evaluate(stack, task, settings, cases).logits).numpy()
    return [probability[k, : len(part)] for k, part in enumerate(cases)]
