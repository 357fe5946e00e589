"""Which networks can be trained: one of each family of timm, and pairs of a segmentation architecture and an encoder.

`python -m bench.networks timm` or `smp` prints a line a trial; docs/networks.md has a run's summary. Each is tried as
its stage tries it, in a process of its own with a limit of memory and time. A line that says `crash` is a defect.
"""

from __future__ import annotations

import multiprocessing
import resource
import signal
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import timm

from busline.base.errors import BuslineError
from busline.base.settings.images import ImageModel, ImageSettings
from busline.base.settings.segmentation import SegmenterSettings
from busline.base.settings.training import AugmentationLevel, Train
from busline.models.timm_names import native_side
from busline.models.transposed_unet import DECODERS
from busline.studies.cnn import CnnContext, try_network
from busline.studies.segment import SegmentContext
from busline.studies.segment import try_network as try_pair
from busline.training.pool import warm_up

SIDE, SECONDS, GIB = 64, 300, 16
SMALL = ("test_", "atto", "xxs", "_050", "_xxt", "nano", "tiny", "_b0", "_m0", "_s0", "_s1", "_18", "18", "small", "_s")
"""What the names of small networks hold, the smallest first."""
ARCHITECTURES = [
    *("unet", "unetplusplus", "manet", "linknet", "fpn", "pspnet"),
    *("deeplabv3", "deeplabv3plus", "pan", "upernet", "segformer", "dpt"),
    *DECODERS,
]
WITH_ALL = ["resnet18", "mobileone_s0", "mit_b0", "vgg11", "tu-convnext_atto", "tu-vit_tiny_patch16_224"]
WITH_UNET = [
    *("densenet121", "mobilenet_v2", "efficientnet-b0", "timm-efficientnet-lite0", "xception", "inceptionv4"),
    *("inceptionresnetv2", "se_resnet50", "dpn68", "resnext50_32x4d", "timm-skresnet18", "timm-resnest14d"),
    *("tu-resnet10t", "tu-mobilevit_xxs", "tu-swin_tiny_patch4_window7_224", "tu-hrnet_w18_small", "tu-dla34"),
    *("tu-inception_v3", "tu-mobilenetv3_small_050", "tu-tf_efficientnet_lite0.in1k", "tu-levit_128s"),
]
NAMED = {
    "convmixer": "convmixer_768_32",
    "dla": "dla46x_c",
    "dpn": "dpn68",
    "levit": "levit_128s",
    "qwen3_vit": "qwen3_vit_88m",
    "regnet": "regnetx_002",
    "res2net": "res2net50_14w_8s",
    "resnest": "resnest14d",
    "tiny_vit": "tiny_vit_5m_224",
}
"""Families of which another network is smaller than the one found by name."""
PLAIN = AugmentationLevel(flip=True, rotation=0.0, translation=0.0, shear=0.0, zoom=0.0)
TRAIN = Train(
    precision="fp32",
    kernels="native",
    plateau_factor=0.5,
    plateau_patience=5,
    min_learning_rate=1e-5,
    stop_patience=12,
)
TRAINING = {"batch_size": 2, "epochs": 1, "learning_rate": 1e-4}


def try_classifier(network: str, side: int) -> None:
    """Try a network of timm as the stage `cnn` does."""
    own = {"network": network, "weights": "none", "dropout": 0.3, "batch_norm_momentum": None, "fine_tune": None}
    model = ImageModel.model_validate({**own, **TRAINING})
    settings = ImageSettings(model=model, start=None, image_size=side, augmentation=PLAIN, fit_all=False)
    images, labels = _pictures(side), np.arange(2)
    try_network(CnnContext("tried", settings, TRAIN, 0, images, labels, 2, None))


def try_segmenter(architecture: str, encoder: str, side: int) -> None:
    """Try a pair as the stage `segment` does."""
    settings = SegmenterSettings(
        architecture=architecture,
        encoder=encoder,
        start=None,
        freeze_encoder=False,
        image_size=side,
        augmentation=PLAIN,
        **TRAINING,  # type: ignore[arg-type]
    )
    masks = (_pictures(side) > 127).astype(np.uint8) * 255
    try_pair(SegmentContext("tried", settings, TRAIN, 0, _pictures(side), masks, None))


def smallest(family: str) -> str:
    """Return the network of a module of timm whose name promises the fewest parameters."""

    def rank(name: str) -> tuple[int, str]:
        return next((place for place, part in enumerate(SMALL) if part in name), len(SMALL)), name

    return NAMED.get(family) or min(timm.list_models(module=family), key=rank)


def trials(kind: str) -> Iterator[tuple[str, Callable[[], None]]]:
    """Return what is tried, with its name: a network at :data:`SIDE` pixels, and at its own size where it differs."""
    if kind == "timm":
        for family in timm.list_modules():
            network = smallest(family)
            for side in dict.fromkeys([SIDE, native_side(network) or SIDE]):
                yield f"{family} | {network} | {side}", partial(try_classifier, network, side)
        return
    pairs = [(one, encoder) for encoder in WITH_ALL for one in ARCHITECTURES]
    for one, encoder in [*pairs, *(("unet", encoder) for encoder in WITH_UNET)]:
        yield f"{one} | {encoder} | {SIDE}", partial(try_segmenter, one, encoder, SIDE)


def main() -> None:
    """Print a line a trial; names given after the kind choose some of them."""
    kind, *chosen = sys.argv[1:]
    resource.setrlimit(resource.RLIMIT_AS, (GIB * 2**30, GIB * 2**30))
    warm_up(TRAIN.kernels, "busline.studies.cnn", "busline.studies.segment")
    signal.signal(signal.SIGALRM, _stop)
    for name, attempt in trials(kind):
        if chosen and not any(word in name for word in chosen):
            continue
        started = time.monotonic()
        print(f"| {name} | {_outcome(attempt)} | {time.monotonic() - started:.0f} s |", flush=True)


def _outcome(attempt: Callable[[], None]) -> str:
    signal.alarm(SECONDS)
    try:
        attempt()
    except BuslineError as error:
        words = " ".join(str(error).split())
        return f"crash: {words}" if "training process" in words else f"refused: {words}"
    except TimeoutError:
        for child in multiprocessing.active_children():
            child.kill()
        return f"not done within {SECONDS} s"
    except Exception as error:
        return f"crash: {type(error).__name__}: {error}"
    finally:
        signal.alarm(0)
    return "trains"


def _stop(number: int, frame: object) -> None:
    raise TimeoutError


def _pictures(side: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (2, side, side), dtype=np.uint8)


if __name__ == "__main__":
    main()
