import pytest
from pydantic import ValidationError

from busline.base.errors import ParameterError
from busline.base.params import load_params
from busline.report.comparison import compare_settings
from busline.report.paper import Published, load_published
from busline.report.provenance import look_up


@pytest.fixture(scope="module")
def paper():
    return load_published("chowdhary2026")


def test_figures_are_those_of_the_paper(paper):
    """Copied by hand from the paper's tables, a second time."""
    assert tuple(paper.tabular["logreg"].roc_auc) == (0.80, 0.78, 0.82)
    assert tuple(paper.tabular["random_forest"].recall) == (0.60, 0.57, 0.63)
    assert tuple(paper.tabular["lightgbm"].f1) == (0.66, 0.63, 0.68)
    assert tuple(paper.tabular["catboost"].precision) == (0.63, 0.61, 0.66)
    search = {(row.hidden, row.dropout): tuple(row.roc_auc) for row in paper.dnn_search}
    assert search[32, 0.5] == (0.79, 0.77, 0.82)
    assert tuple(paper.augmentation["aggressive"]) == (0.60, 0.58, 0.63)
    assert tuple(paper.cnn["mobilenet_v2_imagenet"]) == (0.70, 0.68, 0.71)
    votes = {(row.tabular, row.image): (row.weight, row.roc_auc) for row in paper.vote}
    assert votes["random_forest", "mobilenet_v2_imagenet"] == (0.719, 0.97)
    assert votes["catboost", "custom_cnn"] == (0.382, 0.67)
    assert tuple(paper.merged["custom_cnn"]) == (0.66, 0.62, 0.70)
    specificity = paper.segment["specificity"]
    assert (specificity.min, specificity.low, specificity.high) == (0.90, 0.987, 0.991)


def test_every_line_of_the_paper_is_there(paper):
    assert len(paper.tabular) == 6
    assert len(paper.dnn_search) == 9
    assert len(paper.augmentation) == 4
    assert len(paper.cnn) == len(paper.merged) == 3
    assert len({(row.tabular, row.image) for row in paper.vote}) == 15
    assert len(paper.segment) == 4


def test_every_mean_lies_in_its_interval(paper):
    scores = [getattr(row, name) for row in paper.tabular.values() for name in type(row).model_fields]
    scores += [row.roc_auc for row in paper.dnn_search]
    scores += [*paper.augmentation.values(), *paper.cnn.values(), *paper.merged.values()]
    assert all(score.low <= score.mean <= score.high for score in scores)
    assert all(score.min <= score.low <= score.mean <= score.high <= score.max for score in paper.segment.values())


def test_every_setting_and_choice_names_parameters_that_exist(paper, params):
    from busline.report.comparison import choices_section

    settings = compare_settings(params, paper)
    assert len(settings) == len(paper.settings)
    content = {**params.model_dump(), "seg": params.seg.of_model("unet").model_dump()}
    assert [row["key"] for row in settings if row["key"] not in dict(look_up(content, row["key"]))] == []
    rows = choices_section(params, paper)["tables"][0]["rows"]
    assert all(row["chosen"] for row in rows)


def test_an_unknown_name_is_refused_with_near_matches():
    with pytest.raises(ParameterError, match=r"report.published: unknown name 'chowdary2026'(.|\n)*'chowdhary2026'"):
        load_published("chowdary2026")


@pytest.mark.parametrize(
    ("metric", "most", "message"),
    [("hd59", 9.0, "unknown metric 'hd59'; did you mean 'hd95'"), ("dice", 9.0, "dice is at most 1, found 9")],
)
def test_published_metrics_of_segmentation_are_those_of_the_table(paper, metric, most, message):
    score = {"mean": 0.5, "min": 0.0, "max": most, "low": 0.4, "high": 0.6}
    with pytest.raises(ValidationError, match=message):
        Published.model_validate({**paper.model_dump(), "segment": {metric: score}})
    known = Published.model_validate({**paper.model_dump(), "segment": {"hd95": score}})
    assert known.segment["hd95"].max == 9.0


def test_the_default_parameters_name_a_published_file():
    name = load_params().report.published
    assert name is None or load_published(name).citation.year > 2000
