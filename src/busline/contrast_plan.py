"""What a file of contrasts/ asks for: pairs of arms, and the runs that they need; checked before anything runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from busline.base.errors import ParameterError, near_matches
from busline.base.params import Params
from busline.base.settings.headline import Place
from busline.base.settings.reading import parse_settings, read_parameters
from busline.base.settings.section import Section
from busline.evaluation.headline import parse_place
from busline.evaluation.paired_cases import PAIRED_METRICS
from busline.families import FAMILIES, Family, active_files
from busline.study import apply_settings, read_study

VARIED = "seed.train"
COMMON = ("seed", "data", "split", "evaluate")
"""Sections that decide which cases are scored, and how: all arms must have the same."""


class AskedSide(Section):
    """One arm of a pair."""

    name: Place
    """Family and model, as `cnn/custom_cnn`."""
    settings: dict[str, Any]
    """Dotted keys of params.yaml for this arm alone, and their values."""


class AskedPair(Section):
    """A question: what is `model` worth, `against` the other arm?"""

    what: Annotated[str, Field(pattern=r"^[^|\n]+$", max_length=200)]
    """A line for the table."""
    metrics: Annotated[list[Literal["roc_auc", "dice", "iou"]], Field(min_length=1)]
    model: AskedSide
    against: AskedSide


class Asked(Section):
    """The content of contrasts/<name>.yaml."""

    study: str | None
    """A file of studies/, without its suffix, whose settings all runs have; null for params.yaml alone."""
    settings: dict[str, Any]
    """Dotted keys of params.yaml for all runs, and their values."""
    seeds: Annotated[int, Field(ge=2, le=100)]
    """How many seeds of training: that of params.yaml and the next ones."""
    pairs: Annotated[list[AskedPair], Field(min_length=1)]


@dataclass(frozen=True)
class Arm:
    """A model under some settings."""

    family: Family
    model: str
    settings: Mapping[str, Any]
    """All that is set, by dotted key: of the study, of all runs, and of this arm."""
    params: Params
    """All parameters with these settings."""


@dataclass(frozen=True)
class Plan:
    """What is to be run and compared."""

    name: str
    asked: Asked
    arms: list[tuple[Arm, Arm]]
    """Of each pair."""
    seeds: list[int]
    runs: list[list[Arm]]
    """The arms of each distinct setting, a model once; one run a seed serves them all."""


def read_plan(name: str, root: Path = Path()) -> Plan:
    """Read and check contrasts/<name>.yaml.

    Args:
        name: the file without its suffix.
        root: folder that holds contrasts/, studies/ and params.yaml.

    Raises:
        ParameterError: if there is no such file, or naming the pair and what cannot be in it.
        BuslineError: if it names a study that is not there.
    """
    path = root / "contrasts" / f"{name}.yaml"
    if not path.is_file():
        known = [file.stem for file in path.parent.glob("*.yaml")]
        raise ParameterError(str(path), "there is no such contrast", mend=near_matches(name, known))
    asked = parse_settings(Asked, read_parameters(path), str(path))
    base = {**(read_study(root / "studies", asked.study) if asked.study else {}), **asked.settings}
    content = read_parameters(root / "params.yaml")
    arms = [_resolve_pair(pair, base, content, f"{path}, pair {pair.what!r}") for pair in asked.pairs]
    for pair, (first, second) in zip(asked.pairs, arms, strict=True):
        _require_common(arms[0][0], [first, second], f"{path}, pair {pair.what!r}")
    first_seed = parse_settings(Params, content).seed.train
    return Plan(name, asked, arms, list(range(first_seed, first_seed + asked.seeds)), _distinct_runs(arms))


def _distinct_runs(pairs: Sequence[tuple[Arm, Arm]]) -> list[list[Arm]]:
    runs: list[list[Arm]] = []
    for arm in (arm for pair in pairs for arm in pair):
        shared = next((run for run in runs if run[0].params == arm.params), None)
        if shared is None:
            runs.append([arm])
        elif (arm.family, arm.model) not in [(one.family, one.model) for one in shared]:
            shared.append(arm)
    return runs


def _resolve_pair(pair: AskedPair, base: Mapping[str, Any], content: Mapping[str, Any], where: str) -> tuple[Arm, Arm]:
    one, other = (
        _resolve(side, {**base, **side.settings}, content, f"{where}, {part}")
        for part, side in (("model", pair.model), ("against", pair.against))
    )
    for metric in pair.metrics:
        for arm in (one, other):
            if metric not in PAIRED_METRICS[arm.family.task]:
                expected = " or ".join(PAIRED_METRICS[arm.family.task])
                raise ParameterError(where, f"{arm.family.key} has no {metric}", expected=expected)
    if (one.family, one.model, one.params) == (other.family, other.model, other.params):
        raise ParameterError(where, "compares a model with itself", mend="set something for one of them alone")
    return one, other


def _require_common(first: Arm, arms: Sequence[Arm], where: str) -> None:
    common = first.params
    differing = [key for key in COMMON if any(getattr(arm.params, key) != getattr(common, key) for arm in arms)]
    if differing:
        mend = "put it into the settings of all runs, or into another file"
        raise ParameterError(where, f"sets {', '.join(differing)}", expected="the same in all arms", mend=mend)


def _resolve(side: AskedSide, settings: Mapping[str, Any], content: Mapping[str, Any], where: str) -> Arm:
    for key in settings:
        if key in (VARIED, VARIED.partition(".")[0]):
            mend = f"leave it out: {VARIED} of params.yaml is the first seed"
            raise ParameterError(where, f"{key} is set, the seed that is varied here", mend=mend)
    params = apply_settings(content, settings, where)
    key, model = parse_place(side.name)
    known = [name for name, family in FAMILIES.items() if not family.point]  # a grid of models is a setting
    if key not in known:
        raise ParameterError(where, f"there is no family {key!r}", mend=near_matches(key, known))
    active = active_files(FAMILIES[key], params)
    if model not in active:
        raise ParameterError(where, f"{key} has no active model {model!r}", mend=near_matches(model, active))
    return Arm(FAMILIES[key], model, settings, params)
