"""Networks of timm by name: which there are, and how one that is built for one size of pictures is told another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from torch import nn

from busline.base.errors import ParameterError, near_matches

Made = TypeVar("Made")


def require_timm(where: str, name: str) -> None:
    """Refuse a name that timm does not know; one with a tag of pretrained weights, as ``resnet18.a1_in1k``, is known.

    timm would look up ``hf-hub:`` and ``local-dir:`` names elsewhere; here a name is one of timm's own list.

    Raises:
        ParameterError: with near matches.
    """
    import timm

    network, _, tag = name.partition(".")
    if network not in timm.list_models():
        mend = near_matches(name, timm.list_models())
        if ":" in name or "/" in name:
            mend = "name a network of timm's own list; weights come from a file of weights.files"
        raise ParameterError(where, f"timm has no {name!r}", mend=mend)
    if tag and name not in timm.list_pretrained(f"{network}.*"):
        raise ParameterError(
            where,
            f"timm knows no weights {tag!r} of {network}",
            mend=near_matches(name, [network, *timm.list_pretrained(f"{network}.*")]),
        )


def bare(network: nn.Module) -> nn.Module:
    """Return the network within what timm makes maps with, where that holds it whole: its names are the file's."""
    from timm.models._features import FeatureGetterNet, FeatureHookNet

    inside = {FeatureGetterNet: "model", FeatureHookNet: "body"}.get(type(network), "")
    return dict(network.named_children()).get(inside, network)


def native_side(name: str) -> int | None:
    """Return the side in pixels of the pictures a network of timm was made for, None where timm does not say."""
    import timm

    config = timm.get_pretrained_cfg(name, allow_unregistered=True)
    return int(config.input_size[-1]) if config and config.input_size else None


def advise(name: str, side: int, key: str = "cnn.image_size") -> str:
    """Return what to do about a network that cannot be trained on pictures of ``side`` pixels.

    Args:
        name: a network of timm.
        side: of the pictures.
        key: the parameter that sets it.
    """
    native = native_side(name)
    if native in (None, side):
        return "choose another network"
    return f"it was made for pictures of {native} pixels: set {key} to that, or choose another network"


def size_options(name: str, side: int, *, keep_shapes: bool) -> list[dict[str, Any]]:
    """Return what to tell timm so that a network takes pictures of ``side`` pixels: the first it accepts is used.

    Args:
        name: a network of timm.
        side: of the pictures.
        keep_shapes: keep the shapes of the tensors, for pretrained weights, and fit positions to the pictures as they
            come; otherwise the network is built for the side.
    """
    import timm

    config = timm.get_pretrained_cfg(name, allow_unregistered=True)
    if not config or not config.fixed_input_size or native_side(name) == side:
        return [{}]
    return [*([{"dynamic_img_size": True}] if keep_shapes else []), {"img_size": side}, {}]


def first_accepted(create: Callable[..., Made], options: Sequence[dict[str, Any]]) -> Made:
    """Return what ``create`` makes of the first of the options that it takes; the last is the plainest."""
    for option in options[:-1]:
        try:
            return create(**option)
        except TypeError as error:
            if "unexpected keyword" not in str(error):
                raise
    return create(**options[-1])
