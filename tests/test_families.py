"""The table of families: it is whole and the only one, and its ratios are those of the folds that are learnt from."""

import ast

import numpy as np
import pandas as pd
import pytest

from busline.base.errors import ParameterError
from busline.base.params import load_params
from busline.evaluation.summaries import test_to_train as ratio_of
from busline.families import FAMILIES, GROUPS, TRAINING, active_files
from busline.models.diagnosis import MODELS, PARTS
from busline.splits import ROLES
from busline.studies.lesion import pair_jobs
from imports import REPOSITORY
from made_inputs import made_inputs, small_params

SOURCE = REPOSITORY / "src/busline"
SEEDS = {"derive_seed", "fold_seed", "numpy_generator"}
"""What a seed is derived from must stay as it is when a family is renamed, so it is no use of the table."""
OTHER_MEANINGS = {
    ("cohort/phantom/cohort.py", "lesion"): "a kind of phantom, beside normal",
    ("studies/lesion.py", "lesion"): "the network's name in its learning curves",
}


def literals(path):
    """Yield the strings of a module that are no part of a seed, with their lines."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and getattr(node.func, "id", "") in SEEDS]
    seeds = {id(argument) for call in calls for argument in call.args}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in seeds:
            yield node.value, node.lineno


def test_no_other_module_names_a_family():
    found, unused = [], dict(OTHER_MEANINGS)
    for path in sorted(SOURCE.rglob("*.py")):
        name = path.relative_to(SOURCE).as_posix()
        if name == "families.py" or name.startswith("base/"):
            continue
        for value, line in literals(path):
            if value in FAMILIES and not unused.pop((name, value), None) and (name, value) not in OTHER_MEANINGS:
                found.append(f"{name}:{line}: {value!r}")
    assert found == []
    assert unused == {}


def test_every_row_can_be_read():
    roles = set(ROLES) - {"test"}
    for key, family in FAMILIES.items():
        assert family.key == key
        assert set(family.learns_from) <= roles
        assert bool(family.group) == (family.task == "classification")
        assert family.group in {"", *GROUPS}
        assert set(family.members) <= set(FAMILIES)
        assert not (family.search and family.chooses)
        ways = [family.active, family.files, family.members]
        assert sum(map(bool, ways)) == 1
    assert set(TRAINING) == roles


def test_the_lists_are_those_of_the_parameters_and_of_the_studies():
    params = load_params(REPOSITORY / "params.yaml")
    assert active_files(FAMILIES["tabular"], params) == params.tabular.active
    assert active_files(FAMILIES["merged"], params) == params.merged.active
    assert active_files(FAMILIES["segment"], params) == params.seg.active
    pairs = [f"{table}+{image}" for table in params.tabular.active for image in params.cnn.active]
    assert active_files(FAMILIES["vote"], params) == pairs
    assert FAMILIES["lesion"].files == tuple(MODELS)
    assert FAMILIES["lesion_parts"].files == tuple(PARTS)


@pytest.mark.parametrize("folds", [3, 5])
@pytest.mark.parametrize("key", ["lesion", "lesion_parts", "lesion_segment"])
def test_what_rests_on_pairs_of_folds_has_the_ratio_of_their_networks(key, folds):
    """Counted over the networks that score a fold's test cases, as the lesion stage makes them."""
    inputs = made_inputs(small_params(cv__folds=folds), cases=60)
    rows = [
        {"case_id": inputs.case_ids[place], **resample._asdict(), "role": role}
        for resample, roles in inputs.resamples.items()
        for role, places in roles.items()
        for place in places
    ]
    jobs = pair_jobs(inputs.resamples)
    expected = []
    for fold in range(folds):
        sizes = [len(job.learn) for job in jobs if fold in (job.first, job.second)]
        expected.append(len(inputs.resamples["cv", 0, fold]["test"]) / np.mean(sizes))
    family, splits = FAMILIES[key], pd.DataFrame(rows)
    assert ratio_of(splits, family.learns_from, family.left_out) == pytest.approx(np.mean(expected))
    assert ratio_of(splits, family.learns_from, family.left_out) == pytest.approx(1 / (folds - 2), rel=0.02)
    other = FAMILIES["segment"]
    assert ratio_of(splits, other.learns_from, other.left_out) == pytest.approx(1 / (folds - 1), rel=0.02)


def test_two_folds_leave_nothing_for_pairs():
    splits = pd.DataFrame(
        {"case_id": list("abab"), "scheme": "cv", "repeat": 0, "fold": [0, 0, 1, 1], "role": ["test", "train"] * 2}
    )
    with pytest.raises(ParameterError, match=r"(?s)cv.folds: is 2.*more than the 2"):
        ratio_of(splits, TRAINING, 2)
