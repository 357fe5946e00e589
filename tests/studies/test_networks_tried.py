"""Any network of timm and any pair of segmentation-models-pytorch trains, or is refused by name with the reason."""

import os
import signal
from dataclasses import replace

import numpy as np
import pytest
import torch

from busline.base.errors import ParameterError, TrainingError
from busline.base.settings.models import image_settings, segmenter_settings
from busline.base.settings.weights import Start
from busline.models.images import build_image_model, load_pretrained
from busline.models.segmentation import build_segmenter
from busline.studies import cnn, segment
from busline.studies.cnn import CnnContext
from busline.studies.networks import TRIAL_JOB
from busline.studies.segment import SegmentContext
from busline.training.stack import Stack
from busline.training.trial import try_unit
from made_inputs import small_params

PARAMS = small_params()
SPEC = PARAMS.cnn.models["mobilenet_v2_random"]

TRAIN = [
    ("resnet10t", 64),
    ("mobilenetv3_small_050", 64),  # its output is wider than its features
    ("mobilenetv3_small_050.lamb_in1k", 32),
    ("efficientnet_lite0", 48),
    ("convnext_atto", 64),
    ("regnetx_002", 64),
    ("ghostnet_050", 64),
    ("test_vit", 64),  # built for 160 pixels
    ("vit_tiny_patch16_224", 64),
    ("levit_128s", 64),
]
REFUSED = [
    ("inception_v3", 64, r"network 'inception_v3': cannot.* 64 pixels in fp32: .*\n.*299.*cnn.image_size"),
    ("resnet81", 64, "did you mean 'resnet"),
    ("resnet18.no_such_tag", 64, r"no weights 'no_such_tag' of resnet18(.|\n)*resnet18\.a"),
    ("hf-hub:timm/resnet18.a1_in1k", 64, "timm has no 'hf-hub:timm/resnet18.a1_in1k'(.|\n)*timm's own list"),
    ("local-dir:/tmp/somewhere", 64, "timm's own list"),
]
PAIRS = [
    *[("unet", "mobileone_s0"), ("fpn", "resnet18"), ("dpt", "tu-test_vit"), ("unet", "tu-resnet10t")],
    *[("transposed_unet", "mobilenet_v2"), ("transposed_unet", "vgg11"), ("transposed_unet", "tu-convnext_atto")],
    *[("aligned_unet", "tu-mobilenetv1_100"), ("aligned_unet", "mit_b0")],
]
REFUSED_PAIRS = [
    ("dpt", "resnet18", r"dpt with the encoder 'resnet18'.*Only Timm"),
    ("unet", "tu-hf-hub:timm/resnet18", r"seg.encoder(.|\n)*timm's own list"),
    ("unet", "tu-resnet81", "seg.encoder: timm has no 'resnet81'"),
    ("aligned_unet", "tu-resnet81", "seg.encoder: timm has no 'resnet81'"),
    ("transposed_unet", "tu-test_vit", r"transposed_unet with the encoder 'tu-test_vit': cannot.*downsampling"),
]


def context(network, side, precision="fp32", **model):
    settings = image_settings(PARAMS.cnn, PARAMS.augmentation, "mobilenet_v2_random")
    model = settings.model.model_copy(update={"network": network, **model})
    settings = settings.model_copy(update={"model": model, "image_size": side})
    train = PARAMS.train.model_copy(update={"precision": precision})
    return CnnContext("tried", settings, train, 0, pictures(side), np.arange(4) % 2, 2, None)


def pair_context(architecture, encoder, side=64):
    settings = segmenter_settings(PARAMS.seg, PARAMS.augmentation, "unet")
    names = {"architecture": architecture, "encoder": encoder, "image_size": side}
    settings = settings.model_copy(update=names)
    return SegmentContext("tried", settings, PARAMS.train, 0, pictures(side), pictures(side), None)


def pictures(side):
    return np.random.default_rng(0).integers(0, 256, (4, side, side), dtype=np.uint8)


@pytest.mark.parametrize(("network", "side"), TRAIN)
def test_a_network_trains(network, side):
    cnn.try_network(context(network, side))


def test_a_network_trains_in_bf16():
    cnn.try_network(context("resnet10t", 32, "bf16"))


@pytest.mark.parametrize(("network", "side", "words"), REFUSED)
def test_a_network_is_refused_by_name_and_reason(network, side, words):
    with pytest.raises(ParameterError, match=words):
        cnn.try_network(context(network, side))


def test_a_layer_to_fine_tune_that_is_not_there_is_refused_before_training():
    tune = PARAMS.cnn.models["mobilenet_v2_imagenet"].fine_tune
    with pytest.raises(TrainingError, match="layer 'body.blocks"):
        cnn.try_network(context("resnet10t", 64, fine_tune=tune))


@pytest.mark.parametrize(("architecture", "encoder"), PAIRS)
def test_a_pair_trains(architecture, encoder):
    segment.try_network(pair_context(architecture, encoder))


@pytest.mark.parametrize(("architecture", "encoder", "words"), REFUSED_PAIRS)
def test_a_pair_is_refused_by_name_and_reason(architecture, encoder, words):
    with pytest.raises(ParameterError, match=words):
        segment.try_network(pair_context(architecture, encoder))


def crash(context, jobs, place):
    os.kill(os.getpid(), signal.SIGSEGV)


def test_a_trial_that_crashes_is_a_refusal_that_names_the_signal():
    with pytest.raises(ParameterError, match=r"network 'x': cannot: .*SIGSEGV"):
        try_unit(crash, None, [TRIAL_JOB], kernels="avx2", where="network 'x'", problem="cannot", mend="choose another")


def run_out(context, jobs, place):
    torch.empty(2**60)


def test_a_trial_without_memory_says_so_and_what_helps():
    with pytest.raises(ParameterError, match=r"cannot: memory ran out\n  to mend:  free memory"):
        try_unit(
            run_out, None, [TRIAL_JOB], kernels="avx2", where="network 'x'", problem="cannot", mend="choose another"
        )


def test_channels_are_last_but_where_the_library_cannot_be_trusted_with_it():
    assert not build_segmenter("unet", "mobilenet_v2", 64).plain
    assert not build_segmenter("unet", "resnet18", 64).plain
    transposed = build_segmenter("transposed_unet", "mobilenet_v2", 64)
    assert not transposed.plain
    assert transposed.network.decoder[0].enlarge[0].weight.is_contiguous(memory_format=torch.channels_last)
    one = build_segmenter("unet", "mobileone_s0", 64)
    assert one.plain
    assert all(value.is_contiguous() for value in one.parameters())
    weights = build_image_model(SPEC, 64).body.conv_stem.weight
    assert weights.is_contiguous(memory_format=torch.channels_last)


def test_pretrained_weights_fit_a_network_that_is_built_for_another_size():
    spec = SPEC.model_copy(update={"network": "test_vit"})
    start = Start(name="some", mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))
    tensors = build_image_model(spec, 160, start=start).body.state_dict()
    model = build_image_model(spec, 64, start=start)
    load_pretrained(model, tensors, "weights")
    assert torch.equal(model.body.pos_embed, tensors["pos_embed"])
    assert model.eval()(torch.zeros(2, 1, 64, 64)).shape == (2,)


def test_a_network_does_not_judge_with_weights_that_it_kept():
    """LeViT keeps what it made of its weights while it evaluates."""
    stack = Stack([build_image_model(SPEC.model_copy(update={"network": "levit_128s"}), 64)], torch.device("cpu"))
    inputs = torch.randn(1, 2, 1, 64, 64, generator=torch.Generator().manual_seed(0))
    biases = [name for name in stack.tensors if name.endswith("attention_biases")]
    said = []
    with torch.no_grad():
        for _ in range(2):
            stack.eval_mode()
            said.append(stack.forward((inputs,), {}))
            for name in biases:
                stack.tensors[name].add_(torch.linspace(0, 5, stack.tensors[name].numel()).view_as(stack.tensors[name]))
    assert biases
    assert not torch.allclose(*said)


def test_the_trial_is_of_two_cases_and_leaves_the_settings_alone(monkeypatch):
    seen = []
    monkeypatch.setattr(cnn, "try_unit", lambda function, context, jobs, **words: seen.append((context, jobs)))
    given = context("resnet10t", 64)
    cnn.try_network(replace(given, labels=np.zeros(4, np.int64)))
    ((small, jobs),) = seen
    assert small.images.shape == (2, 64, 64)
    assert small.labels.tolist() == [0, 1]
    assert (small.settings.model.epochs, small.settings.model.batch_size) == (1, 2)
    assert given.settings.model.epochs == SPEC.epochs
    assert jobs == [TRIAL_JOB]
