"""Section `weights`: files of pretrained weights."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from busline.base.settings.section import Section


class WeightsFile(Section):
    """One file of pretrained weights."""

    url: str
    """Address of a safetensors file; $BUSLINE_MIRROR/weights/<name>.safetensors is looked for first."""
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None
    """Checksum the file must have; null records the checksum of the first fetch in dvc.lock."""


class Weights(Section):
    """Pretrained weights by name."""

    files: dict[str, WeightsFile]
