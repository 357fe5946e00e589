import json

import pytest

from busline.base.artifacts import load_json
from busline.base.errors import ParameterError
from busline.base.settings.data import Cohort, Phantom
from busline.cohort.ingest import ingest
from busline.cohort.sources.order import Order
from busline.cohort.sources.table import SOURCES, acquire, find_source
from busline.cohort.store import load_cohort
from helpers_cohort import SETTINGS, files_of


def test_an_unknown_source_is_refused_with_near_matches():
    with pytest.raises(ParameterError, match="unknown source 'fantom'") as error:
        find_source("fantom")
    assert "did you mean 'phantom'?" in str(error.value)


def test_every_source_says_what_it_is():
    assert set(SOURCES) >= {"phantom", "breast", "folder"}
    assert all(source.summary for source in SOURCES.values())


def test_phantoms_are_read_as_the_release_is_and_none_is_a_duplicate(tmp_path):
    cohort = Cohort(source="phantom", phantom=Phantom(cases=24, normal=2, width=96, height=80))
    seen = []
    order = Order(cohort, 2026, None, tmp_path / "downloads", tmp_path / "own", lambda *call: seen.append(call))
    acquire(order, tmp_path / "raw")
    assert seen[-1] == ("phantoms", 26, 26)
    raw = find_source("phantom").read(tmp_path / "raw")
    assert raw.problems == ()
    ingest(raw, "phantom", tmp_path / "cohort", SETTINGS.model_copy(update={"max_side": 96, "duplicate_bits": 8}))
    cohort = load_cohort(tmp_path / "cohort")
    assert len(cohort.cases) == 26
    assert cohort.cases["label"].value_counts()["normal"] == 2
    assert len(cohort.duplicates) == 0
    assert all(column.provenance for column in cohort.columns)
    card = load_json(tmp_path / "cohort/card.json")
    assert card["source"] == "phantom"
    assert str(tmp_path) not in json.dumps(card)
    assert not [name for name in files_of(tmp_path) if name.endswith(".part")]
