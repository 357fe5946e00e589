"""The training loop: it learns, keeps the best epoch, lowers the rate before it stops, and is replayable."""

import numpy as np
import pytest
import torch
from torch import nn

from busline.base.errors import TrainingError
from busline.training.loop import fit, predict, set_trainable, split_batches
from busline.training.plan import Phase, Plan
from busline.training.tasks import Arrays, ClassifyTask, SegmentTask, class_weights

CASES = 60
FIT, STOP = np.arange(40), np.arange(40, CASES)


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


def made_task(noise=0.3):
    generator = torch.Generator().manual_seed(0)
    labels = (torch.arange(CASES) % 2).float()
    table = labels[:, None] + noise * torch.randn(CASES, 3, generator=generator)
    weights = torch.from_numpy(class_weights(labels.numpy(), FIT))
    return ClassifyTask(Arrays(table=table, labels=labels, weights=weights))


class Line(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.body = nn.Sequential(nn.BatchNorm1d(3), nn.Dropout(0.1))
        self.head = nn.Linear(3, 1)

    def forward(self, table):
        return self.head(self.body(table)).squeeze(1)


def test_it_learns():
    network, task = Line(), made_task()
    curve = fit(network, task, plan(), FIT, STOP, seed=1)
    assert curve.rows[-1]["train_loss"] < 0.5 * curve.rows[0]["train_loss"]
    probability = predict(network, task, STOP, plan())
    assert ((probability > 0.5) == (STOP % 2 == 1)).mean() > 0.9


def test_the_same_seed_gives_the_same_bytes_and_leaves_the_global_state_alone():
    outcomes = []
    for _ in range(2):
        network = Line()
        torch.manual_seed(5)
        before = torch.get_rng_state()
        fit(network, made_task(), plan(), FIT, STOP, seed=7)
        assert torch.equal(torch.get_rng_state(), before)
        outcomes.append({name: value.clone() for name, value in network.state_dict().items()})
    assert all(torch.equal(outcomes[0][name], outcomes[1][name]) for name in outcomes[0])
    other = Line()
    fit(other, made_task(), plan(), FIT, STOP, seed=8)
    assert not torch.equal(other.head.weight, outcomes[0]["head.weight"])


def test_the_best_epoch_is_kept():
    network, task = Line(), made_task(noise=2.0)
    curve = fit(network, task, plan(), FIT, STOP, seed=1)
    losses = [row["stop_loss"] for row in curve.rows]
    assert np.argmin(losses) < len(losses) - 1
    probability = torch.from_numpy(predict(network, task, STOP, plan())).clamp(1e-7, 1 - 1e-7)
    loss = task.loss(torch.logit(probability), torch.from_numpy(STOP))
    assert float(loss) == pytest.approx(min(losses), abs=1e-4)


def test_it_stops_only_after_the_learning_rate_was_lowered():
    curve = fit(Line(), made_task(noise=2.0), plan(phases=(Phase("train", 60, 0.05),)), FIT, STOP, seed=1)
    rates = [row["learning_rate"] for row in curve.rows]
    assert len(curve.rows) < 60
    lowered = next(i for i, rate in enumerate(rates) if rate < 0.05)
    assert len(rates) - lowered >= 3


def test_a_phase_trains_only_its_modules_and_leaves_a_frozen_batch_norm_alone():
    network = Line()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    fit(network, made_task(), plan(phases=(Phase("head", 2, 0.05, ("head",)),)), FIT, STOP, seed=1)
    after = network.state_dict()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed == {"head.weight", "head.bias"}


def test_an_unknown_module_is_refused():
    with pytest.raises(TrainingError, match="no such module"):
        set_trainable(Line(), ("hed",))


def test_a_loss_that_is_no_number_names_phase_and_epoch():
    with pytest.raises(TrainingError, match="phase train, epoch 1"):
        fit(Line(), made_task(noise=float("nan")), plan(), FIT, STOP, seed=1)


def test_no_batch_has_a_single_case():
    sizes = [len(part) for part in split_batches(torch.arange(17), 8)]
    assert sizes == [8, 9]


def test_class_weights_are_the_papers():
    labels = np.array([0] * 154 + [1] * 98)
    weights = class_weights(labels, np.arange(252))
    assert weights[0] == pytest.approx(252 / (2 * 154), abs=1e-6)
    assert weights[-1] == pytest.approx(252 / (2 * 98), abs=1e-6)
    np.testing.assert_allclose([weights[0], weights[-1]], [0.818, 1.286], atol=5e-4)


def test_class_weights_are_counted_on_the_fit_cases_alone():
    labels = np.array([0, 0, 1, 1, 1, 1])
    np.testing.assert_allclose(class_weights(labels, np.array([0, 2])), np.ones(6))


def test_the_segmentation_loss_by_hand():
    target = torch.tensor([[[[1.0, 0.0]]]])
    logits = torch.tensor([[[[0.0, 0.0]]]])
    dice = (2 * 0.5 + 1) / (1.0 + 1.0 + 1)
    assert float(SegmentTask(Arrays()).loss(logits, target)) == pytest.approx(1 - dice + np.log(2), abs=1e-6)
