"""A file of a whole network goes into what makes maps of it, which calls some of its layers otherwise."""

import pytest
import timm
import torch
from safetensors.torch import save_file

from busline.base.errors import ParameterError
from busline.base.settings.weights import Start
from busline.models.lesion_encoders import TimmEncoder
from busline.models.lesion_encoders import load_encoder as load_lesion_encoder
from busline.models.segmentation import build_segmenter, load_encoder
from busline.weights.load import load_into

START = Start(name="some", mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))
IMAGES = torch.rand(2, 1, 64, 64, generator=torch.Generator().manual_seed(0))


def made(name, folder):
    """The tensors of a network, and the maps that timm itself makes of them."""
    torch.manual_seed(3)
    tensors = timm.create_model(name).state_dict()
    for key, tensor in tensors.items():
        if key.endswith("running_mean"):
            tensor.normal_(0.0, 0.1)
    save_file(tensors, folder / "whole.safetensors")
    theirs = timm.create_model(
        name, pretrained=True, features_only=True, pretrained_cfg_overlay={"file": str(folder / "whole.safetensors")}
    )
    mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in (START.mean, START.std))
    with torch.no_grad():
        return tensors, theirs.eval()((IMAGES.expand(-1, 3, -1, -1) - mean) / std)


@pytest.mark.parametrize("name", ["test_byobnet", "test_resnet", "test_efficientnet", "ghostnet_050", "test_nfnet"])
def test_a_networks_file_gives_encoders_the_maps_that_timm_makes_of_it(tmp_path, name):
    tensors, wanted = made(name, tmp_path)
    encoder, segmenter = TimmEncoder(name, START).eval(), build_segmenter("unet", f"tu-{name}", 64, START).eval()
    load_lesion_encoder(encoder, tensors, "weights")
    load_encoder(segmenter, tensors, "weights")
    seen = []
    segmenter.network.encoder.register_forward_hook(lambda *call: seen.extend(call[2]))
    with torch.no_grad():
        segmenter(2.0 * IMAGES - 1.0)
        maps = encoder(4.0 * IMAGES - 1.0)
    for found in (maps, seen[-5:]):
        for one, other in zip(found, wanted, strict=True):
            torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", ["legacy_xception", "vgg11", "convnext_atto"])
def test_the_names_of_hooked_and_of_flat_networks_are_the_files(name):
    with torch.device("meta"):
        tensors = timm.create_model(name).state_dict()
        load_encoder(build_segmenter("unet", f"tu-{name}", 64, START), tensors, "weights")


def test_whole_numbers_are_no_weights():
    with pytest.raises(ParameterError, match=r"1 have another shape or type \(first: weight\)"):
        load_into(torch.nn.Linear(2, 2), {"weight": torch.ones(2, 2, dtype=torch.int32), "bias": torch.ones(2)}, "mine")
