"""Image networks: Table 2's parameter count, timm by name, and pretrained weights."""

import pytest
import torch

from busline.base.errors import ParameterError
from busline.base.settings.weights import Start
from busline.models.images import build_image_model, load_pretrained
from busline.studies.cnn import cnn_plan
from busline.training.stack import set_trainable
from made_inputs import small_params

PARAMS = small_params()
SPECS = PARAMS.cnn.models


def test_the_custom_cnn_has_table_2s_parameters():
    model = build_image_model(SPECS["custom_cnn"], 64)
    trainable = sum(p.numel() for p in model.parameters() if p.requires_grad)
    statistics = sum(b.numel() for name, b in model.named_buffers() if "running" in name)
    assert trainable == 93_249
    assert trainable + statistics == 93_697


def test_the_custom_cnn_has_table_2s_shapes():
    body = build_image_model(SPECS["custom_cnn"], 64).body.eval()
    shapes, values = [], torch.zeros(1, 1, 128, 128)
    for layer in body:
        values = layer(values)
        shapes.append(tuple(values.shape[1:]))
    assert shapes[3] == (32, 64, 64)
    assert shapes[7] == (64, 32, 32)
    assert shapes[10] == (128, 32, 32)
    assert shapes[-1] == (128,)


@pytest.mark.parametrize("name", ["custom_cnn", "mobilenet_v2_random"])
def test_gray_images_give_one_logit_each(name):
    model = build_image_model(SPECS[name], 64).eval()
    assert model(torch.zeros(3, 1, 32, 32)).shape == (3,)


@pytest.mark.parametrize("name", ["custom_cnn", "mobilenet_v2_random"])
def test_a_batch_moves_every_running_mean_as_far_as_its_momentum_says(name):
    def means(momentum):
        torch.manual_seed(0)
        model = build_image_model(SPECS[name].model_copy(update={"batch_norm_momentum": momentum}), 64).train()
        model(torch.linspace(-1, 1, 2 * 64 * 64).reshape(2, 1, 64, 64))
        return [value for key, value in model.named_buffers() if key.endswith("running_mean")]

    own, slow = means(None), means(0.01)
    assert len(own) >= 3
    assert any(torch.any(value != 0) for value in own)
    for usual, slower in zip(own, slow, strict=True):
        assert torch.allclose(slower, 0.1 * usual, rtol=1e-4, atol=1e-7)


def test_any_timm_name_works_and_a_wrong_one_is_met_with_near_matches():
    spec = SPECS["mobilenet_v2_random"]
    assert build_image_model(spec.model_copy(update={"network": "resnet10t"}), 64).eval()(
        torch.zeros(1, 1, 64, 64)
    ).shape == (1,)
    with pytest.raises(ParameterError, match="mobilenetv2_100"):
        build_image_model(spec.model_copy(update={"network": "mobilenetv2_10"}), 64)


def test_pretrained_weights_fill_the_body_and_are_normalised_as_they_were_trained():
    source = build_image_model(SPECS["mobilenet_v2_random"], 64)
    start = Start(name="some", mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))
    model = build_image_model(SPECS["mobilenet_v2_imagenet"], 64, start=start)
    tensors = {**source.body.state_dict(), "classifier.weight": torch.zeros(1000, 1280)}
    load_pretrained(model, tensors, "weights file")
    assert torch.equal(model.body.conv_stem.weight, source.body.conv_stem.weight)
    assert model.shift.flatten().tolist() == pytest.approx([0.485, 0.456, 0.406])


def test_weights_of_another_network_are_refused():
    model = build_image_model(SPECS["mobilenet_v2_imagenet"], 64)
    with pytest.raises(ParameterError, match="does not fit the network"):
        load_pretrained(model, {"conv_stem.weight": torch.zeros(1)}, "weights file")


def test_the_second_phase_trains_kerass_last_30_layers():
    """Keras's last 30 layers: the projection's batch norm of block 13, blocks 14 to 16, and the last convolution."""
    model = build_image_model(SPECS["mobilenet_v2_imagenet"], 64)
    head, tune = cnn_plan(SPECS["mobilenet_v2_imagenet"], PARAMS.train).phases
    set_trainable(model, head.trainable)
    assert {name for name, p in model.named_parameters() if p.requires_grad} == {"head.weight", "head.bias"}
    set_trainable(model, tune.trainable)
    learning = {name for name, p in model.named_parameters() if p.requires_grad}
    convolutions = {name for name in learning if name.endswith("weight") and model.get_parameter(name).dim() == 4}
    norms = {name.rpartition(".")[0] for name in learning if ".bn" in name}
    assert len(convolutions) == 3 * 3 + 1
    assert len(norms) == 1 + 3 * 3 + 1
    assert tune.learning_rate == 1e-5
