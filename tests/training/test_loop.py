"""The training loop: it learns, keeps the best epoch, lowers the rate before it stops, and is replayable."""

import numpy as np
import pytest
import torch
from made_networks import CPU, MILD, Line, image_task, make, member, plan, predict, table_task, train

from busline.base.errors import TrainingError
from busline.training.batches import draw_epoch
from busline.training.inference import evaluate
from busline.training.loop import fit
from busline.training.plan import Phase, Schedule
from busline.training.stack import Stack
from busline.training.tasks import Batch, SegmentArrays, SegmentTask, class_weights

ONE = [member()]
PHASE = Phase("train", 60, 0.05)


def test_it_learns():
    stack, task, (outcome,) = train("line", ONE, plan(phases=(Phase("train", 30, 0.2),)))
    assert outcome.curve[-1]["train_loss"] < 0.5 * outcome.curve[0]["train_loss"]
    cases = ONE[0].val
    probability = predict(stack, task, plan(), [cases])[0]
    assert ((probability > 0.5) == (cases % 2 == 1)).mean() > 0.9


def test_the_same_seed_gives_the_same_bytes_and_leaves_the_global_state_alone():
    states = []
    for _ in range(2):
        torch.manual_seed(5)
        before = torch.get_rng_state()
        stack, _, _ = train("line", ONE, plan())
        assert torch.equal(torch.get_rng_state(), before)
        states.append(stack.states()[0])
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
    other = Stack([make("line", ONE[0].seed)], CPU)
    fit(other, table_task(ONE), plan(), [type(ONE[0])(ONE[0].fit, ONE[0].val, 8)])
    assert not torch.equal(other.states()[0]["head.weight"], states[0]["head.weight"])


def test_the_best_epoch_is_kept():
    task = table_task(ONE, noise=2.0)
    stack, _, (outcome,) = train("line", ONE, plan(), task)
    losses = [row["val_loss"] for row in outcome.curve]
    assert np.argmin(losses) < len(losses) - 1
    found = evaluate(stack, task, plan(), [ONE[0].val]).mean_losses()
    assert float(found) == pytest.approx(min(losses), abs=1e-5)


def test_it_stops_only_after_the_learning_rate_was_lowered():
    _, _, (outcome,) = train("line", ONE, plan(phases=(PHASE,)), table_task(ONE, noise=2.0))
    rates = [row["learning_rate"] for row in outcome.curve]
    assert len(rates) < 60
    lowered = next(i for i, rate in enumerate(rates) if rate < 0.05)
    assert len(rates) - lowered >= 3


def test_steering_is_torchs_plateau_with_a_stop_behind_it():
    settings = plan(plateau_patience=1)
    schedule = Schedule(settings, PHASE)
    weight = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([weight], lr=PHASE.learning_rate)
    reference = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimizer, factor=0.5, patience=1, threshold=0.0, min_lr=1e-5
    )
    for loss in np.random.default_rng(0).random(60):
        schedule.note(float(loss))
        reference.step(float(loss))
        assert schedule.rate(0.0) == pytest.approx(optimizer.param_groups[0]["lr"])


def test_one_cycle_rises_and_falls_runs_every_epoch_and_keeps_the_last_weights():
    schedule = Schedule(plan(schedule="one_cycle"), PHASE)
    rates = [schedule.rate(share) for share in np.linspace(0, 1, 101)]
    assert rates[0] == pytest.approx(0.05 / 10)
    assert int(np.argmax(rates)) == 15
    assert max(rates) == pytest.approx(0.05)
    assert rates[-1] == pytest.approx(0.05 / 1e4)
    settings = plan(schedule="one_cycle", phases=(Phase("train", 9, 0.5),))
    task = table_task(ONE, noise=3.0)
    stack, _, (outcome,) = train("line", ONE, settings, task)
    losses = [row["val_loss"] for row in outcome.curve]
    assert len(losses) == 9
    assert np.argmin(losses) < 8
    assert float(evaluate(stack, task, settings, [ONE[0].val]).mean_losses()) == pytest.approx(losses[-1], abs=1e-5)


def test_adam_is_torchs():
    settings = plan(phases=(Phase("train", 3, 0.01),), weight_decay=0.1, schedule="one_cycle")
    stack, task, _ = train("line", ONE, settings)
    network = make("line", ONE[0].seed).train()
    optimizer = torch.optim.AdamW(network.parameters(), weight_decay=0.1)
    for epoch in range(3):
        draws = draw_epoch(ONE, 0, epoch, 8, draws=0, widths={"body.1": 3})
        for step in range(draws.steps):
            index, _, noise = draws.part(step, slice(0, 8), CPU)
            batch = task.batch(torch.tensor([0]), index, None)
            network.body[1].noise = noise["body.1"][0]
            optimizer.zero_grad()
            task.losses(network(batch.inputs[0][0])[None], batch).mean().backward()
            optimizer.param_groups[0]["lr"] = Schedule(settings, settings.phases[0]).rate((epoch + step / 5) / 3)
            optimizer.step()
    found, expected = stack.states()[0], network.state_dict()
    assert set(found) == set(expected)
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, atol=1e-5, rtol=1e-4)


def test_a_phase_trains_only_its_modules_and_leaves_a_frozen_batch_norm_alone():
    before = make("line", ONE[0].seed).state_dict()
    stack, _, _ = train("line", ONE, plan(phases=(Phase("head", 2, 0.05, ("head",)),)))
    after = stack.states()[0]
    assert {name for name in before if not torch.equal(before[name], after[name])} == {"head.weight", "head.bias"}


def test_an_unknown_module_is_refused():
    with pytest.raises(TrainingError, match="no such module"):
        train("line", ONE, plan(phases=(Phase("head", 2, 0.05, ("hed",)),)))


def test_a_loss_that_is_no_number_stops_its_own_network_and_names_the_batch():
    members = [member(number) for number in range(3)]
    task = table_task(members)
    healthy = train("line", members, plan(), table_task(members))[2]
    spoiled = members[1].fit[5]
    task.arrays.table[1, spoiled] = float("nan")
    stack, _, outcomes = train("line", members, plan(), task)
    assert outcomes[1].failure.startswith("phase train, epoch 1, batch ")
    assert outcomes[0].failure is None
    assert outcomes[2].failure is None
    assert len(outcomes[2].curve) > 3
    for place in (0, 2):
        found, expected = (one[place].curve[-1]["val_loss"] for one in (outcomes, healthy))
        assert found == pytest.approx(expected, abs=1e-3)
    assert torch.isfinite(stack.states()[2]["head.weight"]).all()


def test_a_stop_case_that_gives_no_number_is_named_too():
    task = table_task(ONE)
    task.arrays.table[0, ONE[0].val[0]] = float("inf")
    assert train("line", ONE, plan(), task)[2][0].failure == (
        "phase train, epoch 1, the validation cases: the loss is not a finite number"
    )


class Hungry(Line):
    """Runs out of memory with more than four cases."""

    def forward(self, table):
        if self.training and len(table) > 4:
            raise torch.OutOfMemoryError("too many")
        return self.head(table[:, :3]).squeeze(1)


class Modest(Hungry):
    def forward(self, table):
        return self.head(table[:, :3]).squeeze(1)


def test_out_of_memory_halves_the_batch_and_changes_nothing_else(capsys):
    settings = plan(phases=(Phase("train", 3, 0.01, ("head",)),), batch_size=16)
    results = []
    for kind in (Modest, Hungry):
        torch.manual_seed(0)
        stack = Stack([kind()], CPU)
        (outcome,) = fit(stack, table_task(ONE), settings, ONE)
        results.append(([row["train_loss"] for row in outcome.curve], stack.states()[0]["head.weight"]))
    assert "batches in 4 parts" in capsys.readouterr().err
    np.testing.assert_allclose(results[0][0], results[1][0], rtol=1e-5)
    torch.testing.assert_close(results[0][1], results[1][1])


def test_memory_for_not_even_two_cases_is_an_error():
    class Starved(Line):
        def forward(self, table):
            raise torch.OutOfMemoryError("no")

    with pytest.raises(torch.OutOfMemoryError):
        fit(Stack([Starved()], CPU), table_task(ONE), plan(), ONE)


def test_bf16_trains_near_fp32():
    exact, rough = (
        train("cnn", ONE, plan(phases=(Phase("t", 3, 0.001),), precision=p))[2][0] for p in ("fp32", "bf16")
    )
    losses = [[row["train_loss"] for row in outcome.curve] for outcome in (exact, rough)]
    np.testing.assert_allclose(losses[0], losses[1], rtol=0.05)
    assert losses[0] != losses[1]


def test_the_network_gets_the_images_it_should():
    task = image_task(ONE)
    index = torch.tensor([[3, 5]])
    plain = task.batch(torch.tensor([0]), index, None)
    images = plain.inputs[0]
    assert images.shape == (1, 2, 1, 16, 16)
    torch.testing.assert_close(images[0, :, 0], task.arrays.images[[3, 5]].float() / 127.5 - 1.0, atol=1e-6, rtol=0)
    assert plain.target.tolist() == [[1.0, 1.0]]


def test_the_scores_by_hand():
    logits = torch.tensor([[0.1, 0.4, 0.35, 0.8, 9.0], [1.0, 1.0, 0.0, 0.0, 0.0]])
    target = torch.tensor([[0.0, 0.0, 1.0, 1.0, 0.0], [1.0, 0.0, 1.0, 0.0, 0.0]])
    valid = torch.tensor([[True] * 4 + [False], [True] * 5])
    found = image_task(ONE).score(logits, target, valid)
    torch.testing.assert_close(found, torch.tensor([0.75, 3.5 / 6]))
    masks = torch.tensor([[[[1.0, 1.0, 0.0, 0.0]]], [[[0.0, 0.0, 0.0, 0.0]]]])[None]
    guess = torch.tensor([[[[1.0, -1.0, 1.0, -1.0]]], [[[-1.0, -1.0, -1.0, -1.0]]]])[None]
    dice = image_task(ONE, SegmentTask).score(guess, masks, torch.tensor([[True, True]]))
    assert float(dice) == 0.5  # a case where neither has a pixel is left out


def test_class_weights_are_the_papers():
    labels = np.array([0] * 154 + [1] * 98)
    weights = class_weights(labels, np.arange(252))
    np.testing.assert_allclose([weights[0], weights[-1]], [252 / 308, 252 / 196], atol=1e-6)


def test_class_weights_are_counted_on_the_train_cases_alone():
    labels = np.array([0, 0, 1, 1, 1, 1])
    np.testing.assert_allclose(class_weights(labels, np.array([0, 2])), np.ones(6))


def test_the_segmentation_loss_by_hand():
    batch = Batch((), torch.tensor([[[[[1.0, 0.0]]]]]), torch.ones(1, 1))
    dice = (2 * 0.5 + 1) / (1.0 + 1.0 + 1)
    losses = image_task(ONE, SegmentTask).losses(torch.zeros(1, 1, 1, 1, 2), batch)
    assert float(losses) == pytest.approx(1 - dice + np.log(2), abs=1e-6)


def test_masks_move_with_their_images():
    task = SegmentTask(image_task(ONE, SegmentTask).arrays, MILD.model_copy(update={"speckle": 0.0}))
    arrays = SegmentArrays(task.arrays.masks, task.arrays.masks)
    draws = torch.rand(8, 11, generator=torch.Generator().manual_seed(1))
    batch = SegmentTask(arrays, task.augmentation).batch(torch.tensor([0]), torch.arange(8)[None], draws)
    assert ((batch.inputs[0] > 0).float() - batch.target).abs().mean() < 0.02
