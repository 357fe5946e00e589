import json
from dataclasses import replace

import pytest
from made_report import edited, with_scores

from busline.base.settings.data import Cohort, Data
from busline.base.settings.segmentation import Segmentation
from busline.report.comparison import segmentation_notes
from busline.report.render import show_cell
from busline.report.summarise import summarise


def tables_of(summary):
    return {table["id"]: table for section in summary["sections"] for table in section["tables"]}


def row_of(table, **labels):
    (row,) = (row for row in table["rows"] if all(row.get(key) == value for key, value in labels.items()))
    return row


def test_a_row_holds_the_papers_figure_and_ours_with_its_interval(inputs):
    model = inputs.scores.classifiers["tabular"]["logreg"]
    score = model.metrics["roc_auc"]
    row = row_of(tables_of(summarise(inputs))["table4"], model="Logistic regression", metric="ROC AUC")
    assert row["status"] == "run"
    assert row["paper"] == {"mean": 0.80, "low": 0.78, "high": 0.82}
    assert row["ours"] == score.mean
    assert row["interval"] == [score.low, score.high]
    assert row["master"] == model.master.score("roc_auc") is not None
    assert row["folds"] == "3"


def test_a_model_of_the_paper_that_did_not_run_says_so(inputs):
    table = tables_of(summarise(inputs))["table7"]
    row = row_of(table, model="MobileNetV2 (ImageNet)")
    assert row == {
        "model": "MobileNetV2 (ImageNet)",
        "paper": {"mean": 0.70, "low": 0.68, "high": 0.71},
        "status": "not run",
    }
    cells = {column["key"]: show_cell(row, column) for column in table["columns"]}
    assert cells["ours"] == "not run"
    assert cells["interval"] == cells["folds"] == "–"


def test_files_of_weights_that_a_study_began_without_are_named(inputs):
    weights = inputs.params.weights.model_copy(update={"missing": ["mobilenet_v2"]})
    found = summarise(replace(inputs, params=inputs.params.model_copy(update={"weights": weights})))["notices"]
    (text,) = [one["text"] for one in found if one["title"] == "Without initial weights."]
    assert "mobilenet_v2" in text
    assert "Without initial weights." not in [one["title"] for one in summarise(inputs)["notices"]]


def test_a_model_the_paper_lacks_has_a_row_too(inputs):
    tables = tables_of(summarise(inputs))
    assert row_of(tables["table7"], model="tiny_net")["paper"] is None
    assert row_of(tables["table8"], model="Random forest + tiny_net")["paper"] is None
    assert row_of(tables["table5"], hidden=8, dropout=0.1)["ours"] is not None


def test_every_line_of_the_paper_and_of_ours_has_one_row(inputs):
    tables = tables_of(summarise(inputs))
    lines = {f"table{number}": len(tables[f"table{number}"]["rows"]) for number in range(4, 10)}
    assert lines == {"table4": 6 * 6 + 1, "table5": 10, "table6": 4, "table7": 4, "table8": 15 + 2 + 3 + 1, "table9": 6}


def test_votes_have_weights_of_folds_and_master_split_and_half_beside(inputs):
    tables = tables_of(summarise(inputs))
    vote = inputs.scores.pairs["vote"]["random_forest+custom_cnn"]
    row = row_of(tables["table8"], model="Random forest + Custom CNN")
    assert row["paper"] == {"mean": 0.95}
    assert row["half"] == vote.half["roc_auc"].mean
    weights = row_of(tables["weights"], model="Random forest + Custom CNN")
    assert weights == {
        "model": "Random forest + Custom CNN",
        "paper_weight": 0.764,
        "median": 0.6,
        "range": [0.6, 0.6],
        "master": 0.6,
        "best": [0.5, 0.7],
        "n": 9,
    }


def test_segmentation_shows_the_range_of_cases_and_undefined_ones(inputs):
    inputs = edited(inputs, "segment", "unet", "cases", "dice", count=47, undefined=1)
    row = row_of(tables_of(summarise(inputs))["table9"], metric="Dice")
    cases = inputs.scores.segmentations["segment"]["unet"].cases["dice"]
    assert (row["paper_min"], row["paper_max"], row["min"], row["max"]) == (0.0, 0.93, cases.min, cases.max)
    assert row["cases"] == "47 of 48"


def test_distances_stand_below_the_papers_metrics_with_unit_and_cases_left_out(inputs):
    for family, model in (("segment", "unet"), ("lesion_segment", "lesion")):
        inputs = edited(inputs, family, model, "cases", "hd95", count=45, undefined=3)
    summary = summarise(inputs)
    tables = tables_of(summary)
    row = row_of(tables["table9"], metric="HD95 (mm)")
    score = inputs.scores.segmentations["segment"]["unet"].metrics["hd95"]
    assert (row["paper"], row["ours"], row["cases"]) == (None, score.mean, "45 of 48")
    assert row["interval"] == [score.low, score.high]
    assert score.high > 1.0
    assert [line["metric"] for line in tables["table9"]["rows"]][-2:] == ["HD95 (mm)", "ASSD (mm)"]
    lesion = row_of(tables["lesion_outlines"], metric="HD95 (mm)", model="Lesion network")
    assert (lesion["ours"], lesion["cases"]) == (2.0, "45 of 48")
    for name in ("table9", "lesion_outlines"):
        assert "Of HD95 (mm) and ASSD (mm) less is better." in tables[name]["caption"]
        assert "left out of the mean and counted" in tables[name]["caption"]
    assert [column["head"] for column in tables["segmented"]["columns"]][-2:] == ["HD95 (mm)", "ASSD (mm)"]
    gallery = next(part for part in summary["sections"] if part["id"] == "cases")["galleries"][0]
    assert "HD95 (mm) 1.75, ASSD (mm) n/a." in gallery["pictures"][0]["caption"]


def test_distances_in_pixels_say_so(inputs):
    content = inputs.scores.model_dump()
    for family, model in (("segment", "unet"), ("lesion_segment", "lesion")):
        for part in ("metrics", "cases"):
            scores = content[family][model][part]
            for name in ("hd95", "assd"):
                scores[f"{name}_px"] = scores.pop(name)
    table = tables_of(summarise(with_scores(inputs, content)))["table9"]
    assert [line["metric"] for line in table["rows"]][-2:] == ["HD95 (px)", "ASSD (px)"]
    assert "px are pixels of the stored image" in table["caption"]


def test_undefined_is_told_from_absent(inputs):
    undefined = {"mean": None, "low": None, "high": None, "folds": 0, "undefined": 3}
    inputs = edited(inputs, "tabular", "logreg", "metrics", "roc_auc", **undefined)
    table = tables_of(summarise(inputs))["table4"]
    row = row_of(table, model="Logistic regression", metric="ROC AUC")
    cells = {column["key"]: show_cell(row, column) for column in table["columns"]}
    assert cells["ours"] == cells["interval"] == "n/a"
    assert cells["folds"] == "0 of 3"
    specificity = row_of(table, model="Logistic regression", metric="Specificity")
    assert show_cell(specificity, table["columns"][2]) == "–"


def test_phantoms_are_called_synthetic_and_the_software_no_device(inputs):
    notices = {notice["title"]: notice for notice in summarise(inputs)["notices"]}
    assert notices["Synthetic data."]["kind"] == "warning"
    assert "only that the machinery works" in notices["Synthetic data."]["text"]
    assert "not a medical device" in notices["Research only."]["text"]
    assert "of 37 differ" in notices["Not the published protocol."]["text"]


def about(inputs, source, active=("main",)):
    """The inputs of a study whose main cohort is of a source, beside further active ones."""
    cohorts = {name: Cohort(source=source) for name in active}
    data = Data(main="main", active=list(active), cohorts=cohorts, folders={})
    return replace(inputs, params=inputs.params.model_copy(update={"data": data}))


@pytest.mark.parametrize(("source", "title"), [("breast", None), ("folder", "Other data than the paper's.")])
def test_only_the_papers_own_data_are_compared(inputs, source, title):
    summary = summarise(about(inputs, source))
    warnings = [notice["title"] for notice in summary["notices"] if notice["kind"] == "warning"]
    assert warnings == ([title] if title else [])
    table = tables_of(summary)["table4"]
    assert ("agrees" in {column["key"] for column in table["columns"]}) == (source == "breast")


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [(0.70, 0.796, "yes"), (0.70, 0.794, "no"), (0.804, 0.9, "yes"), (0.806, 0.9, "no"), (None, None, "–")],
)
def test_agreement_allows_for_the_papers_rounding(inputs, low, high, verdict):
    inputs = edited(inputs, "tabular", "logreg", "metrics", "roc_auc", low=low, high=high)
    summary = summarise(about(inputs, "breast"))
    row = row_of(tables_of(summary)["table4"], model="Logistic regression", metric="ROC AUC")
    assert row["agrees"] == verdict  # the paper: 0.80


def test_settings_that_differ_from_the_paper_come_first(inputs):
    rows = tables_of(summarise(inputs))["settings"]["rows"]
    same = [row["same"] for row in rows]
    assert same == sorted(same)
    assert row_of(tables_of(summarise(inputs))["settings"], key="cv.folds") == {
        "key": "cv.folds",
        "theirs": "5",
        "ours": "3",
        "same": "no",
    }


def test_open_choices_show_the_values_in_use(inputs):
    train = inputs.params.train.model_copy(update={"stop_patience": 77})
    summary = summarise(replace(inputs, params=inputs.params.model_copy(update={"train": train})))
    chosen = [row["chosen"] for row in tables_of(summary)["choices"]["rows"]]
    assert "train.stop_patience = 77" in chosen
    assert any("cnn.models.custom_cnn.batch_size = " in text for text in chosen)


def test_segmentation_notes_follow_the_network_that_ran(inputs):
    seg = inputs.params.seg
    random = segmentation_notes(seg)
    assert "6,628,945" in random[0]
    assert "9,133,667" in random[0]
    assert "random weights" in random[1]
    frozen = seg.model_copy(update={"weights": "imagenet", "freeze_encoder": True})
    assert len(segmentation_notes(frozen)) == 1
    (own,) = segmentation_notes(frozen.model_copy(update={"architecture": "transposed_unet"}))
    assert "that of the paper's Table 3" in own
    assert "9,130,785" in own
    other = seg.model_copy(update={"encoder": "resnet18"})
    assert "resnet18" in segmentation_notes(other)[0]


def with_segmenters(inputs, active, **models):
    seg = inputs.params.seg
    seg = Segmentation.model_validate({**seg.model_dump(), "active": active, "models": models})
    return replace(inputs, params=inputs.params.model_copy(update={"seg": seg}))


def test_beside_the_papers_stands_the_first_active_segmenter_and_the_outlines_list_all(inputs):
    content = inputs.scores.model_dump()
    content["segment"]["other"] = json.loads(json.dumps(content["segment"]["unet"]))
    content["segment"]["other"]["metrics"]["dice"]["mean"] = 0.123
    inputs = with_scores(inputs, content)
    tables = tables_of(summarise(with_segmenters(inputs, ["other", "unet"], other={"encoder": "resnet18"}, unet={})))
    assert row_of(tables["table9"], metric="Dice")["ours"] == 0.123
    assert any("resnet18" in note for note in tables["table9"]["notes"])
    assert row_of(tables["settings"], key="seg.encoder")["ours"] == "resnet18"
    names = [row["model"] for row in tables["lesion_outlines"]["rows"] if row["metric"] == "Dice"]
    assert names == ["Lesion network", "Segmentation network: unet", "Segmentation network: other"]
    tables = tables_of(summarise(with_segmenters(inputs, ["unet", "other"], other={"encoder": "resnet18"}, unet={})))
    assert row_of(tables["table9"], metric="Dice")["ours"] == content["segment"]["unet"]["metrics"]["dice"]["mean"]
    assert row_of(tables["settings"], key="seg.encoder")["ours"] == "mobilenet_v2"


def test_without_an_active_segmenter_the_papers_stands_alone(inputs):
    content = inputs.scores.model_dump()
    content.pop("segment")
    tables = tables_of(summarise(with_segmenters(with_scores(inputs, content), [], unet={})))
    assert {row["status"] for row in tables["table9"]["rows"]} == {"not run"}
    assert not any("6,628,945" in note for note in tables["table9"]["notes"])


def test_the_parameter_counts_in_the_notes_are_those_of_the_networks():
    from busline.models.segmentation import build_segmenter

    network = build_segmenter("unet", "mobilenet_v2", 64)
    assert sum(parameter.numel() for parameter in network.parameters()) == 6_628_945
    network = build_segmenter("transposed_unet", "mobilenet_v2", 64)
    state = network.state_dict()
    counted = [value.numel() for name, value in state.items() if not name.endswith("num_batches_tracked")]
    assert sum(counted) == 9_130_785


def test_verdicts_and_checks_are_shown_whole(inputs):
    tables = tables_of(summarise(inputs))
    assert [(row["name"], row["kept"], row["auc_alone"]) for row in tables["verdicts"]["rows"]] == [
        ("Age", "yes", 0.71),
        ("BIRADS", "no", 0.93),
        ("CaseID", "no", None),
    ]
    assert tables["roles"]["rows"] == [{"role": "test", "label": "benign", "min": 6, "max": 11}]


def said(inputs):
    return " ".join(text for part in summarise(inputs)["sections"] if part["id"] == "data" for text in part["text"])


def test_pairs_across_cohorts_are_counted_where_there_are_cohorts(inputs):
    assert "two of them" not in said(replace(about(inputs, "folder"), overlap=3))
    text = said(replace(about(inputs, "folder", ("main", "other")), overlap=3))
    assert "Active cohorts: main, other. Pairs of the same or nearly the same image in two of them: 3." in text


def test_without_a_paper_ours_stands_alone(inputs):
    summary = summarise(replace(inputs, published=None))
    tables = tables_of(summary)
    assert "settings" not in tables
    assert "choices" not in tables
    assert "paper_interval" not in tables
    assert {row["status"] for row in tables["table7"]["rows"]} == {"run"}
    assert all("paper" not in column["key"] for table in tables.values() for column in table["columns"])


def test_families_that_did_not_run_are_left_to_the_paper(inputs):
    content = inputs.scores.model_dump()
    for family in ("cnn", "merged", "vote", "segment", "comparisons"):
        content.pop(family)
    tables = tables_of(summarise(with_scores(inputs, content)))
    assert {row["status"] for row in tables["table9"]["rows"]} == {"not run"}
    assert tables["weights"]["rows"] == []


def test_fewer_repeats_of_image_networks_are_said(inputs):
    summary = summarise(edited(inputs, "protocol", repeats=10, image_repeats=1))
    assert "folds × 10 repeats, networks of images × 1 repeat" in summary["subtitle"]


def test_what_the_data_card_doubts_is_said(inputs):
    assert "To look at" not in said(inputs)
    inputs.card["doubts"]["lines"] = ["the image spans few gray levels: 7"]
    assert "To look at: the image spans few gray levels: 7." in said(inputs)
    inputs.card.update(left_out={"": 3}, excluded={"c7": "blurred"})
    assert "Left out: rows labelled “”, 3. Excluded: c7 (blurred)." in said(inputs)
