"""The lesion network."""

from __future__ import annotations

import pytest
import torch

from busline.cohort.findings import FINDINGS
from busline.models.lesion import LesionNetwork, _pool


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return LesionNetwork().eval()


@pytest.mark.parametrize("side", [64, 96])
def test_shapes(network, side):
    outputs = network(torch.rand(2, 1, side, side))
    assert outputs.mask.shape == (2, 1, side, side)
    assert outputs.label.shape == (2,)
    assert outputs.findings.shape == (2, len(FINDINGS))


def test_size(network):
    assert sum(weight.numel() for weight in network.parameters()) == 3_407_871


def test_label_and_findings_do_not_steer_the_mask(network):
    outputs = network(torch.rand(1, 1, 64, 64))
    (outputs.label.sum() + outputs.findings.sum()).backward()
    assert network.mask.weight.grad is None
    assert network.stem[0].weight.grad.abs().sum() > 0
    network.zero_grad()


def test_pooling_looks_where_the_lesion_is():
    features = torch.zeros(1, 1, 16, 16)
    features[..., 4:8, 4:8] = 5.0
    where = torch.zeros(1, 1, 64, 64)
    assert _pool(features, where).item() == pytest.approx(5.0 * 16 / 256)
    where[..., 20:28, 20:28] = 1.0
    assert _pool(features, where).item() == pytest.approx(5.0, abs=0.1)


def test_it_learns_to_draw_a_bright_square():
    torch.manual_seed(0)
    network = LesionNetwork((8, 8, 16, 16, 32), (16, 16, 8, 8))
    images, masks = -torch.ones(4, 1, 64, 64), torch.zeros(4, 1, 64, 64)
    for case in range(4):
        masks[case, :, 8 * case : 8 * case + 24, 16:40] = 1.0
    images = images + masks
    optimizer = torch.optim.Adam(network.parameters(), 1e-2)
    for _ in range(25):
        optimizer.zero_grad()
        loss = torch.nn.functional.binary_cross_entropy_with_logits(network(images).mask, masks)
        loss.backward()
        optimizer.step()
    assert ((network(images).mask > 0) == (masks > 0)).float().mean() > 0.97
