"""The files that params.yaml knows: their scale is the library's own, their tensors fit, and they know a palace."""

import numpy as np
import pytest
import timm
import torch
from PIL import Image
from sklearn.datasets import load_sample_image
from timm.data import create_transform, resolve_data_config
from torchvision import models

from busline.base.artifacts import load_tensors
from busline.base.errors import DataError
from busline.base.params import load_params
from busline.base.settings.images import ImageModel
from busline.base.settings.weights import InitialWeights, Start
from busline.models.gray import signed
from busline.models.images import build_image_model, load_pretrained
from busline.models.segmentation import build_segmenter, load_encoder
from busline.weights.place import save_weights
from busline.weights.rename import from_efficientnet_pytorch
from imports import REPOSITORY

FILES = load_params(REPOSITORY / "params.yaml").weights.files
LITE0 = "efficientnet_lite0"
OF_TORCHVISION = {
    "mobilenet_v2": models.MobileNet_V2_Weights,
    "resnet18": models.ResNet18_Weights,
    "vgg16": models.VGG16_Weights,
}
NETWORKS = [(key, network) for key, file in FILES.items() for network in file.networks]
SPEC = {"weights": "imagenet", "dropout": 0.3, "batch_size": 2, "epochs": 1, "learning_rate": 0.1}


def start(key):
    return Start(name=key, mean=FILES[key].mean, std=FILES[key].std)


@pytest.fixture(scope="module")
def lite0(tmp_path_factory):
    """The tensors of the package that comes with the environment."""
    folder = tmp_path_factory.mktemp("lite0")
    save_weights(folder / "out", InitialWeights(name=LITE0, file=FILES[LITE0]), mirror=None, downloads=folder)
    return load_tensors(folder / "out/weights.safetensors")


def classifier(network, key):
    spec = ImageModel.model_validate({**SPEC, "network": network, "batch_norm_momentum": None, "fine_tune": None})
    return build_image_model(spec, 64, start=start(key)).eval()


@pytest.mark.parametrize(("key", "network"), [one for one in NETWORKS if one[0] not in OF_TORCHVISION])
def test_a_files_scale_is_the_one_that_its_library_gives(key, network):
    config = timm.get_pretrained_cfg(network.replace("-", "_"))
    assert FILES[key].mean == config.mean
    assert FILES[key].std == config.std


@pytest.mark.parametrize("key", OF_TORCHVISION)
def test_a_file_of_torchvision_is_the_one_that_it_names_with_its_scale(key):
    theirs = OF_TORCHVISION[key].IMAGENET1K_V1
    assert FILES[key].origin.url == theirs.url
    assert theirs.url.endswith(f"-{FILES[key].sha256}.pth")
    assert list(FILES[key].mean) == theirs.transforms().mean
    assert list(FILES[key].std) == theirs.transforms().std


@pytest.mark.parametrize(("key", "network"), [(LITE0, "tf_efficientnet_lite0"), ("mobilenetv2_100", "mobilenetv2_100")])
def test_a_classifiers_body_sees_a_picture_as_the_librarys_own_preprocessing_gives_it(key, network):
    seen = []
    model = classifier(network, key)
    model.body.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    gray = Image.fromarray(load_sample_image("china.jpg")).convert("L").resize((64, 64))
    own = create_transform(
        **{**resolve_data_config(model.body.pretrained_cfg), "input_size": (3, 64, 64), "crop_pct": 1}
    )
    expected = own(gray.convert("RGB"))
    with torch.no_grad():
        model.features(signed(torch.from_numpy(np.asarray(gray, np.float32)).view(1, 1, 64, 64) / 255))
    torch.testing.assert_close(seen[0][0], expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize(("key", "encoder"), [(LITE0, "tu-tf_efficientnet_lite0"), ("mobilenet_v2", "mobilenet_v2")])
def test_an_encoder_sees_a_picture_as_the_weights_were_trained_with(key, encoder):
    seen = []
    model = build_segmenter("unet", encoder, 64, start(key)).eval()
    model.network.encoder.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    picture = torch.linspace(0, 1, 64 * 64).view(1, 1, 64, 64)
    with torch.no_grad():
        model(signed(picture))
    for channel in range(3):
        expected = (picture[0, 0] - FILES[key].mean[channel]) / FILES[key].std[channel]
        torch.testing.assert_close(seen[0][0, channel], expected, rtol=0, atol=1e-5)


def test_random_weights_leave_a_pictures_scale_as_it_is():
    seen = []
    model = build_segmenter("unet", "mobilenet_v2", 64).eval()
    model.network.encoder.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    picture = torch.linspace(-1, 1, 64 * 64).view(1, 1, 64, 64)
    with torch.no_grad():
        model(picture)
    assert torch.equal(seen[0], picture.expand(-1, 3, -1, -1))


@pytest.mark.parametrize(("picture", "number"), [("china.jpg", 698), ("flower.jpg", 985)])
def test_the_weights_that_come_with_the_environment_name_a_palace_and_a_daisy(lite0, picture, number):
    network = timm.create_model("tf_efficientnet_lite0").eval()
    network.load_state_dict(lite0, strict=False)
    transform = create_transform(**resolve_data_config(network.pretrained_cfg))
    with torch.no_grad():
        logits = network(transform(Image.fromarray(load_sample_image(picture)))[None])
    assert logits.argmax().item() == number


def test_every_tensor_of_the_file_has_its_place_in_the_network(lite0):
    wanted = timm.create_model("tf_efficientnet_lite0").state_dict()
    assert {name for name in wanted if not name.endswith("num_batches_tracked")} <= set(lite0) <= set(wanted)
    assert {name: tensor.shape for name, tensor in lite0.items()} == {name: wanted[name].shape for name in lite0}


def test_they_go_into_a_classifier_and_into_an_encoder(lite0):
    model = classifier("tf_efficientnet_lite0", LITE0)
    load_pretrained(model, lite0, "weights")
    segmenter = build_segmenter("unet", "tu-tf_efficientnet_lite0", 64, start(LITE0))
    load_encoder(segmenter, lite0, "weights")
    for body in (model.body, segmenter.network.encoder.model):
        assert torch.equal(body.blocks[6][0].conv_pwl.weight, lite0["blocks.6.0.conv_pwl.weight"])


def test_a_file_of_another_network_is_refused(lite0):
    with pytest.raises(DataError, match="which tf_efficientnet_lite0 of efficientnet_pytorch has not"):
        from_efficientnet_pytorch({"layer1.0.weight": torch.zeros(1)}, "tf_efficientnet_lite0", "file")
    with pytest.raises(DataError, match=r"_blocks.16"):
        from_efficientnet_pytorch({"_blocks.16._bn1.weight": torch.zeros(1)}, "tf_efficientnet_lite0", "file")
