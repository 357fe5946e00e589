"""Plots of the HTML page: tables to PNG, whose bytes depend on the tables alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from busline.families import FAMILIES
from busline.report.canvas import COLOURS, Figure, canvas_of, finish, literal, panel_a_model
from busline.report.names import family_name, model_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PLOTS = ("roc", "pr", "calibration", "reliability", "confusion", "comparisons", "curves")
"""Names of the tables behind the plots."""

MANY = len(COLOURS)
"""A panel with more lines than this is drawn in one colour, without a legend."""


def draw_figures(summary: Mapping[str, Any], plots: Mapping[str, pd.DataFrame]) -> list[Figure]:
    """Draw every plot there is data for.

    Args:
        summary: what :func:`busline.report.summarise.summarise` returns.
        plots: tables behind the plots by name, see :data:`PLOTS`.
    """
    figures = [draw_forest(summary["forest"], summary["paper"]), draw_columns(summary["columns"])]
    figures += [draw_curves(plots[kind], kind) for kind in CURVES]
    figures += [draw_reliability(plots["reliability"])]
    figures += [draw_confusion(plots["confusion"]), draw_learning(plots["curves"])]
    return [figure for figure in figures if figure is not None]


def draw_forest(rows: Sequence[Mapping[str, Any]], paper: str | None) -> Figure | None:
    """Draw the ROC AUC of every model with its interval, and the published one beside it.

    Args:
        rows: `label`, `family`, and where known `ours`, `interval` and `paper` (mean, low, high).
        paper: the paper's short name, or None.
    """
    if not rows:
        return None
    with canvas_of(8.6, 0.9 + 0.27 * len(rows)) as canvas:
        axes = canvas.subplots()
        places = np.arange(len(rows))[::-1]
        for place, row in zip(places, rows, strict=True):
            _forest_row(axes, place, row)
        axes.set_yticks(places, [literal(row["label"]) for row in rows])
        for place, row, above in zip(places[1:], rows[1:], rows[:-1], strict=True):
            if row["family"] != above["family"]:
                axes.axhline(place + 0.5, color="#9aa6b5", linewidth=0.6)
        axes.axvline(0.5, color="#9aa6b5", linewidth=1.0, linestyle=":")
        axes.set_ylim(-0.7, len(rows) - 0.3)
        axes.set_xlim(max(0.0, min(0.4, axes.get_xlim()[0])), 1.0)
        axes.set_xlabel("ROC AUC (dotted: chance)")
        axes.grid(visible=False, axis="y")
        handles = _forest_legend(paper)
        axes.legend(handles=handles, loc="lower center", bbox_to_anchor=(0.4, 1.0), ncols=len(handles))
        caption = "Means over the test folds with the interval that the tables show."
        return finish(canvas, "overview", "ROC AUC of every model", caption)


def _forest_row(axes: Axes, place: float, row: Mapping[str, Any]) -> None:
    if row.get("interval") and row["interval"][0] is not None:
        axes.plot(row["interval"], [place + 0.12] * 2, color=COLOURS[0], linewidth=2.5, solid_capstyle="butt")
    if row.get("ours") is not None:
        axes.plot([row["ours"]], [place + 0.12], "o", color=COLOURS[0], markersize=5)
    paper = row.get("paper")
    if paper:
        if paper.get("low") is not None:
            axes.plot([paper["low"], paper["high"]], [place - 0.2] * 2, color=COLOURS[1], linewidth=1.5)
        axes.plot([paper["mean"]], [place - 0.2], "D", color=COLOURS[1], markersize=4)


def _forest_legend(paper: str | None) -> list[Any]:
    from matplotlib.lines import Line2D

    handles = [Line2D([], [], color=COLOURS[0], marker="o", linewidth=2.5, label="ours")]
    if paper:
        handles.append(Line2D([], [], color=COLOURS[1], marker="D", linewidth=1.5, markersize=4, label=paper))
    return handles


def draw_columns(columns: Sequence[Mapping[str, Any]]) -> Figure | None:
    """Draw the ROC AUC that each column alone would have had, those kept apart from those refused."""
    shown = sorted((c for c in columns if c["auc_alone"] is not None), key=lambda c: (c["auc_alone"], c["name"]))
    if not shown:
        return None
    with canvas_of(7.2, 0.8 + 0.24 * len(shown)) as canvas:
        axes = canvas.subplots()
        colours = [COLOURS[2] if column["kept"] else "#b4bdc9" for column in shown]
        axes.barh(range(len(shown)), [column["auc_alone"] for column in shown], color=colours, height=0.7)
        labels = [f"{literal(column['name'])} ({column['provenance'] or 'undeclared'})" for column in shown]
        axes.set_yticks(range(len(shown)), labels)
        axes.axvline(0.5, color="#444444", linewidth=1.0, linestyle=":")
        axes.set_xlim(0.0, 1.0)
        axes.set_xlabel("ROC AUC of the column alone (dotted: chance)")
        axes.grid(visible=False, axis="y")
        caption = (
            "Green columns reach the models; gray ones are refused, and this is what their leakage would be worth."
        )
        return finish(canvas, "columns", "What each column alone would score", caption)


def _roc_axes(axes: Axes) -> None:
    axes.plot([0, 1], [0, 1], color="#9aa6b5", linewidth=1.0, linestyle=":")
    axes.set(xlabel="1 − specificity", ylabel="sensitivity", xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), aspect="equal")


def _pr_axes(axes: Axes) -> None:
    axes.set(xlabel="recall", ylabel="precision", xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), aspect="equal")


def _calibration_axes(axes: Axes) -> None:
    axes.plot([0, 1], [0, 1], color="#9aa6b5", linewidth=1.0, linestyle=":")
    axes.set(xlabel="predicted", ylabel="observed", xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), aspect="equal")


CURVES: dict[str, tuple[str, str, str, Callable[[Axes], None], str]] = {
    "roc": ("fpr", "tpr", "ROC curves", _roc_axes, "Dotted: chance."),
    "pr": ("recall", "precision", "Precision–recall curves", _pr_axes, "Of the positive class."),
    "calibration": (
        "predicted",
        "observed",
        "Calibration",
        _calibration_axes,
        "Mean predicted probability and observed frequency in bins of equal numbers of cases. Dotted: perfect.",
    ),
}
"""By table: columns of x and y, title, how its axes look, and what the caption adds."""

AVERAGED = (
    "Out-of-fold probabilities, averaged over the repeats to one a case: with several repeats those of an ensemble, "
    "not of the models in the tables."
)


def draw_curves(table: pd.DataFrame, kind: str) -> Figure | None:
    """Draw one line a model and one panel a family; ``kind`` is a key of CURVES."""
    if table.empty:
        return None
    x, y, title, dress, remark = CURVES[kind]
    families = _families(table)
    with canvas_of(4.1 * len(families), 4.4) as canvas:
        panels = canvas.subplots(1, len(families), squeeze=False)[0]
        for axes, family in zip(panels, families, strict=True):
            dress(axes)
            models = list(dict.fromkeys(table.loc[table["family"] == family, "model"]))
            for number, model in enumerate(models):
                points = table[(table["family"] == family) & (table["model"] == model)]
                style: dict[str, Any] = {"color": COLOURS[number % MANY], "label": literal(model_name(model))}
                if len(models) > MANY:
                    style = {"color": COLOURS[0], "alpha": 0.45}
                marker = "o" if kind == "calibration" else ""
                axes.plot(points[x], points[y], linewidth=1.4, marker=marker, markersize=3, **style)
            axes.set_title(family_name(family) + (f": {len(models)} pairs" if len(models) > MANY else ""))
            if len(models) <= MANY:
                axes.legend(loc="lower left" if kind == "pr" else "best")
        caption = f"{AVERAGED} {remark}"
        return finish(canvas, "calibration" if kind == "calibration" else "curves", title, caption)


def draw_reliability(table: pd.DataFrame) -> Figure | None:
    """Draw the reliability curve before and after calibration, a panel a model; voted pairs are left to the tables."""
    shown = _without_pairs(table)
    if shown.empty:
        return None
    with panel_a_model(shown, 4, 2.6, 2.75) as (canvas, panels, columns):
        for number, (axes, family, model, part) in enumerate(panels):
            _calibration_axes(axes)
            for state, colour in (("before", COLOURS[1]), ("after", COLOURS[0])):
                points = part[part["calibration"] == state]
                style: dict[str, Any] = {"color": colour, "linewidth": 1.4, "marker": "o", "markersize": 3}
                axes.plot(points["predicted"], points["observed"], label=state, **style)
            axes.set_title(f"{family_name(family)}: {literal(model_name(model))}", fontsize=8)
            axes.set_xlabel("predicted" if number >= len(panels) - columns else "")
            axes.set_ylabel("observed" if number % columns == 0 else "")
            axes.legend(loc="upper left")
        caption = (
            "The models that kept the tuning cases out of their training, before and after a calibration of two "
            f"parameters fitted on these. {AVERAGED} Bins of equal numbers of test cases; dotted: perfect. The eye "
            "finds more pattern here than some twenty cases a point can carry."
        )
        return finish(canvas, "calibration", "Calibration before and after", caption)


def draw_confusion(table: pd.DataFrame) -> Figure | None:
    """Draw a confusion matrix a model; voted pairs are left to the tables."""
    shown = _without_pairs(table)
    if shown.empty:
        return None
    classes = sorted(set(shown["actual"]) | set(shown["predicted"]))
    with panel_a_model(shown, 6, 2.15, 2.35) as (canvas, panels, _):
        for axes, family, model, part in panels:
            counts = pd.crosstab(part["actual"], part["predicted"]).reindex(
                index=classes, columns=classes, fill_value=0
            )
            name = literal(model_name(model)).replace(", ", ",\n")
            _confusion_panel(axes, counts.to_numpy(), classes, f"{family_name(family)}\n{name}")
        caption = f"{AVERAGED} Numbers of cases; rows are the truth, columns the call at a probability of 0.5."
        return finish(canvas, "curves", "Confusion matrices", caption)


def _confusion_panel(axes: Axes, counts: np.ndarray, classes: Sequence[str], title: str) -> None:
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes.imshow(shares, cmap="Blues", vmin=0.0, vmax=1.0)
    for (row, column), count in np.ndenumerate(counts):
        colour = "white" if shares[row, column] > 0.6 else "black"
        axes.text(column, row, str(count), ha="center", va="center", color=colour)
    names = [literal(name) for name in classes]
    axes.set_xticks(range(len(classes)), names)
    axes.set_yticks(range(len(classes)), names, rotation=90, va="center")
    axes.tick_params(length=0, labelsize=7)
    axes.set_title(title, fontsize=8)
    axes.grid(visible=False)


def draw_learning(table: pd.DataFrame) -> Figure | None:
    """Draw the losses of training and validation cases by epoch, a panel a network, averaged over folds."""
    from matplotlib.ticker import MaxNLocator

    table = table[~table["family"].isin([family.key for family in FAMILIES.values() if family.search])]
    if table.empty:
        return None
    with panel_a_model(table, 4, 3.1, 2.5) as (canvas, panels, columns):
        for number, (axes, family, model, part) in enumerate(panels):
            for key, label, colour in (("train_loss", "train", COLOURS[0]), ("val_loss", "val", COLOURS[1])):
                if part[key].notna().any():  # the lesion network has no validation cases
                    axes.plot(part["epoch"], part[key], label=label, color=colour, linewidth=1.4)
            name = literal(model_name(model))
            axes.set_title(f"{family_name(family)}: {name}" if model != family else family_name(family))
            axes.title.set_fontsize(8)
            axes.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
            axes.set_xlabel("epoch" if number >= len(panels) - columns else "")
            axes.set_ylabel("loss" if number % columns == 0 else "")
            axes.legend(loc="best")
        caption = (
            "Mean loss over the folds that reached an epoch: of the cases learnt from (augmented, with dropout), and "
            "of the cases that decide when training stops. Folds that stopped early are missing from later epochs."
        )
        return finish(canvas, "curves", "Learning curves", caption)


def _without_pairs(table: pd.DataFrame) -> pd.DataFrame:
    return table[~table["family"].isin([family.key for family in FAMILIES.values() if family.members])]


def _families(table: pd.DataFrame) -> list[str]:
    found = list(dict.fromkeys(table["family"]))
    known = [family for family in FAMILIES if family in found]
    return known + [family for family in found if family not in FAMILIES]
