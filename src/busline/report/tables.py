"""Chowdhary & Dennis 2026, Tables 4 to 9, one row a line: the published figure, and ours with its interval."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from busline.base.settings.training import AugmentationLevel
from busline.evaluation.results import Classifier, Pair, Search, Segmentation, Summary, Tables
from busline.families import AUGMENTATION, CNN, DNN_SEARCH, MERGED, SEGMENT, TABULAR, VOTE, classifiers
from busline.report.baseline import no_skill
from busline.report.layout import Row, column, table, text_column
from busline.report.names import (
    METRICS,
    NOT_RUN,
    NOTHING,
    about_distances,
    count_scored,
    in_order,
    model_name,
    one_name,
    pair_name,
    segmentation_metrics,
)
from busline.report.operating import percent
from busline.report.paper import Interval, Published, SegmentationScore, VoteScore, published_aucs

Measured = Classifier | Search | Segmentation
TABULAR_METRICS = ("accuracy", "f1", "roc_auc", "precision", "recall", "specificity")

CAPTIONS = {
    4: "",
    5: "One network a line, trained on all training cases; the search feeds nothing.",
    6: "Largest random rotation, shift (share of the side), shear (tangent) and zoom of training images; the "
    "comparison feeds nothing.",
    7: "",
    8: "Both members of a voting pair are trained without the cases the weight is chosen on.",
    9: "Means over the test folds of the mean over cases, at the size the cohort stores; least and greatest over all "
    "cases and repeats.",
}


class TableMaker:
    """Sets a study's scores beside a paper's.

    Args:
        scores: content of reports/tables.json.
        published: the paper, or None to show ours alone.
        comparable: whether the paper's figures are about the same data; only then it is said whether they agree.
        missing: the weights file that an image model wants and that could not be had, by model.
    """

    def __init__(
        self, scores: Tables, published: Published | None, *, comparable: bool, missing: Mapping[str, str]
    ) -> None:
        self.scores, self.published, self.comparable, self.missing = scores, published, comparable, missing

    def tabular(self) -> Row:
        """Table 4: models of the clinical table, five metrics and specificity."""
        paper = self.published.tabular if self.published else {}
        found = self.scores.scored(TABULAR.key)
        rows = []
        for model in _union(paper, found):
            for metric in TABULAR_METRICS:
                figure = getattr(paper.get(model), metric, None)
                labels = {"model": model_name(model), "metric": METRICS[metric]}
                rows.append(self._row(labels, _interval(figure), found.get(model), metric))
        rows += no_skill(self.scores.protocol) if found else []
        columns = [text_column("model", "Model"), text_column("metric", "Metric"), *self._score_columns()]
        return self._table(4, "Models of the clinical table", columns, rows)

    def search(self) -> Row:
        """Table 5: hidden units and dropout rate of the tabular network."""
        searched = self.published.dnn_search if self.published else []
        paper: dict[tuple[float, float], Interval] = {(row.hidden, row.dropout): row.roc_auc for row in searched}
        networks = self.scores.searches.get(DNN_SEARCH.key, {}).values()
        found = {(network.point["hidden"], network.point["dropout"]): network for network in networks}
        rows = [
            self._row({"hidden": key[0], "dropout": key[1]}, _interval(paper.get(key)), found.get(key), "roc_auc")
            for key in sorted({*paper, *found})
        ]
        columns = [column("hidden", "Hidden units", "count"), column("dropout", "Dropout", "number")]
        return self._table(5, "ROC AUC of the tabular network", [*columns, *self._score_columns(master=False)], rows)

    def augmentation(self, levels: Mapping[str, AugmentationLevel]) -> Row:
        """Table 6: levels of augmentation, on the custom CNN."""
        paper = self.published.augmentation if self.published else {}
        found = self.scores.searches.get(AUGMENTATION.key, {})
        rows = []
        for name in _union(paper, found):
            level = levels.get(name)
            labels: Row = {"model": model_name(name)}
            if level:
                labels |= {**level.model_dump(), "flip": "yes" if level.flip else "no"}
            rows.append(self._row(labels, _interval(paper.get(name)), found.get(name), "roc_auc"))
        columns = [
            text_column("model", "Level"),
            text_column("flip", "Flip"),
            column("rotation", "Rotation (°)", "number"),
            column("translation", "Shift", "number"),
            column("shear", "Shear", "number"),
            column("zoom", "Zoom", "number"),
            *self._score_columns(master=False),
        ]
        return self._table(6, "ROC AUC of the custom CNN by augmentation", columns, rows)

    def images(self) -> Row:
        """Table 7: image classifiers."""
        paper = self.published.cnn if self.published else {}
        found = self.scores.scored(CNN.key)
        rows = [
            self._row(
                {"model": model_name(model), **self._why(model)},
                _interval(paper.get(model)),
                found.get(model),
                "roc_auc",
            )
            for model in _union(paper, found)
        ]
        return self._table(
            7, "ROC AUC of image classifiers", [text_column("model", "Model"), *self._score_columns()], rows
        )

    def combined(self) -> Row:
        """Table 8: voted pairs and merged networks."""
        columns = [
            text_column("model", "Pair"),
            text_column("scheme", "Scheme"),
            *self._score_columns(),
            column("half", "At w = ½", "score", ours=True),
            column("half_interval", "Interval, w = ½", "interval", ours=True),
        ]
        return self._table(8, "ROC AUC of image and table together", columns, [*self._votes(), *self._merged()])

    def weights(self) -> Row:
        """Table 8's weights: over the folds, and the best interval of the master split."""
        paper = self._paper_votes()
        rows = []
        for key in _union(paper, self._our_votes()):
            found = self._our_votes().get(key)
            if found is None:
                continue
            point = found.master
            row = {
                "model": pair_name(*key),
                "paper_weight": paper[key].weight if key in paper else None,
                "median": found.weight.median,
                "range": [found.weight.min, found.weight.max],
                "master": point.weight if point else None,
                "best": [point.low, point.high] if point else [None, None],
                "n": point.n_tune if point else None,
            }
            rows.append(row)
        columns = [
            text_column("model", "Pair"),
            *([column("paper_weight", "Paper", "score")] if self.published else []),
            column("median", "Median of the folds", "score", ours=True),
            column("range", "Least and greatest", "interval", ours=True),
            column("master", "Master split", "score", ours=True),
            column("best", "Its best interval", "interval", ours=True),
            column("n", "Its tuning cases", "count", ours=True),
        ]
        caption = "The tabular model's weight w; the image model has 1 − w. Of the best interval the middle is taken."
        return table("weights", columns, rows, title="Voting weights", caption=caption)

    def _paper_votes(self) -> dict[tuple[str, str], VoteScore]:
        return {(row.tabular, row.image): row for row in self.published.vote} if self.published else {}

    def _our_votes(self) -> dict[tuple[str, str], Pair]:
        return {(pair.tabular, pair.image): pair for pair in self.scores.pairs.get(VOTE.key, {}).values()}

    def _votes(self) -> list[Row]:
        paper, found = self._paper_votes(), self._our_votes()
        rows = []
        for key in _union(paper, found):
            figure, ours = paper.get(key), found.get(key)
            labels: Row = {"model": pair_name(*key), "scheme": VOTE.title.lower(), **self._why(key[1])}
            if ours:
                half = ours.half["roc_auc"]
                labels |= {"half": half.mean, "half_interval": [half.low, half.high]}
            point = {"mean": figure.roc_auc} if figure else None
            rows.append(self._row(labels, point, ours, "roc_auc"))
        return rows

    def _merged(self) -> list[Row]:
        paper = self.published.merged if self.published else {}
        found = self.scores.scored(MERGED.key)
        unused = dict.fromkeys(("half", "half_interval"), NOTHING)
        return [
            self._row(
                {"model": pair_name("dnn", model), "scheme": MERGED.title.lower(), **unused, **self._why(model)},
                _interval(paper.get(model)),
                found.get(model),
                "roc_auc",
            )
            for model in _union(paper, found)
        ]

    def segmentation(self, model: str | None) -> Row:
        """Table 9: segmentation scores of one model, or of none, with the range over cases."""
        paper = self.published.segment if self.published else {}
        found = self.scores.segmentations.get(SEGMENT.key, {}).get(model or "")
        rows = []
        names = segmentation_metrics([*paper, *(found.metrics if found else ())])
        for metric in names:
            figure: SegmentationScore | None = paper.get(metric)
            labels: Row = {"metric": METRICS[metric]}
            if figure:
                labels |= {"paper_min": figure.min, "paper_max": figure.max}
            if found:
                cases = found.cases[metric]
                scored = count_scored(cases.count, cases.undefined)
                labels |= {"min": cases.min, "max": cases.max, "cases": scored}
            interval = {"mean": figure.mean, "low": figure.low, "high": figure.high} if figure else None
            rows.append(self._row(labels, interval, found, metric))
        columns = [text_column("metric", "Score"), *self._score_columns()]
        if self.published:
            columns[2:2] = [
                column("paper_min", "Min (paper)", "paper_number"),
                column("paper_max", "Max (paper)", "paper_number"),
            ]
        columns += [
            column("min", "Min", "score", ours=True),
            column("max", "Max", "score", ours=True),
            column("cases", "Scored cases", "text", ours=True),
        ]
        return self._table(9, "Segmentation", columns, rows, caption=f"{CAPTIONS[9]} {about_distances(names)}".strip())

    def forest(self) -> list[Row]:
        """Return the ROC AUC of every model with every metric, ours and the paper's, family by family.

        Returns:
            ``family``, ``model`` and ``label``, and where known ``ours``, ``interval`` and ``paper``.
        """
        paper, rows = published_aucs(self.published), []
        for family in classifiers(search=False):
            found = self.scores.scored(family.key)
            for model in _union((name for key, name in paper if key == family.key), in_order(found)):
                names = {"family": family.key, "model": model, "label": one_name(family.key, model)}
                figure = paper.get((family.key, model))
                rows.append(self._row(names, figure, found.get(model), "roc_auc"))
        return rows

    def _why(self, model: str) -> Row:
        """Return why an image model cannot have run, if that is known."""
        return {"why": f"{NOT_RUN}: no file {self.missing[model]}"} if model in self.missing else {}

    def _score_columns(self, *, master: bool = True) -> list[Row]:
        paper = [column("paper", "Paper (95 %)", "published")] if self.published else []
        agrees = [text_column("agrees", "Paper inside", ours=True)] if self.published and self.comparable else []
        return [
            *paper,
            column("ours", "Ours", "score", ours=True),
            column("interval", f"{percent(self.scores)} interval", "interval", ours=True),
            *agrees,
            *([column("master", "Master", "score", ours=True)] if master else []),
            column("folds", "Folds", "text", ours=True),
        ]

    def _row(self, labels: Row, paper: Row | None, ours: Measured | None, metric: str) -> Row:
        if ours is None:
            return {**labels, "paper": paper, "status": NOT_RUN}
        score = ours.metrics[metric]
        master = None if isinstance(ours, Search) else ours.master
        row = {
            **labels,
            "paper": paper,
            "status": "run",
            "ours": score.mean,
            "interval": [score.low, score.high],
            "master": master.score(metric) if master else None,
            "folds": count_scored(score.folds, score.undefined),
        }
        if self.comparable:
            row["agrees"] = _agrees(paper, score)
        return row

    def _table(self, number: int, title: str, columns: Sequence[Row], rows: Sequence[Row], *, caption: str = "") -> Row:
        notes = [d.text for d in self.published.differences if number in d.tables] if self.published else []
        name = f"Table {number}. {title}" if self.published else title
        return table(f"table{number}", columns, rows, title=name, caption=caption or CAPTIONS[number], notes=notes)


def _union(paper: Iterable[Any], ours: Iterable[Any]) -> list[Any]:
    """Return the paper's lines in its order, then ours that it lacks."""
    return list(dict.fromkeys([*paper, *ours]))


def _interval(figure: Any) -> Row | None:
    return None if figure is None else {"mean": figure.mean, "low": figure.low, "high": figure.high}


def _agrees(paper: Row | None, ours: Summary) -> str:
    """Say whether the paper's mean, which is rounded to two decimals, lies in our interval."""
    if paper is None or ours.low is None or ours.high is None:
        return NOTHING
    return "yes" if ours.low - 0.005 <= paper["mean"] <= ours.high + 0.005 else "no"
