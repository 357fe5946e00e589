"""Stacked training equals sequential training: the same scores, curves and weights within rounding."""

from collections import OrderedDict

import numpy as np
import pytest
import torch
from made_networks import CPU, make, make_task, member, plan, predict, table_task, train
from torch import nn

from busline.models.dropout import GivenDropout
from busline.models.mlp import Mlp, cut_features, pad_features
from busline.training.augment import DRAWS
from busline.training.batches import draw_epoch
from busline.training.loop import fit, seeded
from busline.training.plan import Phase
from busline.training.results import train_and_score
from busline.training.stack import Stack

MEMBERS = [member(0), member(1, fit=42, stop=10), member(2, fit=33)]
"""The second takes six batches of eight, the others five: it goes on while they wait."""


BEFORE_NORM = ("down.0.bias", "deep.1.bias")
"""Batch norm takes these away again: their gradients are nothing but rounding, which Adam scales up to full steps."""


def alone(kind, settings):
    results = []
    for place, one in enumerate(MEMBERS):
        task = make_task(kind, MEMBERS)
        task = type(task)(task.arrays.of(slice(place, place + 1)), task.augmentation)
        stack, _, outcomes = train(kind, [one], settings, task)
        test = np.setdiff1d(np.arange(60), np.concatenate([one.fit, one.val]))
        results.append((predict(stack, task, settings, [test])[0], outcomes[0].curve, stack.states()[0]))
    return results


@pytest.mark.parametrize(("kind", "epochs"), [("mlp", 40), ("cnn", 3), ("unet", 3)])
def test_stacked_is_sequential(kind, epochs):
    settings = plan(phases=(Phase("train", epochs, 0.02 if kind == "mlp" else 0.001),), plateau_patience=1)
    stack, task, outcomes = train(kind, MEMBERS, settings)
    tests = [np.setdiff1d(np.arange(60), np.concatenate([one.fit, one.val])) for one in MEMBERS]
    stacked = predict(stack, task, settings, tests)
    for place, (probability, curve, state) in enumerate(alone(kind, settings)):
        np.testing.assert_allclose(stacked[place], probability, atol=2e-3)
        for key in ("train_loss", "val_loss", "val_score", "learning_rate"):
            found = [row[key] for row in outcomes[place].curve]
            expected, rounding = [row[key] for row in curve], 0.01 if key == "val_score" else 2e-3
            np.testing.assert_allclose(found, expected, atol=rounding, err_msg=key)
        for name, value in state.items():
            if name not in BEFORE_NORM:
                torch.testing.assert_close(stack.states()[place][name], value, atol=5e-3, rtol=5e-3)
    if kind == "mlp":
        lengths = {len(outcome.curve) for outcome in outcomes}
        assert len(lengths) > 1, "early stopping by masking is not tried here"


def test_the_networks_of_a_stack_do_not_touch_each_other():
    settings = plan(phases=(Phase("train", 5, 0.02),))
    stack, _, _ = train("mlp", MEMBERS, settings)
    task = table_task(MEMBERS)
    task.arrays.table[1] = torch.randn(60, 3)
    changed, _, _ = train("mlp", MEMBERS, settings, task)
    for place, same in ((0, True), (1, False), (2, True)):
        pairs = zip(stack.states()[place].values(), changed.states()[place].values(), strict=True)
        assert all(torch.equal(a, b) for a, b in pairs) == same


def test_a_second_phase_starts_from_each_networks_best_weights():
    phases = (Phase("first", 20, 0.05), Phase("second", 1, 1e-12))
    stack, _, outcomes = train("mlp", MEMBERS, plan(phases=phases, plateau_patience=1))
    for outcome in outcomes:
        first = [row["val_loss"] for row in outcome.curve if row["phase"] == "first"]
        second = [row["val_loss"] for row in outcome.curve if row["phase"] == "second"]
        assert len(second) == 1
        assert [row["epoch"] for row in outcome.curve] == list(range(1, len(first) + 2))
    assert stack.learning == [0, 1, 2]


def test_every_batch_is_full_and_every_case_is_seen():
    draws = draw_epoch(MEMBERS, 0, 3, 8, draws=DRAWS, widths={"drop": 5})
    assert draws.counts == [5, 6, 5]
    assert draws.index.shape == (3, 6, 8)
    for place, one in enumerate(MEMBERS):
        seen = draws.index[place, : draws.counts[place]].flatten().numpy()
        assert set(seen) == set(one.fit)
        assert np.bincount(seen).max() <= 2
    assert draws.idle(5).tolist() == [True, False, True]
    assert draws.noise["drop"].shape == (3, 6, 8, 5)


def test_a_network_draws_the_same_beside_others_and_alone():
    together = draw_epoch(MEMBERS, 1, 2, 8, draws=DRAWS, widths={"drop": 5})
    own = draw_epoch(MEMBERS[2:], 1, 2, 8, draws=DRAWS, widths={"drop": 5})
    assert torch.equal(together.index[2, :5], own.index[0])
    assert torch.equal(together.augmentation[2, :5], own.augmentation[0])
    assert torch.equal(together.noise["drop"][2, :5], own.noise["drop"][0])
    other = draw_epoch(MEMBERS[2:], 1, 3, 8, draws=DRAWS, widths={"drop": 5})
    assert not torch.equal(other.index, own.index)


def test_a_batch_larger_than_the_cases_repeats_them():
    draws = draw_epoch([member(0, fit=5)], 0, 0, 16, draws=0, widths={})
    assert np.bincount(draws.index.flatten().numpy()).max() == 4


def test_columns_of_zeros_change_nothing():
    one = member()
    task = table_task([one], features=3)
    wide = type(task)(
        task.arrays.__class__(**{**vars(task.arrays), "table": nn.functional.pad(task.arrays.table, (0, 2))})
    )
    settings = plan(phases=(Phase("train", 8, 0.02),), weight_decay=0.01)
    with seeded(1):
        narrow, padded = Mlp(3, 8, 0.2), Mlp(3, 8, 0.2)
        padded.load_state_dict(narrow.state_dict())
    results = []
    for network, own in ((narrow, task), (pad_features(padded, 5), wide)):
        stack = Stack([network], CPU)
        fit(stack, own, settings, [one])
        results.append({name: value.numpy() for name, value in stack.states()[0].items()})
    cut = cut_features(results[1], 3)
    for name, value in results[0].items():
        np.testing.assert_allclose(cut[name], value, atol=1e-5)
    assert (results[1]["body.1.weight"][:, 3:] == 0).all()


def test_what_is_frozen_drops_no_blocks_and_what_is_given_its_noise_goes_on():
    network = nn.Sequential(OrderedDict(body=nn.Sequential(nn.Linear(3, 64), nn.Dropout(0.5)), head=nn.Linear(64, 1)))
    network.body.append(GivenDropout(0.5, 64))
    stack = Stack([network], CPU)
    for trainable, dropping in ((("head",), False), (None, True)):
        stack.begin(trainable)
        stack.train_mode()
        assert (stack.skeleton.body[1].training, stack.skeleton.body[2].training) == (dropping, True)


def test_a_large_stack_is_cut_to_what_fits(monkeypatch):
    settings = plan(phases=(Phase("train", 3, 0.02),))
    networks = [make("mlp", one.seed) for one in MEMBERS]
    score = [{"test": np.arange(10)} for _ in MEMBERS]
    told = []

    def run():
        return train_and_score(
            networks,
            table_task(MEMBERS),
            settings,
            MEMBERS,
            score,
            device=CPU,
            report_progress=lambda share, _: told.append(share),
        )

    whole = run()
    monkeypatch.setattr("busline.training.results._largest_stack", lambda *_: 2)
    told.clear()
    cut = run()
    assert told == sorted(told)
    assert told[-1] == pytest.approx(1.0)
    for one, other in zip(whole, cut, strict=True):
        np.testing.assert_allclose(one.probabilities["test"], other.probabilities["test"], atol=1e-4)


@pytest.mark.parametrize("count", [1, 2])
def test_bf16_reaches_the_convolutions_but_for_depthwise_ones(count):
    network = nn.Sequential(nn.Conv2d(1, 4, 3, bias=False), nn.Conv2d(4, 4, 3, groups=4, bias=False))
    stack = Stack([network] * count, CPU)
    seen = []
    for module in stack.skeleton:
        module.register_forward_hook(lambda module, given, found: seen.append((given[0], found)))
    images = torch.randn(count, 2, 1, 9, 9)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        stack.forward((images,), {})
    if count == 1:
        (given, first), (_, last) = seen
        weights = [module.weight for module in network]
        rough = nn.functional.conv2d(given.bfloat16(), weights[0].bfloat16())
        torch.testing.assert_close(first.float(), rough.float())
        exact = nn.functional.conv2d(first.float(), weights[1], groups=4).bfloat16()
        torch.testing.assert_close(last, exact)
    else:
        alone = Stack([network], CPU)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            expected = alone.forward((images[:1],), {})
            found = stack.forward((images,), {})
        torch.testing.assert_close(found[:1].float(), expected.float(), atol=0.02, rtol=0.02)
        plain = stack.forward((images,), {})
        assert not torch.equal(found.float(), plain)
