import numpy as np
import pandas as pd
import pytest

from busline.base.errors import DataError
from busline.base.settings.data import Prune
from busline.cohort.schema import Column
from busline.studies.pruning import auc_alone, judge_columns

RULES = Prune(allowed_provenance=["patient"], max_missing=0.30, max_auc_alone=0.99)
CLASSES = ["benign", "malignant"]


def numeric(name, provenance="patient"):
    return Column(name=name, provenance=provenance, kind="numeric")


def categorical(name, provenance="patient"):
    return Column(name=name, provenance=provenance, kind="categorical")


def breast_like():
    """The counts of the BrEaST release: 256 cases, 98 without Symptoms, 46 without Signs, 42 without Age."""
    generator = np.random.default_rng(0)
    label = np.array(["benign"] * 154 + ["malignant"] * 98 + ["normal"] * 4)
    missing = {
        name: generator.permutation(256) < count for name, count in (("Symptoms", 98), ("Signs", 46), ("Age", 42))
    }
    age = generator.normal(50, 15, 256) + 12 * (label == "malignant")
    return pd.DataFrame(
        {
            "case_id": [str(number) for number in range(256)],
            "label": label,
            "Image_filename": [f"case{number}.png" for number in range(256)],
            "Age": pd.Series(age).mask(missing["Age"]),
            "Signs": pd.Series(np.where(generator.random(256) < 0.3, "palpable", "no"), dtype="str").mask(
                missing["Signs"]
            ),
            "Symptoms": pd.Series(["no"] * 256, dtype="str").mask(missing["Symptoms"]),
            "BIRADS": np.where(label == "malignant", "5", "2"),
            "Diagnosis": np.where(label == "malignant", "carcinoma", "cyst"),
        }
    )


COLUMNS = [
    categorical("Image_filename", "identifier"),
    numeric("Age"),
    categorical("Signs"),
    categorical("Symptoms"),
    categorical("BIRADS", "radiologist"),
    categorical("Diagnosis", "pathology"),
    categorical("label", "label"),
]


def test_the_rule_of_the_study_drops_symptoms_and_keeps_signs():
    verdicts = {verdict.name: verdict for verdict in judge_columns(breast_like(), COLUMNS, RULES, CLASSES, 0)}
    assert [name for name, verdict in verdicts.items() if verdict.kept] == ["Age", "Signs"]
    assert verdicts["Symptoms"].missing == pytest.approx(98 / 256)
    assert verdicts["Symptoms"].reason == "38.3% of its values are missing, more than 30.0%"
    assert verdicts["Signs"].missing == pytest.approx(46 / 256)
    assert verdicts["BIRADS"].reason == "provenance radiologist is not allowed"
    assert verdicts["BIRADS"].auc_alone == 1.0
    assert verdicts["label"].reason == "provenance label is never a feature"


def test_the_limit_itself_is_allowed():
    cases = pd.DataFrame({"label": ["benign"] * 10, "a": [None] * 3 + [1.0] * 7, "b": [None] * 4 + [1.0] * 6})
    verdicts = judge_columns(cases, [numeric("a"), numeric("b")], RULES, CLASSES, 0)
    assert [verdict.kept for verdict in verdicts] == [True, False]


def test_identifiers_and_labels_are_never_features_even_if_allowed():
    rules = Prune(allowed_provenance=["identifier", "label", "pathology"], max_missing=1.0, max_auc_alone=0.99)
    kept = [verdict.name for verdict in judge_columns(breast_like(), COLUMNS, rules, CLASSES, 0) if verdict.kept]
    assert kept == ["Diagnosis"]


def test_an_undeclared_column_stops_and_every_one_is_named():
    columns = [*COLUMNS, categorical("Hospital", None), categorical("Doctor", None)]
    with pytest.raises(DataError, match="column 'Hospital', 'Doctor': has no declared provenance"):
        judge_columns(breast_like(), columns, RULES, CLASSES, 0)


def test_the_auc_alone_is_of_the_studys_cases_only():
    cases = pd.DataFrame({"label": ["benign"] * 5 + ["malignant"] * 5 + ["normal"] * 90})
    cases["x"] = [0.0] * 5 + [1.0] * 5 + [np.nan] * 90
    (verdict,) = judge_columns(cases, [numeric("x")], RULES, CLASSES, 0)
    assert verdict.auc_alone == 1.0
    assert verdict.missing == 0.9


def test_three_classes_have_no_auc():
    (verdict,) = judge_columns(breast_like(), [numeric("Age")], RULES, ["benign", "malignant", "normal"], 0)
    assert verdict.auc_alone is None


def test_a_number_is_its_own_score_in_either_direction_with_the_median_for_missing():
    positive = np.array([False, False, True, True, True])
    values = pd.Series([1.0, 3.0, 2.0, 4.0, np.nan])  # the median of the known is 2.5
    # pairs (negative, positive): 1 below all three; 3 above 2 and 2.5, below 4 → 4 of 6
    assert auc_alone(values, "numeric", positive, 0) == pytest.approx(4 / 6)
    assert auc_alone(-values, "numeric", positive, 0) == pytest.approx(4 / 6)


def test_an_identifier_is_worth_nothing_although_it_can_be_memorised():
    positive = np.random.default_rng(0).random(200) < 0.4
    assert auc_alone(pd.Series([f"id{n}" for n in range(200)]), "categorical", positive, 0) == 0.5


def test_columns_of_chance_are_near_one_half_and_one_that_knows_is_one():
    generator = np.random.default_rng(0)
    positive = generator.random(200) < 0.4
    columns = [pd.Series(generator.choice(list("abc"), 200)) for _ in range(8)]
    chance = [auc_alone(column, "categorical", positive, 0) for column in columns]
    assert 0.45 < np.mean(chance) < 0.55
    assert auc_alone(pd.Series(np.where(positive, "yes", "no")), "categorical", positive, 0) == 1.0


def test_missing_is_a_category_of_its_own():
    positive = np.array([False] * 20 + [True] * 20)
    values = pd.Series(["a"] * 20 + [None] * 20, dtype="str")
    assert auc_alone(values, "categorical", positive, 0) == 1.0


def test_the_expected_auc_of_a_partly_knowing_column():
    """P(sign | malignant) = 0.6, P(sign | benign) = 0.1: AUC = ½ (1 + 0.6 − 0.1) = 0.75."""
    positive = np.array([False] * 100 + [True] * 100)
    values = pd.Series(["s"] * 10 + ["n"] * 90 + ["s"] * 60 + ["n"] * 40)
    assert auc_alone(values, "categorical", positive, 0) == pytest.approx(0.75, abs=1e-9)


@pytest.mark.parametrize("positives", [0, 1])
def test_too_few_cases_of_a_class_have_no_auc(positives):
    positive = np.arange(10) < positives
    assert auc_alone(pd.Series(range(10), dtype=float), "numeric", positive, 0) is None
    assert auc_alone(pd.Series([np.nan] * 10), "numeric", np.arange(10) < 5, 0) is None


def test_the_same_seed_gives_the_same_verdicts():
    first, second = (judge_columns(breast_like(), COLUMNS, RULES, CLASSES, 3) for _ in range(2))
    assert first == second


def tell_tales(share=0.0):
    """Two hundred cases with an age, and a column that repeats the label but in so many of them."""
    generator = np.random.default_rng(4)
    label = np.where(np.arange(200) % 5 < 2, "malignant", "benign")
    wrong = generator.permutation(200) < share * 200
    copy = np.where((label == "malignant") != wrong, "yes", "no")
    return pd.DataFrame(
        {"label": label, "Age": generator.normal(50, 10, 200), "lump": copy, "score": (copy == "yes") * 1.0}
    )


@pytest.mark.parametrize("told", [categorical("lump"), numeric("score"), categorical("lump", "radiologist")])
def test_a_kept_column_that_tells_the_diagnosis_stops(told):
    rules = RULES.model_copy(update={"allowed_provenance": ["patient", "radiologist"]})
    with pytest.raises(DataError, match=rf"column '{told.name}' \(1\.000\): tells the diagnosis") as refused:
        judge_columns(tell_tales(), [numeric("Age"), told], rules, CLASSES, 0)
    assert "Age" not in str(refused.value)
    assert "prune.max_auc_alone" in str(refused.value)


def test_a_copy_of_three_labels_stops_too():
    cases = tell_tales().assign(label=np.repeat(["benign", "malignant", "normal", "benign"], 50))
    with pytest.raises(DataError, match="tells the diagnosis"):
        judge_columns(
            cases.assign(copy=cases["label"]), [categorical("copy")], RULES, ["normal", "benign", "malignant"], 0
        )


def test_a_column_that_is_dropped_allowed_as_pathology_or_wrong_at_times_does_not_stop():
    pathology = RULES.model_copy(update={"allowed_provenance": ["pathology"]})
    assert judge_columns(tell_tales(), [categorical("lump", "pathology")], pathology, CLASSES, 0)[0].kept
    assert not judge_columns(tell_tales(), [categorical("lump", "radiologist")], RULES, CLASSES, 0)[0].kept
    assert judge_columns(tell_tales(0.05), [categorical("lump")], RULES, CLASSES, 0)[0].kept
    few = tell_tales().iloc[:24]
    assert (few["label"] == "malignant").sum() == 10
    assert judge_columns(few.iloc[:21], [categorical("lump")], RULES, CLASSES, 0)[0].kept
    with pytest.raises(DataError, match="tells the diagnosis"):
        judge_columns(few, [categorical("lump")], RULES, CLASSES, 0)
    anything = RULES.model_copy(update={"max_auc_alone": 1.0})
    assert judge_columns(tell_tales(), [categorical("lump")], anything, CLASSES, 0)[0].kept


def test_a_column_of_one_value_is_dropped_and_one_with_missing_values_is_not():
    cases = pd.DataFrame(
        {
            "label": ["benign", "malignant"] * 5,
            "a": [1.0] * 10,
            "b": ["no"] * 10,
            "c": [None, *["no"] * 9],
            "d": [None] * 10,
        }
    )
    columns = [numeric("a"), categorical("b"), categorical("c"), numeric("d")]
    verdicts = judge_columns(cases, columns, RULES, CLASSES, 0)
    assert [verdict.kept for verdict in verdicts] == [False, False, True, False]
    assert verdicts[0].reason == "it has the same value in every case"
    assert verdicts[3].reason == "100.0% of its values are missing, more than 30.0%"
