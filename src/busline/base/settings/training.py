"""Sections `train` and `augmentation`: what networks share in training."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, PositiveInt, model_validator

from busline.base.settings.section import Fraction, Name, Rate, Section

Precision = Literal["fp32", "bf16"]
Kernels = Literal["avx2", "native"]


class Train(Section):
    """What all image networks and MLPs share in training."""

    kernels: Kernels
    """What torch computes with: `avx2` gives one class of bytes on every x86-64 with AVX2, `native` is fastest."""
    precision: Precision
    """Arithmetic of the image networks; bf16 means autocast, and needs native kernels."""
    plateau_factor: Fraction
    """The learning rate is multiplied by this when the validation cases' loss stalls."""
    plateau_patience: PositiveInt
    """Epochs without improvement before the learning rate is lowered."""
    min_learning_rate: Rate
    """The learning rate is not lowered further than this (nor raised to it)."""
    stop_patience: PositiveInt
    """Epochs without improvement before training ends, counted only once the learning rate was lowered."""

    @model_validator(mode="after")
    def _agree(self) -> Train:
        if self.kernels == "avx2" and self.precision == "bf16":
            raise ValueError("bf16 has no AVX2 kernels; set train.precision to fp32 or train.kernels to native")
        return self


class AugmentationLevel(Section):
    """Ranges of the random transforms of training images (Chowdhary & Dennis 2026, Table 6)."""

    flip: bool
    """Mirror left and right in half of the draws."""
    rotation: Annotated[float, Field(ge=0.0, le=180.0)]
    """Largest rotation, in degrees."""
    translation: Annotated[float, Field(ge=0.0, lt=1.0)]
    """Largest shift, as a share of the side."""
    shear: Annotated[float, Field(ge=0.0, lt=1.0)]
    """Largest shear, as the tangent of its angle."""
    zoom: Annotated[float, Field(ge=0.0, lt=1.0)]
    """Largest change of scale, as a share of 1."""
    brightness: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0
    """Largest change of brightness, as a share of 1."""
    gamma: Annotated[float, Field(ge=0.0)] = 0.0
    """Largest change of gamma: its exponent lies between 1 / (1 + gamma) and 1 + gamma."""
    speckle: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0
    """Largest standard deviation of multiplicative noise, as a share of the pixel's value."""


class Augmentation(Section):
    """The levels of augmentation, and those compared in Chowdhary & Dennis 2026, Table 6."""

    active: list[Name]
    levels: dict[Name, AugmentationLevel]
