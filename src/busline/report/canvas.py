"""What the report's figures are drawn on: style, canvas, a panel a model, and the PNG they end as."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c6d31", "#444444")
"""Okabe and Ito's palette, which colour-blind readers can tell apart, in an order that starts with contrast."""

PIXELS_PER_INCH = 90
"""On the page; the PNG has more, for sharp screens."""

STYLE: Mapping[Any, Any] = {
    "font.size": 9.0,
    "axes.titlesize": 10.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#e3e7ec",
    "axes.axisbelow": True,
    "legend.fontsize": 8.0,
    "legend.frameon": False,
    "figure.facecolor": "white",
}


@dataclass(frozen=True)
class Figure:
    """One plot."""

    section: str
    """Id of the section it is shown in."""
    title: str
    caption: str
    png: bytes
    width: int
    """Width on the page in pixels, where there is room."""


@contextmanager
def canvas_of(width: float, height: float) -> Iterator[Canvas]:
    """Yield a figure of ``width`` × ``height`` inches; inside the block matplotlib has the report's style alone."""
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure as Canvas

    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(STYLE)
        canvas = Canvas(figsize=(width, height), dpi=2 * PIXELS_PER_INCH, layout="constrained")
        FigureCanvasAgg(canvas)
        yield canvas


def finish(canvas: Canvas, section: str, title: str, caption: str) -> Figure:
    """Return the canvas as a PNG that says nothing of when and by what it was drawn."""
    stream = io.BytesIO()
    canvas.savefig(stream, format="png", metadata={"Software": None})
    return Figure(section, title, caption, stream.getvalue(), round(canvas.get_figwidth() * PIXELS_PER_INCH))


@contextmanager
def panel_a_model(
    table: pd.DataFrame, most: int, width: float, height: float
) -> Iterator[tuple[Canvas, list[tuple[Axes, str, str, pd.DataFrame]], int]]:
    """Yield a canvas with a panel a model, at most so many a row: (axes, family, model, its rows), and the columns."""
    models = list(dict.fromkeys(zip(table["family"], table["model"], strict=True)))
    columns = min(len(models), most)
    rows = -(-len(models) // columns)
    with canvas_of(width * columns, height * rows) as canvas:
        places = canvas.subplots(rows, columns, squeeze=False).ravel()
        for axes in places[len(models) :]:
            axes.set_axis_off()
        parts = [table[(table["family"] == family) & (table["model"] == model)] for family, model in models]
        panels = [(axes, *names, part) for axes, names, part in zip(places, models, parts, strict=False)]
        yield canvas, panels, columns


def literal(text: str) -> str:
    """Keep matplotlib from reading a name as a formula."""
    return text.replace("$", r"\$")
