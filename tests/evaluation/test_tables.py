"""The content of reports/tables.json: what is written is read, family by family, and nothing else."""

import json
from dataclasses import replace

import pytest
from made_study import INPUTS, PARAMS, RESULT

from busline.base.artifacts import save_json
from busline.base.errors import DataError
from busline.base.results import load_result
from busline.evaluation.evaluate import evaluate
from busline.evaluation.results import Tables


@pytest.fixture
def written(tmp_path):
    """The file as the stage writes it, and a function that writes another content and reads it."""
    path = tmp_path / "tables.json"
    save_json(RESULT.tables.model_dump(), path)

    def read(content):
        path.write_text(json.dumps(content))
        return load_result(Tables, path, stage="evaluate")

    return json.loads(path.read_text()), read


def test_families_stand_side_by_side_in_the_file_and_by_kind_in_the_tables(written):
    content, read = written
    families = {"tabular", "cnn", "vote", "augmentation", "dnn_search", "segment"}
    assert set(content) == families | {"protocol", "comparisons", "headline", "described", "skipped"}
    assert content["skipped"] == {}
    tables = read(content)
    assert set(tables.classifiers) == {"tabular", "cnn"}
    assert (set(tables.pairs), set(tables.segmentations)) == ({"vote"}, {"segment"})
    assert set(tables.searches) == {"augmentation", "dnn_search"}
    assert json.loads(tables.model_dump_json()) == content


def test_figures_are_rounded_and_otherwise_come_back(written):
    content, read = written
    found, made = read(content).scored("vote"), RESULT.tables.scored("vote")
    assert set(found) == set(made)
    for name, pair in made.items():
        assert found[name].weight.mean == round(pair.weight.mean, 6)
        assert found[name].master.n_tune == pair.master.n_tune
        assert found[name].master.score("f1") == round(pair.master.score("f1"), 6)
        assert set(found[name].operating) == set(pair.operating)


def test_what_there_is_of_a_family(written):
    tables = RESULT.tables
    assert tables.scored("vote") == tables.compared("vote") == tables.found("vote") == tables.pairs["vote"]
    assert (tables.scored("augmentation"), tables.compared("augmentation")) == ({}, tables.searches["augmentation"])
    assert (tables.compared("segment"), tables.found("segment")) == ({}, tables.segmentations["segment"])
    assert tables.found("merged") == {}


def test_why_a_model_was_skipped_is_carried_along():
    skipped = {"merged": {"m": "the cohort has no images"}, "cnn": {}}
    tables = evaluate(replace(INPUTS, skipped=skipped), PARAMS).tables
    assert tables.skipped == {"merged": {"m": "the cohort has no images"}}
    assert tables.model_dump()["skipped"] == tables.skipped


def drop(content, *place):
    *parents, last = place
    for key in parents:
        content = content[key]
    del content[last]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda content: drop(content, "protocol"), "protocol: is missing"),
        (lambda content: drop(content, "cnn", "custom_cnn", "pooled"), "cnn.custom_cnn.pooled: is missing"),
        (
            lambda content: drop(content, "vote", "logreg+custom_cnn", "half"),
            r"vote.logreg\+custom_cnn.half: is missing",
        ),
        (lambda content: content.update(tabulr={}), "tabulr: unknown key"),
        (lambda content: content["cnn"]["custom_cnn"].update(poled=1), "poled: unknown key; did you mean 'pooled'"),
        (lambda content: content["segment"].update(content["segment"].pop("unet")), "segment.metrics.metrics"),
    ],
    ids=["no protocol", "no part", "no half", "unknown family", "unknown part", "an outline's scores without a model"],
)
def test_another_content_is_refused(written, change, message):
    content, read = written
    change(content)
    with pytest.raises(DataError, match=rf"(?s)tables.json: .*{message}.*single-item evaluate"):
        read(content)
