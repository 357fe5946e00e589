"""Image classifiers: Chowdhary & Dennis 2026's custom CNN (Table 2) and any network of timm."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from busline.base.settings.images import ImageModel
from busline.base.settings.weights import Start
from busline.models.classes import ClassLogits
from busline.models.dropout import GivenDropout
from busline.models.gray import unsigned
from busline.models.layout import PictureNetwork, lay_out
from busline.models.timm_names import first_accepted, require_timm, size_options
from busline.weights.load import load_into

CUSTOM = "custom_cnn"


class ImageClassifier(PictureNetwork):
    """A body that turns gray images into features, dropout, and the logits.

    Args:
        body: takes float (n, channels, s, s), returns (n, width).
        width: number of features.
        dropout: rate before the last layer.
        channels: the body's input channels; a gray image is repeated.
        mean: the body's expected mean of inputs in [0, 1], one a channel; None for inputs in [-1, 1].
        std: the body's expected standard deviation, likewise.
        classes: of the study, see :mod:`busline.models.classes`.
    """

    shift: torch.Tensor
    scale: torch.Tensor

    def __init__(
        self,
        body: nn.Module,
        width: int,
        dropout: float,
        *,
        channels: int = 1,
        mean: tuple[float, ...] | None = None,
        std: tuple[float, ...] | None = None,
        classes: int = 2,
    ) -> None:
        super().__init__()
        self.body, self.width, self.channels = body, width, channels
        self.dropout, self.head = GivenDropout(dropout, width), ClassLogits(width, classes)
        shift = torch.tensor(mean or (0.5,) * channels).view(1, -1, 1, 1)
        scale = torch.tensor(std or (0.5,) * channels).view(1, -1, 1, 1)
        self.register_buffer("shift", shift, persistent=False)
        self.register_buffer("scale", scale, persistent=False)

    def features(self, images: torch.Tensor) -> torch.Tensor:
        """Return the layer before dropout and logits, (n, width); ``images`` (n, 1, s, s) in [-1, 1]."""
        if self.channels > 1:
            images = unsigned(images).expand(-1, self.channels, -1, -1)
            images = (images - self.shift) / self.scale
        found: torch.Tensor = self.body(self.arrange(images))
        return found

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return the logits, (n,) of two classes, (n, K) of more."""
        logits: torch.Tensor = self.head(self.dropout(self.features(images)))
        return logits


class GlobalMean(nn.Module):
    """Global average pooling; unlike torch's adaptive pooling it knows how to run under ``vmap``.

    The channels are the last axis while it averages, so that the gradient comes back in that order: a batch norm before
    it is ten times slower if its gradient and its input are laid out differently (torch 2.15, CPU).
    """

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """Return each channel's mean, (n, channels); ``maps`` (n, channels, h, w)."""
        return maps.permute(0, 2, 3, 1).mean(dim=(1, 2))


def custom_body() -> nn.Sequential:
    """Return the custom CNN up to global average pooling (Chowdhary & Dennis 2026, Table 2): 128 features.

    With the head it has 93,249 trainable parameters; Keras counts the 448 running means and variances as well, 93,697.
    """
    blocks: list[nn.Module] = []
    for number, (inputs, outputs) in enumerate([(1, 32), (32, 64), (64, 128)]):
        blocks += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU(), nn.BatchNorm2d(outputs, eps=1e-3)]
        blocks += [nn.MaxPool2d(2)] if number < 2 else []
    return nn.Sequential(*blocks, GlobalMean())


def build_image_model(spec: ImageModel, side: int, classes: int = 2, start: Start | None = None) -> ImageClassifier:
    """Build an image classifier with random weights from torch's current seed; nothing is downloaded.

    A network that cannot be built raises what timm raises; :func:`busline.training.trial.try_unit` words it.

    Args:
        spec: the model's settings.
        side: of the images in pixels, for the networks that are built for one size.
        classes: of the study.
        start: the weights that will be put in, for the inputs they want; None for random ones.

    Raises:
        ParameterError: if timm has no network of that name.
    """
    if spec.network == CUSTOM:
        model = ImageClassifier(custom_body(), 128, spec.dropout, classes=classes)
    else:
        model = _build_timm(spec, side, classes, start)
    set_momentum(model, spec.batch_norm_momentum)
    lay_out(model)
    return model


def set_momentum(model: nn.Module, momentum: float | None) -> None:
    """Set the weight of a new batch in the running statistics of every batch norm; None leaves each as it is."""
    for module in model.modules():
        if momentum is not None and isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.momentum = momentum


def _build_timm(spec: ImageModel, side: int, classes: int, start: Start | None) -> ImageClassifier:
    import timm

    require_timm(f"network {spec.network!r}", spec.network)

    def create(**more: Any) -> Any:
        return timm.create_model(spec.network, pretrained=False, num_classes=0, in_chans=3, **more)

    body = first_accepted(create, size_options(spec.network, side, keep_shapes=start is not None))
    mean, std = (None, None) if start is None else (start.mean, start.std)
    width = (
        getattr(body, "head_hidden_size", None) or body.num_features
    )  # some have layers of their own before the logit
    return ImageClassifier(body, width, spec.dropout, channels=3, mean=mean, std=std, classes=classes)


def load_pretrained(model: ImageClassifier, tensors: Mapping[str, torch.Tensor], where: str) -> None:
    """Put pretrained weights into the body; the file's own classifier is left out. See :func:`load_into`."""
    load_into(model.body, tensors, where)
