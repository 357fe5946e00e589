"""U-Nets of transposed convolutions: the figures and shapes that two papers print, and any encoder."""

import pytest
import torch
from torch import nn

from busline.base.errors import ParameterError
from busline.models.segmentation import build_segmenter, load_encoder, require_pair
from busline.models.transposed_unet import DECODERS, Join, build_transposed_unet
from busline.training.stack import Stack

TABLE_3 = {
    "MobileNet": [(96, 64, 64), (144, 32, 32), (192, 16, 16), (576, 8, 8), (960, 4, 4)],
    "Upsampler": [(512, 8, 8), (256, 16, 16), (128, 32, 32), (64, 64, 64)],
    "Concat": [(1088, 8, 8), (448, 16, 16), (272, 32, 32), (160, 64, 64)],
}
"""Channels and sides that Chowdhary & Dennis 2026 print for pictures of 128 pixels."""


def parameters(module):
    return sum(value.numel() for value in module.parameters())


def weights_and_statistics(module):
    """As Keras counts: batch norm's running mean and variance are weights that do not learn."""
    return parameters(module) + sum(value.numel() for name, value in module.named_buffers() if "running" in name)


def shapes_said(modules, network, images):
    """The shapes that the modules say while the network looks at the images."""
    found = []
    hooks = [one.register_forward_hook(lambda *said: found.append(tuple(said[2].shape[1:]))) for one in modules]
    network(images)
    for hook in hooks:
        hook.remove()
    return found


@pytest.fixture(scope="module")
def table_3():
    return build_transposed_unet("transposed_unet", "mobilenet_v2", 3).eval()


def test_table_3s_network_has_both_printed_numbers_of_parameters(table_3):
    learning = parameters(table_3.decoder) + parameters(table_3.segmentation_head)
    assert learning == 7_609_443
    assert weights_and_statistics(table_3) == 9_133_667
    assert parameters(table_3) == learning + parameters(table_3.encoder)


def test_table_3s_network_has_its_shapes(table_3):
    images = torch.zeros(1, 3, 128, 128)
    assert [tuple(one.shape[1:]) for one in table_3.encoder(images)] == TABLE_3["MobileNet"]
    upsamplers = [join.enlarge for join in table_3.decoder]
    assert shapes_said(upsamplers, table_3, images) == TABLE_3["Upsampler"]
    assert shapes_said(table_3.decoder, table_3, images) == TABLE_3["Concat"]
    assert table_3(images).shape == (1, 3, 128, 128)


def test_the_encoder_is_the_librarys_up_to_the_last_map_and_says_its_expansions():
    whole = build_segmenter("unet", "mobilenet_v2", 64).network.encoder.train()
    model = build_segmenter("transposed_unet", "mobilenet_v2", 64)
    load_encoder(model, whole.state_dict(), "weights")
    encoder, theirs = model.network.encoder, whole.state_dict()
    for name, value in encoder.state_dict().items():
        assert torch.equal(value, theirs[name]), name
    said = {}
    for place, block in enumerate(whole.features[2:18], start=2):
        block.conv[0].register_forward_hook(lambda module, given, found, place=place: said.update({place: found}))
    images = torch.rand(2, 3, 64, 64)
    whole(images)
    maps = encoder.train()(images)
    for place, found in zip((2, 4, 7, 14, 17), maps, strict=True):
        torch.testing.assert_close(found, said[place], rtol=0, atol=0)
        assert found.min() == 0  # behind the activation


def test_dajams_decoder_brings_every_skip_to_the_width_of_what_it_joins():
    network = build_transposed_unet("aligned_unet", "tu-mobilenetv1_100", 1).eval()
    images = torch.zeros(1, 3, 256, 256)
    maps = [tuple(one.shape[1:]) for one in network.encoder(images)[1:]]
    assert maps[1:] == [(128, 64, 64), (256, 32, 32), (512, 16, 16), (1024, 8, 8)]  # conv_pw_3, 5, 11 and 13
    aligned = [join.align for join in network.decoder]
    widths, sides = DECODERS["aligned_unet"].widths, (16, 32, 64, 128)
    assert [one.kernel_size for one in aligned] == [(1, 1)] * 4
    assert shapes_said(aligned, network, images) == [(*pair, pair[1]) for pair in zip(widths, sides, strict=True)]
    joined = [(2 * width, side, side) for width, side in zip(widths, sides, strict=True)]
    assert shapes_said(network.decoder, network, images) == joined
    last = network.segmentation_head[-1]
    assert (last.in_channels, last.out_channels, last.kernel_size) == (32, 1, (1, 1))
    assert shapes_said([network.segmentation_head[0]], network, images) == [(32, 256, 256)]
    assert network(images).shape == (1, 1, 256, 256)


def test_what_was_enlarged_stands_where_the_encoder_took_it_from():
    """The transposed convolution is the adjoint of the encoder's: <conv(y), x> = <y, transposed(x)>."""
    join = Join(2, 1, 3, aligned=False)
    weight = join.enlarge[0].weight
    small, large = torch.randn(1, 2, 5, 5), torch.randn(1, 3, 10, 10)
    taken = nn.functional.conv2d(large, weight, stride=2, padding=1)
    torch.testing.assert_close((taken * small).sum(), (large * join.enlarge[0](small)).sum())
    assert join(small, large[:, :1]).shape == (1, 4, 10, 10)


@pytest.mark.parametrize("architecture", DECODERS)
def test_weights_are_drawn_as_keras_does_and_the_encoders_are_not(architecture):
    torch.manual_seed(0)
    network = build_transposed_unet(architecture, "resnet18", 1)
    parts = [*network.decoder.modules(), *network.segmentation_head.modules()]
    drawn = [one for one in parts if isinstance(one, nn.Conv2d | nn.ConvTranspose2d)]
    for one in drawn:
        bound = (6 / ((one.in_channels + one.out_channels) * one.kernel_size[0] ** 2)) ** 0.5
        assert 0.8 * bound < one.weight.abs().max() <= bound
        assert one.bias is None or (one.bias == 0).all()
    assert len(drawn) == (5 if architecture == "transposed_unet" else 10)
    stem = network.encoder.conv1
    assert stem.weight.abs().max() > (6 / ((stem.in_channels + stem.out_channels) * 49)) ** 0.5


@pytest.mark.parametrize("side", [48, 63])
def test_sides_that_cannot_be_halved_five_times_are_refused(table_3, side):
    with pytest.raises(ValueError, match=f"multiples of 32, the images are {side} x 64"):
        table_3(torch.zeros(1, 3, side, 64))


@pytest.mark.parametrize(("name", "near"), [("transposd_unet", "transposed_unet"), ("unett", "unet")])
def test_a_wrong_architecture_is_met_with_near_matches_of_both_kinds(name, near):
    with pytest.raises(ParameterError, match=f"seg.architecture(.|\n)*'{near}'"):
        require_pair(name, "mobilenet_v2")


def learn(networks, images, precision):
    """What the networks of a stack say while they learn, and the gradients of two of their layers."""
    stack = Stack(networks, torch.device("cpu"))
    stack.begin(None)
    stack.train_mode()
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=precision == "bf16"):
        said = stack.forward((images,), {}).float()
    (said**2).mean(dim=(1, 2, 3, 4)).sum().backward()
    layers = ("decoder.0.enlarge.0", "decoder.3.enlarge.1")
    return [said.detach(), *(stack.tensors[f"network.{name}.weight"].grad for name in layers)]


@pytest.mark.parametrize(
    ("architecture", "encoder", "precision"),
    [
        ("transposed_unet", "mobilenet_v2", "fp32"),
        ("aligned_unet", "tu-convnext_atto", "fp32"),  # has no map of stride 2: a skip of no channels
        ("transposed_unet", "resnet18", "bf16"),
    ],
)
def test_two_learn_in_a_stack_as_each_does_alone(architecture, encoder, precision):
    torch.manual_seed(0)
    networks, images = [build_segmenter(architecture, encoder, 64) for _ in range(2)], torch.randn(2, 8, 1, 64, 64)
    together = learn(networks, images, precision)
    for place, network in enumerate(networks):
        alone = learn([network], images[place : place + 1], precision)
        compared, rounding = (together, 1e-3) if precision == "fp32" else (together[:1], 0.05)
        for both, one in zip(compared, alone, strict=precision == "fp32"):
            own, other = ((both[k] - one[0]).square().mean().sqrt() / one.std() for k in (place, 1 - place))
            assert own < rounding
            assert other > 10 * rounding
