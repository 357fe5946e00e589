"""From the report's dict to its two forms: one self-contained HTML page, and Markdown without a pixel."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from busline.report.names import NOT_RUN, NOTHING, UNDEFINED

if TYPE_CHECKING:
    from jinja2 import Environment

    from busline.report.canvas import Figure


def render_html(summary: Mapping[str, Any], figures: Sequence[Figure], pictures: Mapping[str, bytes]) -> str:
    """Return the page as HTML that needs no other file.

    Args:
        summary: what :func:`busline.report.summarise.summarise` returns.
        figures: plots, each shown in the section it names.
        pictures: PNG bytes of the pictures of cases by file name.
    """
    by_section: dict[str, list[dict[str, Any]]] = {}
    for figure in figures:
        shown = {"title": figure.title, "caption": figure.caption, "data": _data_uri(figure.png), "width": figure.width}
        by_section.setdefault(figure.section, []).append(shown)
    images = {name: _data_uri(png) for name, png in pictures.items()}
    template = _environment().get_template("report.html.j2")
    return template.render(**summary, figures=by_section, images=images) + "\n"


def render_markdown(summary: Mapping[str, Any]) -> str:
    """Return the report as GitHub-flavoured Markdown: the same sections and tables, no figures, no pictures."""
    template = _environment(finalize=_markdown_value).get_template("report.md.j2")
    text = template.render(**summary)
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def escape_markdown(text: str) -> Markup:
    """Return text that Markdown shows as it is: no link, image, emphasis, HTML, table cell or new line."""
    escaped = re.sub(r"([\\`*\[\]|])", r"\\\1", " ".join(text.split()))
    escaped = re.sub(r"&(?=#|\w+;)", "&amp;", escaped)
    return Markup(escaped.replace("<", "&lt;").replace(">", "&gt;"))  # noqa: S704  # escaped


def show_cell(row: Mapping[str, Any], column: Mapping[str, Any]) -> str:
    """Return a cell's text.

    A column that is ours shows `not run` (once a row, with the reason if it is known) where the model did not run, and
    `n/a` for what is undefined; any other column shows a dash for what is not there.
    """
    if column["ours"] and row.get("status") == NOT_RUN:
        return str(row.get("why", NOT_RUN)) if column["key"] == "ours" else NOTHING
    value = row.get(column["key"])
    if value is None or value == "":
        return UNDEFINED if column["ours"] else NOTHING
    return value if isinstance(value, str) else _FORMATS[column["kind"]](value)


def slug(title: str) -> str:
    """Return the anchor GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def _markdown_value(value: object) -> Markup:
    return value if isinstance(value, Markup) else escape_markdown(str(value))


def _environment(**options: Any) -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("busline.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        **options,
    )
    environment.filters.update(cell=show_cell, slug=slug)
    return environment


def _data_uri(png: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(png).decode("ascii")


def _published(value: Mapping[str, float]) -> str:
    """Return a published figure with two decimals, more where the paper gives more."""
    mean, low, high = (_paper_number(value.get(name)) for name in ("mean", "low", "high"))
    return f"{mean} ({low}, {high})" if value.get("low") is not None else mean


def _paper_number(value: float | None) -> str:
    if value is None:
        return NOTHING
    exact = repr(float(value))
    return exact if len(exact.partition(".")[2]) > 2 else f"{value:.2f}"


def _interval(value: Sequence[float | None], digits: int = 3) -> str:
    if any(end is None for end in value):
        return UNDEFINED
    low, high = value
    return f"({low:.{digits}f}, {high:.{digits}f})"


def _estimate(value: Sequence[float | None], digits: int) -> str:
    """Return a figure with its interval, or the interval alone where there are two numbers."""
    *figure, low, high = value
    if any(mean is None for mean in figure):
        return UNDEFINED
    return " ".join([*(f"{mean:.{digits}f}" for mean in figure), _interval([low, high], digits)])


_FORMATS: dict[str, Callable[[Any], str]] = {
    "text": str,
    "number": lambda value: f"{value:.4g}" if abs(value) < 1000 else f"{value:.0f}",
    "count": lambda value: f"{value:,}",
    "percent": lambda value: f"{100 * value:.1f} %",
    "score": lambda value: f"{value:.3f}",
    "interval": _interval,
    "estimate": lambda value: _estimate(value, 3),
    "rate": lambda value: _estimate(value, 2),
    "pair": str,
    "published": _published,
    "paper_number": _paper_number,
}
