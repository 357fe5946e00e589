"""Sections `illustrate` and `report`: what is shown."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from busline.base.settings.section import Name, Section


class Illustrate(Section):
    """Which pictures are made."""

    cases: Annotated[int, Field(ge=1, le=10_000)]
    """Cases in the gallery of saliency maps."""
    saliency: Name | None
    """Image model whose saliency is drawn, or null for none."""


class Report(Section):
    """The report."""

    published: Name | None
    """Name of the published figures to set beside ours (src/busline/report/published), or null."""
