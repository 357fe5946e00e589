"""The headline: one question a task, one test, one correction over the claims."""

import numpy as np
import pandas as pd
import pytest

from busline.base.errors import ParameterError
from busline.base.settings.headline import Headline
from busline.evaluation.comparisons import Competitor
from busline.evaluation.headline import describe, described, make_claims, not_in_run, questions
from busline.metrics.comparison import corrected_t_test
from busline.splits import RESAMPLE
from made_inputs import small_params

MODELS = [("cnn", "a"), ("tabular", "b")]


def headline(*described, **tasks):
    content = {"classification": None, "segmentation": None}
    content["described"] = [dict(zip(("model", "metric", "against"), one, strict=True)) for one in described]
    for task, (model, metric, against) in tasks.items():
        content[task] = {"model": model, "metric": metric, "against": against}
    return Headline.model_validate(content)


def made_cases(seed, skill, folds=5, cases=20):
    generator = np.random.default_rng(seed)
    rows = [("cv", 0, fold, f"c{fold}_{case}", case % 2 == 0) for fold in range(folds) for case in range(cases)]
    table = pd.DataFrame(rows, columns=[*RESAMPLE, "case_id", "truth"])
    return table.assign(score=generator.normal(size=len(table)) + skill * table["truth"])


def made_outlines(seed, mean):
    generator = np.random.default_rng(seed)
    table = pd.DataFrame([("cv", 0, fold, f"c{fold}_{case}") for fold in range(5) for case in range(4)])
    table.columns = [*RESAMPLE, "case_id"]
    return table.assign(dice=generator.uniform(mean - 0.1, mean + 0.1, len(table)))


def models():
    found = {name: Competitor(made_cases(seed, 3.0 - 2.5 * seed), 0.25) for seed, name in enumerate(MODELS)}
    outlines = {("lesion_segment", "lesion"): 0.8, ("segment", "unet"): 0.6}
    found |= {name: Competitor(made_outlines(seed, mean), 0.3) for seed, (name, mean) in enumerate(outlines.items())}
    return found


def test_a_claim_is_the_corrected_t_test_of_the_folds_and_holm_is_over_the_claims():
    both = headline(
        classification=("cnn/a", "roc_auc", "tabular/b"), segmentation=("lesion_segment/lesion", "dice", "segment/unet")
    )
    claims = make_claims(both, models(), 0.95)
    for task in ("classification", "segmentation"):
        claim = claims[task]
        assert claim.folds == 5
        assert claim.low < claim.difference < claim.high
        assert claim.p_holm >= claim.p_value
        assert (claim.p_value < 0.05) == (claim.low > 0), "the interval is the test's"
    dice = [table.groupby(RESAMPLE)["dice"].mean() for table in (made_outlines(0, 0.8), made_outlines(1, 0.6))]
    by_hand = corrected_t_test(dice[0], dice[1], 0.3)
    assert claims["segmentation"].p_value == pytest.approx(by_hand.p_value)
    assert claims["segmentation"].difference == pytest.approx(by_hand.difference)
    least = min(claims.values(), key=lambda claim: claim.p_value)
    assert least.p_holm == pytest.approx(2 * least.p_value)
    alone = make_claims(headline(classification=("cnn/a", "roc_auc", "tabular/b")), models(), 0.95)
    assert alone["classification"].p_holm == alone["classification"].p_value


def test_a_question_without_its_models_or_without_a_rival_claims_nothing():
    claims = make_claims(headline(classification=("cnn/none", "roc_auc", "tabular/b")), models(), 0.95)
    assert (claims["classification"].difference, claims["classification"].p_holm) == (None, None)
    claims = make_claims(headline(classification=("cnn/a", "recall", None)), models(), 0.95)
    assert claims["classification"].p_value is None
    assert make_claims(headline(), models(), 0.95) == {}


def test_a_metric_that_the_outlines_lack_claims_nothing():
    asked = headline(segmentation=("lesion_segment/lesion", "hd95", "segment/unet"))
    assert make_claims(asked, models(), 0.95)["segmentation"].p_value is None


def test_models_that_a_run_will_not_have_are_named_and_a_name_that_never_is_refused():
    params = small_params(tabular__active=["dnn"])
    asked = headline(
        classification=("lesion/image", "roc_auc", "tabular/logreg"), segmentation=("segment/unet", "iou", None)
    )
    assert not_in_run(asked, params, 2) == ["tabular/logreg"]
    assert not_in_run(asked, params, 3) == ["lesion/image", "tabular/logreg"]
    with pytest.raises(ParameterError, match="(?s)headline.classification.model.*did you mean 'image_clinical'"):
        not_in_run(headline(classification=("lesion/image_clinicall", "roc_auc", None)), params, 2)


@pytest.mark.parametrize(
    ("task", "question", "words"),
    [
        ("classification", ("cn/a", "roc_auc", None), r"headline.classification.model.*did you mean 'cnn'"),
        ("classification", ("segment/unet", "roc_auc", None), "names no family of classification"),
        ("segmentation", ("segment/unet", "dice", "cnn/a"), "headline.segmentation.against"),
        ("classification", ("cnn/a", "dice", None), "is no metric of classification: 'dice'"),
        ("segmentation", ("segment/unet", "dyce", None), "did you mean 'dice'"),
        ("segmentation", ("segment/unet", "dice", "segment/unet"), "is the model itself"),
    ],
)
def test_a_question_that_cannot_be_is_refused(task, question, words):
    with pytest.raises(ParameterError, match=f"(?s){words}"):
        questions(headline(**{task: question}))


def test_a_described_pair_has_a_claims_figures_and_counts_for_no_correction():
    claimed = ("cnn/a", "roc_auc", "tabular/b")
    asked = headline(("segment/unet", "dice", "lesion_segment/lesion"), claimed, classification=claimed)
    claims, shown = make_claims(asked, models(), 0.95), describe(asked, models(), 0.95)
    assert claims["classification"].p_holm == claims["classification"].p_value
    assert shown[1] == claims["classification"].model_copy(update={"p_holm": None})
    assert shown[0].difference < 0
    assert describe(headline(claimed), {}, 0.95)[0].p_value is None


@pytest.mark.parametrize(
    ("question", "words"),
    [
        (("cn/a", "roc_auc", None), r"headline.described.0.model.*did you mean 'cnn'"),
        (("cnn/a", "dice", None), "headline.described.0.metric: is no metric of classification"),
        (("segment/unet", "dice", "cnn/a"), "headline.described.0.against: names no family of segmentation"),
    ],
)
def test_a_described_pair_that_cannot_be_is_refused(question, words):
    with pytest.raises(ParameterError, match=f"(?s){words}"):
        described(headline(question))


def test_a_described_pair_that_a_run_will_not_have_is_named():
    assert not_in_run(headline(("cnn/gone", "roc_auc", "tabular/dnn")), small_params(), 2) == ["cnn/gone"]
