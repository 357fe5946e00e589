"""The lesion task through the one loop: batches and losses by hand, stacks, clipping, no validation cases."""

import numpy as np
import pytest
import torch
from made_networks import member, plan, table_task, train

from busline.models.lesion import LesionLogits, LesionNetwork
from busline.models.lesion_encoders import OwnEncoder
from busline.studies.lesion_cases import draw_lesion_cases
from busline.studies.pretrain import lesion_plan
from busline.training.batches import Member, draw_epoch
from busline.training.lesion_task import LesionTask
from busline.training.loop import fit, seeded
from busline.training.plan import Phase
from busline.training.stack import Stack, clip_gradients
from busline.training.two_views import mask_box, outline_boxes, predict_two_views
from busline.training.views import Ranges

CPU = torch.device("cpu")
NOBODY = np.array([], np.int64)


@pytest.fixture(scope="module")
def cases():
    return draw_lesion_cases(10, 3)


@pytest.fixture(scope="module")
def task(cases):
    return LesionTask(cases.arrays(), 32, Ranges())


def network(seed):
    with seeded(seed):
        return LesionNetwork(OwnEncoder((8, 8, 8, 16, 16)), (8, 8, 8, 8))


def test_a_batch_holds_two_views_a_case_side_by_side(task, cases):
    index = torch.tensor([[2, 5, 7]])
    batch = task.batch(torch.tensor([0]), index, None)
    (seen,) = batch.inputs
    assert seen.shape == batch.target.shape == (1, 6, 1, 32, 32)
    again = task.batch(torch.tensor([0]), torch.tensor([[5]]), None)
    torch.testing.assert_close(seen[:, 2:4], again.inputs[0])
    width, height = cases.sizes[5]
    whole = torch.from_numpy(cases.images[5, :height, :width]).float().mean() / 255 * 4 - 1
    assert seen[0, 2].mean() == pytest.approx(whole.item(), abs=0.05)
    assert batch.target[0, 3].mean() > batch.target[0, 2].mean()
    label, findings = batch.more
    assert label[0].tolist() == np.repeat(cases.labels[[2, 5, 7]], 2).tolist()
    assert findings.shape == (1, 6, 13)


def test_a_batch_replays_from_its_draws(task):
    draws = torch.from_numpy(np.random.default_rng(0).random((3, task.draws), dtype=np.float32))
    index = torch.tensor([[2, 5, 7]])
    one, other = (task.batch(torch.tensor([0]), index, draws) for _ in range(2))
    assert torch.equal(one.inputs[0], other.inputs[0])
    assert not torch.equal(one.inputs[0], task.batch(torch.tensor([0]), index, None).inputs[0])


def test_the_loss_by_hand(task, cases):
    index = torch.tensor([[1]])
    batch = task.batch(torch.tensor([0]), index, None)
    logits = LesionLogits(torch.zeros(1, 2, 1, 32, 32), torch.zeros(1, 2), torch.zeros(1, 2, 13))
    area = batch.target.sum(dim=(2, 3, 4))[0]
    dice = ((area + 1) / (512 + area + 1)).mean()
    expected = np.log(2) * (1 + 0.5 + 0.5) + 1 - dice.item()
    assert task.losses(logits, batch).item() == pytest.approx(expected, rel=1e-5)


def test_what_is_not_known_is_not_learnt(cases):
    findings, masks = cases.findings.copy(), cases.masks.copy()
    findings[1], masks[1] = np.nan, 0
    arrays = draw_lesion_cases(10, 3).arrays()
    arrays = type(arrays)(**{**vars(arrays), "findings": torch.from_numpy(findings), "masks": torch.from_numpy(masks)})
    task = LesionTask(arrays, 32, Ranges())
    batch = task.batch(torch.tensor([0]), torch.tensor([[1]]), None)
    logits = LesionLogits(torch.full((1, 2, 1, 32, 32), 3.0), torch.zeros(1, 2), torch.full((1, 2, 13), 5.0))
    assert task.losses(logits, batch).item() == pytest.approx(0.5 * np.log(2), rel=1e-5)


def test_a_missing_target_changes_no_gradient(cases):
    """Whatever the network says of it; the known ones keep theirs, each a share of those that are known."""
    findings = cases.findings.copy()
    findings[1, [2, 9, 10]] = np.nan
    arrays = type(cases.arrays())(**{**vars(cases.arrays()), "findings": torch.from_numpy(findings)})
    task = LesionTask(arrays, 32, Ranges(), findings_weight=0.5)
    batch = task.batch(torch.tensor([0]), torch.tensor([[1, 3]]), None)
    said = torch.randn((1, 4, 13), generator=torch.Generator().manual_seed(5))
    gradients = []
    for other in (said[0, 0, 9].item(), 40.0, -40.0):
        changed = said.clone()
        changed[0, :2, 9] = other
        changed.requires_grad_()
        logits = LesionLogits(torch.zeros(1, 4, 1, 32, 32), torch.zeros(1, 4), changed)
        gradients.append(torch.autograd.grad(task.losses(logits, batch).sum(), changed)[0])
    missing = torch.zeros(1, 4, 13, dtype=torch.bool)
    missing[0, :2, [2, 9, 10]] = True
    assert (gradients[0][missing] == 0).all()
    assert (gradients[0][~missing] != 0).all()
    assert torch.equal(gradients[0], gradients[1])
    assert torch.equal(gradients[0], gradients[2])
    wrong = torch.sigmoid(said) - torch.from_numpy(findings[[1, 1, 3, 3]]).nan_to_num()
    known = torch.tensor([10.0, 10.0, 13.0, 13.0])[:, None]
    torch.testing.assert_close(gradients[0][0][~missing[0]], (0.5 * 0.5 * wrong[0] / known)[~missing[0]])


def test_stacked_is_sequential_and_without_val_cases_the_last_weights_stay(task):
    members = [Member(np.arange(8), NOBODY, 1), Member(np.arange(2, 10), NOBODY, 2)]
    settings = lesion_plan(2, 2e-3, 4, "fp32")
    together = Stack([network(1), network(2)], CPU)
    outcomes = fit(together, task, settings, members)
    for place, one in enumerate(members):
        alone = Stack([network(1 + place)], CPU)
        (outcome,) = fit(alone, task, settings, [one])
        losses = [[row["train_loss"] for row in curve] for curve in (outcome.curve, outcomes[place].curve)]
        np.testing.assert_allclose(*losses, atol=5e-3)
        assert outcome.failure is None
        assert all(np.isnan(row["val_loss"]) and np.isnan(row["val_score"]) for row in outcome.curve)
        for name, value in alone.states()[0].items():
            torch.testing.assert_close(together.states()[place][name], value, atol=2e-2, rtol=2e-2)
            assert not torch.equal(value, network(1 + place).state_dict()[name]) or "mask" in name or value.dim() == 0


def test_the_plateau_needs_val_cases():
    one = Member(np.arange(20), NOBODY, 0)
    with pytest.raises(ValueError, match="validation cases"):
        train("mlp", [one], plan(phases=(Phase("train", 1, 0.01),)), table_task([one]))


def test_dropout_is_drawn_for_each_view():
    draws = draw_epoch([member(0, fit=8)], 0, 0, 4, draws=3, widths={"drop": 5}, views=2)
    index, numbers, noise = draws.part(1, slice(1, 3), CPU)
    assert index.shape == (1, 2)
    assert numbers.shape == (2, 3)
    assert noise["drop"].shape == (1, 4, 5)
    assert torch.equal(noise["drop"][0, :2].flatten(), draws.noise["drop"][0, 1, 1])


def test_gradients_are_clipped_to_their_norm_network_by_network():
    values = {"a": torch.zeros(2, 3, requires_grad=True), "b": torch.zeros(2, 2, 2, requires_grad=True)}
    values["a"].grad, values["b"].grad = torch.tensor([[3.0, 0, 0], [0.3, 0, 0]]), torch.zeros(2, 2, 2)
    values["b"].grad[0, 0, 0] = 4.0
    clip_gradients(values, 1.0)
    torch.testing.assert_close(values["a"].grad, torch.tensor([[0.6, 0, 0], [0.3, 0, 0]]), atol=1e-5, rtol=0)
    assert values["b"].grad[0, 0, 0] == pytest.approx(0.8, abs=1e-5)


def test_clipping_is_torchs():
    parameters = [torch.randn(1, 5, generator=torch.Generator().manual_seed(k)) for k in range(3)]
    ours, theirs = ([value.clone().requires_grad_() for value in parameters] for _ in range(2))
    for group in (ours, theirs):
        for value in group:
            value.grad = 3.0 * value.detach().clone()
    clip_gradients({str(k): value for k, value in enumerate(ours)}, 2.0)
    torch.nn.utils.clip_grad_norm_(theirs, 2.0)
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one.grad, other.grad)


def test_boxes_come_back_to_the_pictures_pixels():
    chances = np.zeros((1, 32, 32))
    chances[0, 8:16, 4:20] = 0.9
    np.testing.assert_allclose(outline_boxes(chances, np.array([[64, 96]])), [[8, 24, 40, 48]])
    assert mask_box(np.zeros((5, 7), bool)).tolist() == [0, 0, 7, 5]


def test_two_views_map_the_picture_and_nothing_else(cases):
    seen = predict_two_views(network(0), cases.images, cases.sizes, 32, precision="fp32", device=CPU)
    assert seen.maps.shape == cases.images.shape
    for chances, (width, height) in zip(seen.maps, cases.sizes, strict=True):
        assert (chances[height:] == 0).all()
        assert (chances[:, width:] == 0).all()
        assert (chances[1 : height - 1, 1 : width - 1] > 0).all()
    assert seen.label.shape == (10, 2)
    assert seen.findings.shape == (10, 2, 13)
    mirrored = np.zeros_like(cases.images)
    for place, (width, height) in enumerate(cases.sizes):
        mirrored[place, :height, :width] = cases.images[place, :height, :width][:, ::-1]
    other = predict_two_views(network(0), mirrored, cases.sizes, 32, precision="fp32", device=CPU)
    np.testing.assert_allclose(seen.label[:, 0], other.label[:, 0], atol=1e-4)
