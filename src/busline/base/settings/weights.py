"""Section `weights`: files of pre-trained weights, and which of them a network starts from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Discriminator, Field, Strict, Tag

from busline.base.errors import ParameterError, near_matches
from busline.base.settings.section import Section

NONE = "none"
"""What stands for random initial weights."""
IMAGENET = "imagenet"
"""What stands for the one known file that was learnt from ImageNet for the network at hand."""
UNVERIFIED = "unverified"
WHOLE = 64
"""Digits of a whole SHA-256."""
TIMM_ENCODER = "tu-"
"""How segmentation-models-pytorch begins the name of an encoder that is a network of timm."""
Mean = Annotated[float, Field(ge=0.0, le=1.0)]
Deviation = Annotated[float, Field(ge=0.001, le=1.0)]
"""Of a channel in [0, 1]; 1/255 is that of a network that takes 0 to 255."""
Means = Annotated[tuple[Mean, Mean, Mean], Strict(False)]
"""A number for red, green and blue."""
Deviations = Annotated[tuple[Deviation, Deviation, Deviation], Strict(False)]
Key = Annotated[str, Field(pattern="^[A-Za-z0-9_][A-Za-z0-9_.-]*$", max_length=100)]
"""Key of weights.files: it becomes part of a file name."""


def _web_address(text: str) -> str:
    """Return an address as it is; others are refused: http or https, a host that can be one, letters of ASCII."""
    try:
        place = urlsplit(text)
        host = (place.hostname or "").encode("idna")
        readable = text.isascii() and text.isprintable() and " " not in text and (place.port or 0) >= 0
    except ValueError:
        host, readable = b"", False
    if not host or not readable or not text.lower().startswith(("http://", "https://")):
        raise ValueError("is no address of a file on the web")
    return text


class FromPackage(Section):
    """A file that an installed Python distribution brings; nothing of its code is run."""

    package: Annotated[str, Field(min_length=1)]
    """Name of the distribution."""
    file: Annotated[str, Field(min_length=1)]
    """Path of the file as the distribution lists it."""


class FromMirror(Section):
    """A file that the user puts into $BUSLINE_MIRROR/weights."""

    mirror: Annotated[str, Field(min_length=1)]
    """Its name there."""


class FromUrl(Section):
    """A file that is downloaded, unless $BUSLINE_MIRROR/weights has it under its key in weights.files."""

    url: Annotated[str, AfterValidator(_web_address)]
    """Address; its suffix says what kind of file it is."""


ORIGINS = {"package": FromPackage, "mirror": FromMirror, "url": FromUrl}
"""By the key that tells them apart."""


def _kind_of_origin(value: object) -> str | None:
    """Return a key of :data:`ORIGINS`, in angle brackets as it is none of the file's; None for none or several."""
    found = [
        key for key, kind in ORIGINS.items() if isinstance(value, kind) or (isinstance(value, Mapping) and key in value)
    ]
    return f"<{found[0]}>" if len(found) == 1 else None


Origin = Annotated[
    Annotated[FromPackage, Tag("<package>")]
    | Annotated[FromMirror, Tag("<mirror>")]
    | Annotated[FromUrl, Tag("<url>")],
    Discriminator(
        _kind_of_origin,
        custom_error_type="origin",
        custom_error_message="must have either package and file, or mirror, or url",
    ),
]


def _no_encoder(name: str) -> str:
    if not name or name.startswith(TIMM_ENCODER):
        raise ValueError(f"is no name of a network; an encoder's is written without {TIMM_ENCODER}")
    return name


def _no_word(key: str) -> str:
    if key in (NONE, IMAGENET):
        raise ValueError("means something else wherever weights are chosen; take another key")
    return key


Network = Annotated[str, AfterValidator(_no_encoder)]


class WeightsFile(Section):
    """One file of pre-trained weights: where it comes from, what it is for, and what must go in."""

    networks: Annotated[list[Network], Field(min_length=1)]
    """What it fits: names of cnn.models.*.network, and of encoders without `tu-`."""
    origin: Origin
    sha256: Annotated[str, Field(pattern="^([0-9a-f]{8,64}|unverified)$")]
    """Checksum in hex, or as many of its first digits as are known, at least 8; or `unverified`, which the report says
    and which only a safetensors file may be: another format is read after it was recognised, or not at all."""
    names: Literal["own", "efficientnet_pytorch"]
    """Whose names its tensors have: the network's own, or those of the package efficientnet_pytorch for a network of
    timm."""
    mean: Means
    """Subtracted from each channel of an image in [0, 1]."""
    std: Deviations
    """What the difference is then divided by."""
    trained_on: str
    """`imagenet`, or the data's name."""
    licence: str


class Weights(Section):
    """Pre-trained weights by name."""

    missing: list[str]
    """Keys of files that could not be had when a study began: `make study` writes them and leaves their models out, and
    the report says so. Empty otherwise."""
    files: dict[Annotated[Key, AfterValidator(_no_word)], WeightsFile]


class InitialWeights(Section):
    """The file that one model starts from."""

    name: str
    """Its key in weights.files, or `none`."""
    file: WeightsFile | None
    """Null for random weights."""


class Start(Section):
    """The weights that a network starts from, and the inputs that they want."""

    name: str
    """Key of weights.files."""
    mean: Means
    std: Deviations


def find_weights(files: Mapping[str, WeightsFile], choice: str, network: str, where: str) -> str | None:
    """Return the name of the file that a network starts from, or None for random weights.

    Args:
        files: of the section.
        choice: :data:`NONE`, :data:`IMAGENET` or a key of ``files``.
        network: name of the network or encoder.
        where: the key that makes the choice, for the error.

    Raises:
        ParameterError: if there is no such file, none for this network, or several that ``imagenet`` may mean.
    """
    if choice == NONE:
        return None
    network = network.removeprefix(TIMM_ENCODER)
    if choice != IMAGENET:
        if choice not in files:
            mend = near_matches(choice, [NONE, IMAGENET, *files])
            raise ParameterError(where, f"unknown weights {choice!r}", mend=mend)
        if network not in files[choice].networks:
            made_for = ", ".join(files[choice].networks)
            mend = f"take {NONE} or {IMAGENET}, or add {network!r} to weights.files.{choice}.networks if they fit it"
            raise ParameterError(where, f"{choice!r} was made for {made_for}, not for {network!r}", mend=mend)
        return choice
    fitting = [name for name, file in files.items() if network in file.networks and file.trained_on == IMAGENET]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise ParameterError(
            where, f"{IMAGENET} may be {' or '.join(fitting)} for {network!r}", mend="name one of them"
        )
    known = sorted({one for file in files.values() if file.trained_on == IMAGENET for one in file.networks})
    mend = f"choose one of these, take {NONE}, or add a file to weights.files (docs/weights.md)"
    raise ParameterError(
        where, f"no ImageNet weights are known for {network!r}", expected=f"one of {', '.join(known)}", mend=mend
    )


def start_of(files: Mapping[str, WeightsFile], name: str | None) -> Start | None:
    """Return what a network must know of the file that :func:`find_weights` found."""
    return None if name is None else Start(name=name, mean=files[name].mean, std=files[name].std)
