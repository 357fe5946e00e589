"""What a weights file may hold: damaged ones are one error, whatever torch's reader makes of them."""

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save

from busline.base.errors import DataError
from busline.weights.rename import from_efficientnet_pytorch
from made_weights import PICKLED, entry, put, sha256, torch_file

OLD = torch_file({"conv.weight": torch.arange(6.0), "conv.bias": torch.zeros(2)}, old=True)


@pytest.fixture
def store(tmp_path):
    """Stores a file of the mirror, whose checksum is known, and returns its tensors."""

    def place(content, suffix=".pth"):
        (tmp_path / "mirror/weights").mkdir(parents=True, exist_ok=True)
        (tmp_path / f"mirror/weights/mine{suffix}").write_bytes(content)
        file = entry({"mirror": f"mine{suffix}"}, sha256(content))
        return load_file(put(tmp_path, file, mirror=tmp_path / "mirror") / "weights.safetensors")

    return place


@pytest.mark.parametrize("whole", [PICKLED, OLD])
def test_a_damaged_file_is_one_error_or_a_whole_one(tmp_path, store, whole):
    generator, said = np.random.default_rng(0), []
    for _ in range(150):
        content = bytearray(whole)
        content[generator.integers(min(len(content), 600))] ^= 1 << int(generator.integers(8))
        try:
            store(bytes(content))
        except DataError as error:
            said.append(str(error))
    assert len(said) > 30
    assert not any("weights_only" in one for one in said)  # torch's own advice is to read it with less care


def test_text_is_no_file_of_tensors(store):
    with pytest.raises(DataError, match="is no file of tensors alone"):
        store(b"root:x:0:0:root:/root:/bin/bash\n" * 20)


@pytest.mark.parametrize(
    ("tensor", "problem"),
    [
        (torch.eye(3).to_sparse(), "no plain one"),
        (torch.empty(3, device="meta"), "no plain one"),
        (torch.zeros(3, dtype=torch.complex64), "no plain one"),
        (torch.tensor([1.0, float("nan")]), "no finite numbers"),
        (torch.tensor([1e300], dtype=torch.float64), "no finite numbers"),
    ],
)
@pytest.mark.filterwarnings("ignore:Validating sparse tensor invariants")
def test_a_tensor_that_no_network_can_have_is_refused(tmp_path, store, tensor, problem):
    with pytest.raises(DataError, match=problem):
        store(torch_file({"conv.weight": tensor}))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", [1, "a\nb", "\ud800"])
def test_a_tensor_without_a_name_is_refused(store, name):
    with pytest.raises(DataError, match="has a tensor of the name"):
        store(torch_file({name: torch.zeros(1)}))


@pytest.mark.parametrize("kind", [torch.bfloat16, torch.float16, torch.float64])
@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_weights_of_any_precision_are_stored_as_float32(store, kind, suffix):
    tensors = {"conv.weight": torch.arange(6, dtype=kind), "bn.num_batches_tracked": torch.tensor(3)}
    found = store(save(tensors) if suffix == ".safetensors" else torch_file(tensors), suffix)
    assert found["conv.weight"].tolist() == [0, 1, 2, 3, 4, 5]
    assert (found["conv.weight"].dtype, found["bn.num_batches_tracked"].dtype) == (torch.float32, torch.int64)


@pytest.mark.parametrize("network", ["resnet18", "custom_cnn", "efficientnet-b0", "hf-hub:a/b", "local-dir:/tmp"])
def test_only_an_efficientnet_of_timms_list_takes_the_other_librarys_names(network):
    with pytest.raises(DataError, match=r"is no EfficientNet of timm"):
        from_efficientnet_pytorch({"_fc.weight": torch.zeros(1)}, network, "file")
