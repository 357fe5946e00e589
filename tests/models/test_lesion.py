"""The lesion network."""

from __future__ import annotations

import pytest
import torch

from busline.base.errors import ParameterError
from busline.base.settings.lesion import LesionBody
from busline.base.settings.weights import Start
from busline.cohort.findings import FINDINGS
from busline.models.gray import to_lesion_scale
from busline.models.lesion import LesionNetwork, _pool, build_lesion_network
from busline.models.lesion_encoders import OwnEncoder, load_encoder

OWN_BODY = LesionBody(encoder="own", start=None)


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return build_lesion_network(OWN_BODY).eval()


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
    assert network.encoder.stem[0].weight.grad.abs().sum() > 0
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
    network = LesionNetwork(OwnEncoder((8, 8, 16, 16, 32)), (16, 16, 8, 8))
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


@pytest.mark.parametrize("name", ["tf_efficientnet_lite0", "resnet18"])
def test_a_network_of_timm_serves_as_encoder_and_sees_what_its_weights_want(name):
    start = Start(name="some", mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))
    seen = []
    for body, offset, scale in (
        (LesionBody(encoder=name, start=None), 0.0, 1.0),
        (LesionBody(encoder=name, start=start), 0.456, 0.224),
    ):
        network = build_lesion_network(body).eval()
        network.encoder.body.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
        picture = torch.linspace(0, 1, 64 * 64).view(1, 1, 64, 64)
        outputs = network(to_lesion_scale(picture))
        assert outputs.mask.shape == (1, 1, 64, 64)
        shown = picture[0, 0] if body.start else to_lesion_scale(picture)[0, 0]
        torch.testing.assert_close(seen[-1][0, 1], (shown - offset) / scale, rtol=0, atol=1e-5)


def test_the_encoders_weights_are_put_in_and_another_networks_are_refused():
    import timm

    network = build_lesion_network(LesionBody(encoder="resnet18", start=None))
    torch.manual_seed(1)
    tensors = timm.create_model("resnet18").state_dict()
    load_encoder(network.encoder, tensors, "weights")
    assert torch.equal(network.encoder.body.layer4[1].conv2.weight, tensors["layer4.1.conv2.weight"])
    with pytest.raises(ParameterError, match="does not fit the network"):
        load_encoder(network.encoder, timm.create_model("resnet10t").state_dict(), "weights")


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("resnet1", "timm has no 'resnet1'"),
        ("convnext_atto", r"gives maps of strides \[4, 8, 16, 32\]"),
        ("vit_tiny_patch16_224", "gives maps of strides|gives no maps"),
    ],
)
def test_a_network_without_such_maps_is_refused(name, problem):
    with pytest.raises(ParameterError, match=problem):
        build_lesion_network(LesionBody(encoder=name, start=None))
