"""The lines on the search of the tabular network: 9 configurations in 50 folds, to the same scores."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from bench.figures import Bound, Line, agree, time_line
from bench.work import table_inputs
from bench.workers import Pace, Workers, take_turns
from busline.base.settings.tabular import Dnn
from busline.studies.inputs import StudyInputs

Scores = list[list[float]]


@dataclass(frozen=True)
class Size:
    """How large the search is."""

    cases: int = 252
    folds: int = 5
    repeats: int = 10
    epochs: int = 50
    hidden: tuple[int, ...] = (16, 32, 64)
    dropout: tuple[float, ...] = (0.2, 0.3, 0.5)

    @property
    def grid(self) -> list[tuple[int, float]]:
        """Every configuration."""
        return [(hidden, dropout) for hidden in self.hidden for dropout in self.dropout]

    @property
    def base(self) -> Dnn:
        """Settings all configurations share."""
        return Dnn(hidden=32, dropout=0.2, batch_size=16, epochs=self.epochs, learning_rate=1e-3)

    def inputs(self) -> StudyInputs:
        """Return the clinical columns of phantoms, with the folds."""
        return table_inputs(self.cases, self.folds, self.repeats)

    def first_folds(self, inputs: StudyInputs, count: int = 1) -> StudyInputs:
        """Return the same cases with few folds, to warm up."""
        return replace(inputs, resamples=dict(list(inputs.resamples.items())[:count]))


def mlp_lines(pace: Pace, size: Size) -> list[Line]:
    """Time the search against one process and against two, and compare the scores."""
    what = json.dumps(asdict(size))
    scores: dict[str, Scores] = {}
    with Workers(["reference_mlp", what]) as tried:  # alone, so that nothing disturbs its choice
        threads = tried.note
    with Workers(["reference_mlp", what, threads], 2) as theirs, Workers(["engine_mlp", what]) as ours:

        def one() -> float:
            seconds, answers = theirs.ask({"part": 0, "of": 1})
            scores["theirs"] = answers[0]["scores"]
            return seconds

        def two() -> float:
            return theirs.ask({"part": 0, "of": 2}, {"part": 1, "of": 2})[0]

        def engine() -> float:
            seconds, answers = ours.ask({})
            scores["ours"] = answers[0]["scores"]
            return seconds

        against_one = take_turns(engine, one, pace.rounds)
        against_two = take_turns(engine, two, pace.rounds)
        note = f"reference: {threads} thread{'s' * (threads != '1')} a process, the best of those tried"
    title = f"MLP search, {len(size.grid)} configurations × {size.folds * size.repeats} folds"
    shown = f"{title}, against two processes"
    return [
        time_line("mlp", f"{title}, against one process", *against_one, bound=Bound(12.0, 30.0), note=note),
        time_line("mlp_two", shown, *against_two, note="for comparison"),
        score_line(size, scores["ours"], scores["theirs"]),
    ]


def score_line(size: Size, ours: Scores, theirs: Scores) -> Line:
    """Compare the mean scores of each configuration: each side's must lie in the other's interval."""
    pairs = [(_summary(size, a), _summary(size, b)) for a, b in zip(ours, theirs, strict=True)]
    differences = [a[0] - b[0] for a, b in pairs]
    agreeing = sum(agree(a, b) for a, b in pairs)
    rest: dict[str, Any] = {
        "ours": float(np.mean([a[0] for a, _ in pairs])),
        "theirs": float(np.mean([b[0] for _, b in pairs])),
        "agrees": agreeing == len(pairs),
    }
    largest = max(differences, key=abs)
    title = "MLP search: mean ROC AUC of a configuration, the largest difference"
    note = f"{agreeing} of {len(pairs)} configurations agree; beside it the means over all"
    return Line("scores_mlp", title, largest, unit="", n=len(ours[0]), note=note, **rest)


def _summary(size: Size, scores: list[float]) -> tuple[float, float, float]:
    from busline.metrics.intervals import corrected_interval

    interval = corrected_interval(scores, 1.0 / (size.folds - 1))
    return float(np.mean(scores)), interval.low, interval.high
