"""A folder whose lesions are shapes of an annotation tool becomes a cohort by dataset.yaml alone."""

import json

import numpy as np
import pytest
from PIL import Image

from busline.base.artifacts import load_json
from busline.base.errors import DataError
from helpers_cohort import SETTINGS, draw_image, files_of, ingest_own
from made_outlines import (
    SIZE,
    area_of,
    coco,
    labelme,
    lesion,
    supervisely,
    to_runs,
    via,
    via_polygon,
    write_own,
    yolo,
)

RINGS = {"a": lesion(), "b": lesion(220, 130, 60)}
SHARES = {name: area_of(ring) / (SIZE[0] * SIZE[1]) for name, ring in RINGS.items()} | {"n": 0}
FLAT = {f"images/{name}.png": [ring.ravel().tolist()] for name, ring in RINGS.items()}
DISC = np.hypot(*(np.mgrid[:300, :400] - np.array([150, 200])[:, None, None])) < 60
WHOLE = SETTINGS.model_copy(update={"max_side": 400, "max_pixels": 1_000_000})
LAYOUTS = {
    "coco": ({"ann.json": coco(FLAT)}, {"file": "ann.json", "format": "coco"}),
    "labelme": (
        {f"ann/{n}.json": labelme([{"points": r.tolist()}], f"..\\images\\{n}.png") for n, r in RINGS.items()},
        {"file": "ann/{case}.json", "format": "labelme"},
    ),
    "via": (
        {"via.json": via({f"{name}.png": [via_polygon(ring)] for name, ring in RINGS.items()} | {"n.png": []})},
        {"file": "via.json", "format": "via", "classes": ["lesion"]},
    ),
    "supervisely": (
        {f"ann/{n}.png.json": supervisely([{"points": {"exterior": r.tolist()}}]) for n, r in RINGS.items()}
        | {"ann/n.png.json": supervisely([])},
        {"file": "ann/{image}.json", "format": "supervisely"},
    ),
    "yolo": (
        {f"labels/{name}.txt": yolo(ring) for name, ring in RINGS.items()} | {"data.yaml": "names: [lesion, cyst]\n"},
        {"file": "labels/{image.stem}.txt", "format": "yolo", "classes": ["lesion"], "names": "data.yaml"},
    ),
}


def card(folder):
    return load_json(folder.parent / "cohort/card.json")


def refusal(folder):
    with pytest.raises(DataError) as error:
        ingest_own(folder, WHOLE)
    return str(error.value)


def make(tmp_path, files, **outlines):
    masks = outlines.pop("masks", None)
    return write_own(tmp_path / "own", files, outlines=outlines, **({"masks": masks} if masks else {}))


@pytest.mark.parametrize("name", LAYOUTS)
def test_every_format_gives_the_areas_of_its_lines(tmp_path, name):
    files, outlines = LAYOUTS[name]
    own = make(tmp_path, files, **outlines)
    cohort = ingest_own(own, WHOLE)
    assert list(cohort.cases["case_id"]) == ["a", "b", "n"]
    assert list(cohort.cases["has_mask"]) == [True, True, False]
    for index, case in enumerate("abn"):
        assert (cohort.mask(index) > 0).mean() == pytest.approx(SHARES[case], rel=1e-3)
    assert card(own)["doubts"]["lines"] == []
    copied = {path for path in files_of(tmp_path / "raw") if not path.endswith(".png")}
    assert copied == {"dataset.yaml", "table.csv", *files}


def test_runs_in_both_forms(tmp_path):
    runs = {"size": [300, 400], "counts": to_runs(DISC)}
    own = make(tmp_path, {"ann.json": coco(FLAT | {"images/a.png": runs})}, file="ann.json", format="coco")
    np.testing.assert_array_equal(ingest_own(own, WHOLE).mask(0) > 0, DISC)


def test_only_named_files_are_copied(tmp_path):
    files, outlines = LAYOUTS["labelme"]
    make(tmp_path, files | {"ann/unnamed.json": "{}", "ann/notes.txt": "private"}, **outlines)
    ingest_own(tmp_path / "own", WHOLE)
    assert not [path for path in files_of(tmp_path / "raw") if "unnamed" in path or "notes" in path]


def test_classes_are_said_where_there_are_several(tmp_path):
    content = coco(FLAT)
    content["categories"].append({"id": 8, "name": "axilla"})
    axilla = lesion(320, 60, 30)
    both = SHARES["a"] + area_of(axilla) / (SIZE[0] * SIZE[1])
    node = {"id": 9, "image_id": 0, "category_id": 8, "segmentation": [axilla.ravel().tolist()]}
    content["annotations"].append(node)
    own = make(tmp_path, {"ann.json": content}, file="ann.json", format="coco")
    assert "shapes of 2 classes: axilla, lesion\n  to mend:  say which" in refusal(own)
    for classes, share in (["lesion"], SHARES["a"]), (["lesion", "axilla"], both):
        folder = make(tmp_path / classes[-1], {"ann.json": content}, file="ann.json", format="coco", classes=classes)
        assert (ingest_own(folder, WHOLE).mask(0) > 0).mean() == pytest.approx(share, rel=1e-3)
    folder = make(tmp_path / "x", {"ann.json": content}, file="ann.json", format="coco", classes=["lesions"])
    assert "no shape is of class 'lesions'" in refusal(folder)
    assert "did you mean 'lesion'" in refusal(folder)
    folder = make(tmp_path / "y", {"ann.json": content}, file="ann.json", format="coco", classes=["axilla"])
    assert "row 3 (case b): outline in ann.json is not there: the image has shapes of class lesion only" in refusal(
        folder
    )


def test_a_lesion_without_a_shape_is_refused_and_a_normal_case_without_is_not(tmp_path):
    own = make(tmp_path, {"ann.json": coco({"a.png": FLAT["images/a.png"]})}, file="ann.json", format="coco")
    text = refusal(own)
    assert "row 3 (case b): outline in ann.json is not there: no entry has the name of the image; expected one" in text
    assert "1 problem" in text
    content = coco({"a.png": FLAT["images/a.png"], "0f3e-b.png": FLAT["images/b.png"]})
    (own / "ann.json").write_text(json.dumps(content))
    assert "no entry has the name of the image (names of no image: '0f3e-b.png' …)" in refusal(own)


def test_a_file_an_image_is_needed_where_there_is_a_lesion(tmp_path):
    files, outlines = LAYOUTS["labelme"]
    own = make(tmp_path, {"ann/a.json": files["ann/a.json"]}, **outlines)
    assert "ann/b.json: is missing" in refusal(own)


@pytest.mark.parametrize("name", ["coco", "labelme", "via", "yolo"])
def test_boxes_alone_are_no_outlines(tmp_path, name):
    files, outlines = LAYOUTS[name]
    files = json.loads(json.dumps(files))
    if name == "coco":
        files["ann.json"]["annotations"][0]["segmentation"] = []
    elif name == "labelme":
        files["ann/a.json"]["shapes"] = [{"label": "lesion", "shape_type": "rectangle", "points": [[1, 2], [30, 40]]}]
    elif name == "via":
        files["via.json"]["a.png99"]["regions"][0]["shape_attributes"] = {"name": "rect", "x": 1}
    else:
        files["labels/a.txt"] = "0 0.5 0.5 0.1 0.2\n"
    text = refusal(make(tmp_path, files, **outlines))
    assert "row 2 (case a): outline in" in text
    assert "shapes of kind box only; boxes are no outlines: draw round the lesion, or leave `outlines` out" in text
    assert "1 problem" in text


def test_a_box_beside_an_outline_is_left_and_counted(tmp_path):
    files, outlines = LAYOUTS["yolo"]
    own = make(tmp_path, files | {"labels/a.txt": files["labels/a.txt"] + "0 0.5 0.5 0.9 0.9\n"}, **outlines)
    assert (ingest_own(own, WHOLE).mask(0) > 0).mean() == pytest.approx(SHARES["a"], rel=1e-3)
    note = "outlines: images that have boxes, points or lines beside their outlines, not used: 1"
    assert note in card(own)["notes"]


def test_entries_of_images_in_no_row_are_counted(tmp_path):
    own = make(tmp_path, {"ann.json": coco(FLAT | {"z.png": [[1, 2, 3, 4, 5, 9]]})}, file="ann.json", format="coco")
    ingest_own(own, WHOLE)
    assert "outlines: entries of images that are in no row, not used: 1" in card(own)["notes"]


def test_a_class_that_is_another_label_than_the_rows_is_named(tmp_path):
    content = coco(FLAT)
    content["categories"] = [{"id": 7, "name": "Malignant"}]
    own = make(tmp_path, {"ann.json": content}, file="ann.json", format="coco")
    ingest_own(own, WHOLE)
    assert card(own)["notes"] == ["outlines: 1 cases of another label have shapes of class malignant: a"]


def test_two_entries_of_one_image_are_refused(tmp_path):
    content = coco(FLAT)
    content["images"].append(content["images"][0] | {"id": 5})
    own = make(tmp_path, {"ann.json": content}, file="ann.json", format="coco")
    assert "case a): outline in ann.json is in doubt: 2 entries are called 'images/a.png'" in refusal(own)


def test_another_image_size_is_refused_and_scaled_when_said(tmp_path):
    doubled = {name: [(np.array(parts[0]) * 2).tolist()] for name, parts in FLAT.items()}
    files = {"ann.json": coco(doubled, (800, 600))}
    own = make(tmp_path, files, file="ann.json", format="coco")
    assert "outline in ann.json has 800 × 600 pixels, its image 400 × 300; expected the same size" in refusal(own)
    own = make(tmp_path / "said", files, file="ann.json", format="coco", masks={"resize": True})
    assert (ingest_own(own, WHOLE).mask(0) > 0).mean() == pytest.approx(SHARES["a"], rel=2e-3)
    assert card(own)["doubts"]["cases"] == {"resized_mask": ["a", "b"]}
    files = {"ann.json": coco(doubled, (800, 500))}
    own = make(tmp_path / "aspect", files, file="ann.json", format="coco", masks={"resize": True})
    assert "expected the same size\n" in refusal(own)


def test_coordinates_of_another_size_are_refused_where_no_size_is_kept(tmp_path):
    shapes = {f"{name}.png": [via_polygon(ring * 2)] for name, ring in RINGS.items()}
    own = make(tmp_path, {"via.json": via(shapes)}, file="via.json", format="via")
    assert (
        "outline in via.json has a point at (336.13, 420.56), far outside of its image of 400 × 300 pixels"
        in refusal(own)
    )


def test_a_normal_case_with_a_shape_is_refused_or_ignored(tmp_path):
    files = {"ann.json": coco(FLAT | {"n.png": FLAT["images/a.png"]})}
    own = make(tmp_path, files, file="ann.json", format="coco")
    assert "row 4 (case n): is normal, but outline in ann.json marks a lesion" in refusal(own)
    own = make(tmp_path / "said", files, file="ann.json", format="coco", masks={"of_normal": "ignore"})
    assert not ingest_own(own, WHOLE).mask(2).any()
    assert card(own)["doubts"]["cases"]["ignored_mask"] == ["n"]
    files["ann.json"]["annotations"][2]["segmentation"] = [[1, 2]]
    own = make(tmp_path / "broken", files, file="ann.json", format="coco", masks={"of_normal": "ignore"})
    assert not ingest_own(own, WHOLE).mask(2).any()


def test_a_file_of_another_row_is_refused_and_a_new_name_counted(tmp_path):
    files, outlines = LAYOUTS["labelme"]
    swapped = files | {"ann/a.json": files["ann/b.json"]}
    text = refusal(make(tmp_path, swapped, **outlines))
    assert "row 2 (case a): outline in ann/a.json is of image 'b.png', that of row 3 (case b)" in text
    renamed = files | {"ann/a.json": files["ann/a.json"] | {"imagePath": "IMG_7.jpg"}}
    own = make(tmp_path / "renamed", renamed, **outlines)
    ingest_own(own, WHOLE)
    assert "outlines: files that name an image of another name than that of their row: 1" in card(own)["notes"]


def test_one_file_for_two_images_is_refused(tmp_path):
    files, outlines = LAYOUTS["yolo"]
    own = make(tmp_path, files, **outlines)
    (own / "images/b.png").rename(own / "images/a.jpg")
    Image.fromarray(draw_image(1, SIZE)).save(own / "images/a.jpg", "JPEG")
    (own / "table.csv").write_text((own / "table.csv").read_text().replace("images/b.png", "images/a.jpg"))
    text = refusal(own)
    assert "case a): outline in labels/a.txt is of several images: images/a.jpg, images/a.png; expected a file" in text


def test_masks_of_shapes_are_as_plausible_as_other_masks(tmp_path):
    box = np.array([[60, 60], [200, 60], [200, 200], [60, 200]])
    whole = np.array([[0, 0], [400, 0], [400, 300], [0, 300]])
    shapes = {"a.png": [via_polygon(box)], "b.png": [via_polygon(whole)]}
    own = make(tmp_path, {"via.json": via(shapes)}, file="via.json", format="via")
    assert "row 3 (case b): outline in via.json marks the whole image" in refusal(own)
    shapes["b.png"] = [via_polygon(lesion(200, 150, 10) * [1, 1] + [0.1, 0]), via_polygon(RINGS["b"])]
    own = make(tmp_path / "boxes", {"via.json": via(shapes)}, file="via.json", format="via")
    ingest_own(own, WHOLE)
    assert card(own)["doubts"]["cases"] == {"rectangular_outline": ["a"]}


def test_a_ring_is_refused_and_filled_when_said(tmp_path):
    ring = DISC & ~(np.hypot(*(np.mgrid[:300, :400] - np.array([150, 200])[:, None, None])) < 57)
    runs = {"size": [300, 400], "counts": to_runs(ring)}
    files = {"ann.json": coco(FLAT | {"images/a.png": runs, "images/b.png": runs})}
    own = make(tmp_path, files, file="ann.json", format="coco")
    assert "case a): outline in ann.json is an outline; say masks.form: outline" in refusal(own)
    own = make(tmp_path / "said", files, file="ann.json", format="coco", masks={"form": "outline"})
    np.testing.assert_array_equal(ingest_own(own, WHOLE).mask(0) > 0, DISC)


def test_a_file_of_all_images_that_is_broken_is_named(tmp_path):
    own = make(tmp_path, {"ann.json": '{"images": [1,'}, file="ann.json", format="coco")
    assert "ann.json: is no JSON, or was cut" in refusal(own)
    assert "expected: outlines of the format coco" in refusal(own)
    (own / "ann.json").unlink()
    assert "ann.json: is missing" in refusal(own)


def test_a_case_id_cannot_lead_out_of_the_folder(tmp_path):
    files, outlines = LAYOUTS["labelme"]
    own = make(tmp_path, files, **outlines)
    table = (own / "table.csv").read_text()
    (own / "table.csv").write_text(table.replace("\na,", "\n~a,"))
    (own / "dataset.yaml").write_text((own / "dataset.yaml").read_text().replace("ann/{case}.json", "'{case}.json'"))
    assert "row 2 (case ~a): outlines.file: file name '~a.json' is an absolute path" in refusal(own)


def test_an_image_that_was_turned_is_named(tmp_path):
    own = make(tmp_path, {"ann.json": coco(FLAT)}, file="ann.json", format="coco")
    exif = Image.Exif()
    exif[0x0112] = 3
    Image.fromarray(draw_image(0, SIZE)).save(own / "images/a.png", exif=exif)
    ingest_own(own, WHOLE)
    assert card(own)["doubts"]["cases"] == {"turned_image": ["a"]}
