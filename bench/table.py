"""The results as JSON and as a Markdown table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.figures import Line
from busline.base.artifacts import save_json, save_text

HEAD = ("what", "result", "at least", "aim", "verdict", "engine", "other side", "n", "how")
EXPLAINED = (
    "A result in × is the engine's speed over the other side's: the median over rounds in which both were timed right "
    "after each other, with the lowest and the highest round. Both sides do the same work (network, batches, Adam, "
    "validation after each epoch, augmentation of the same family); imports, process starts and first steps are not "
    "timed on either side."
)


def save(lines: Sequence[Line], machine: dict[str, Any], folder: Path, *, name: str = "bench") -> None:
    """Write ``<name>.json`` and ``<name>.md`` into a folder."""
    rounded = [{key: _short(value) for key, value in line.to_dict().items()} for line in lines]
    save_json({"machine": machine, "lines": rounded}, folder / f"{name}.json")
    save_text(render(lines, machine), folder / f"{name}.md")


def render(lines: Sequence[Line], machine: dict[str, Any]) -> str:
    """Return the page."""
    what = ", ".join(f"{name} {_join(value)}" for name, value in machine.items() if value not in (None, []))
    rows = [HEAD, ["---"] * len(HEAD), *([cell.replace("|", "\\|") for cell in row(line)] for line in lines)]
    table = "\n".join("| " + " | ".join(cells) + " |" for cells in rows)
    return f"# Benchmark\n\n{EXPLAINED}\n\nMachine: {what}.\n\n{table}\n"


def row(line: Line) -> list[str]:
    """Return the cells of one line."""
    spread = f" ({figure(line.low)} to {figure(line.high)})" if line.n > 1 and line.low is not None else ""
    bound = line.bound
    limit = f"at most {figure(bound.at_most)}{_unit(line.unit)}" if bound.at_most is not None else ""
    if line.agrees is not None:
        limit = "the same"
    return [
        line.title,
        "" if line.value is None else figure(line.value) + _unit(line.unit) + spread,
        limit or ("" if bound.at_least is None else figure(bound.at_least) + _unit(line.unit)),
        "" if bound.aim is None else figure(bound.aim) + _unit(line.unit),
        line.verdict,
        "" if line.ours is None else f"{figure(line.ours)} {line.side_unit}".strip(),
        "" if line.theirs is None else f"{figure(line.theirs)} {line.side_unit}".strip(),
        str(line.n or ""),
        line.note,
    ]


def figure(value: float | None) -> str:
    """Return three significant digits, without an exponent."""
    if value is None:
        return ""
    if abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}" if abs(value) >= 1 else f"{value:.3f}"


def _short(value: Any) -> Any:
    return float(f"{value:.4g}") if isinstance(value, float) else value


def _unit(unit: str) -> str:
    return {"x": "×", "": ""}.get(unit, f" {unit}")


def _join(value: Any) -> str:
    return ", ".join(value) if isinstance(value, list) else str(value)
