"""Each format: what it holds becomes the shapes that its tool means."""

import json

import numpy as np
import pytest

from busline.cohort.formats.annotations.coco import read_coco
from busline.cohort.formats.annotations.draw import draw_outline
from busline.cohort.formats.annotations.labelme import read_labelme
from busline.cohort.formats.annotations.supervisely import read_supervisely
from busline.cohort.formats.annotations.via import read_via
from busline.cohort.formats.annotations.yolo import read_class_names, read_yolo
from busline.cohort.shapes import Outline
from made_outlines import (
    SIZE,
    area_of,
    coco,
    labelme,
    lesion,
    supervisely,
    to_png,
    to_text,
    via,
    via_polygon,
    yolo,
)

SHAPE = SIZE[::-1]
RING = lesion()
SHAPES = tuple(mark.shape for mark in read_labelme(labelme([{"points": RING.tolist()}]))[0].marks)
LESION, _ = draw_outline(Outline("", SHAPES), SHAPE, 10**6)


def area(entry):
    mask, _ = draw_outline(
        Outline("", tuple(mark.shape for mark in entry.marks), entry.size, entry.relative), SHAPE, 10**6
    )
    return mask.sum()


def centres_inside(radius_x, radius_y, turned=0.0):
    """Count the pixels whose centre lies in an ellipse round (200, 150)."""
    rows, columns = np.mgrid[: SHAPE[0], : SHAPE[1]] + 0.5
    x, y = columns - 200, rows - 150
    along, across = x * np.cos(turned) + y * np.sin(turned), y * np.cos(turned) - x * np.sin(turned)
    return np.count_nonzero((along / radius_x) ** 2 + (across / radius_y) ** 2 < 1)


def only(entries):
    assert len(entries) == 1
    return entries[0]


def problem(entry):
    assert entry.marks[-1].shape is None
    return entry.marks[-1].problem


def test_areas_are_those_of_the_line_to_a_thousandth():
    flat = RING.ravel().tolist()
    entries = {
        "coco": read_coco(coco({"a.png": [flat]})),
        "labelme": read_labelme(labelme([{"points": RING.tolist()}])),
        "via": read_via(via({"a.png": [via_polygon(RING)]})),
        "supervisely": read_supervisely(supervisely([{"points": {"exterior": RING.tolist(), "interior": []}}])),
        "yolo": read_yolo(yolo(RING)),
    }
    for name, found in entries.items():
        assert area(only(found)) == pytest.approx(area_of(RING), rel=1e-3), name


def test_labelme_circles_and_masks():
    circle = {"shape_type": "circle", "points": [[200, 150], [230, 190]]}
    assert area(only(read_labelme(labelme([circle])))) == pytest.approx(np.pi * 50**2, rel=1e-3)
    part = LESION[60:240, 80:290]
    mask = {"shape_type": "mask", "points": [[80, 60], [289, 239]], "mask": to_text(to_png(part), packed=False)}
    assert area(only(read_labelme(labelme([mask])))) == part.sum()
    mask["points"] = [[80, 60], [290, 239]]
    assert "another size than its box" in problem(only(read_labelme(labelme([mask]))))


@pytest.mark.parametrize(
    "kind", ["rectangle", "oriented_rectangle", "line", "linestrip", "point", "points", "\x1b[31m"]
)
def test_labelme_shapes_that_enclose_nothing(kind):
    mark = only(read_labelme(labelme([{"shape_type": kind, "points": [[1, 2], [3, 4]]}]))).marks[0]
    assert mark.shape is None
    assert mark.other
    assert mark.other.isprintable()
    assert (mark.other == "box") == ("rectangle" in kind)


def test_labelme_of_before_there_were_kinds_of_shapes():
    content = labelme([{"points": RING.tolist(), "shape_type": None}])
    content["shapes"][0].pop("shape_type")
    assert only(read_labelme(content)).marks[0].shape is not None


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        (via_polygon(RING), area_of(RING)),
        (via_polygon(RING) | {"name": "polyline"}, area_of(RING)),
        ({"name": "circle", "cx": 200, "cy": 150, "r": 60.5}, centres_inside(60.5, 60.5)),
        ({"name": "ellipse", "cx": 200, "cy": 150, "rx": 120, "ry": 60}, centres_inside(120, 60)),
        ({"name": "ellipse", "cx": 200, "cy": 150, "rx": 100, "ry": 60, "theta": 0.7}, centres_inside(100, 60, 0.7)),
    ],
)
def test_via_shapes(version, shape, expected):
    content = via({"a.png": [shape]}, version)
    assert area(only(read_via(content))) == pytest.approx(expected, rel=5e-4)
    project = {"_via_settings": {}, "_via_img_metadata": content, "_via_attributes": {}}
    assert only(read_via(project)).marks[0].names == {"lesion"}


def test_via_rectangles_points_and_open_lines_enclose_nothing():
    box = {"name": "rect", "x": 1, "y": 2, "width": 3, "height": 4}
    point = {"name": "point", "cx": 1, "cy": 2}
    found = only(read_via(via({"a.png": [box, point]})))
    assert [mark.other for mark in found.marks] == ["box", "point"]
    line = via_polygon(RING[:150]) | {"name": "polyline"}
    assert "gap of" in problem(only(read_via(via({"a.png": [line]}))))


def test_via_attributes_are_texts_and_ticked_boxes():
    content = via({"a.png": [via_polygon(RING)]})
    attributes = {"name": " mass ", "type": {"benign": True, "cyst": False}, "note": "", "old": "undefined"}
    content["a.png99"]["regions"][0]["region_attributes"] = attributes
    assert only(read_via(content)).marks[0].names == {"mass", "benign"}


def test_via_3_is_named():
    with pytest.raises(ValueError, match="a project of VIA 3; export"):
        read_via({"project": {}, "config": {}, "metadata": {}})
    with pytest.raises(ValueError, match="without `filename`"):
        read_via({"a": {}})


def test_supervisely_holes_parts_and_bitmaps():
    outer, hole = lesion(200, 150, 90) + 0.25, lesion(200, 150, 30) + 0.25
    points = {"exterior": outer.tolist(), "interior": [hole.tolist()]}
    expected = area_of(outer) - area_of(hole)
    assert area(only(read_supervisely(supervisely([{"points": points}])))) == pytest.approx(expected, rel=1e-3)
    parts = {"geometryType": "multipolygon", "parts": [points]}
    assert area(only(read_supervisely(supervisely([parts])))) == pytest.approx(expected, rel=1e-3)
    part = LESION[60:240, 80:290]
    for mode in ("1", "L", "RGBA"):
        bitmap = {"origin": [80, 60], "data": to_text(to_png(part, mode), packed=True)}
        found = only(read_supervisely(supervisely([{"geometryType": "bitmap", "bitmap": bitmap}])))
        mask, _ = draw_outline(Outline("", (found.marks[0].shape,), found.size), SHAPE, 10**6)
        np.testing.assert_array_equal(mask[60:240, 80:290], part)


def test_whole_numbers_of_supervisely_are_numbers_of_pixels():
    corners = [[10, 10], [20, 10], [20, 30], [10, 30]]
    whole = only(read_supervisely(supervisely([{"points": {"exterior": corners}}]))).marks[0].shape
    np.testing.assert_array_equal(whole.outer[0], np.array(corners) + 0.5)
    corners[0][0] = 10.25
    parts = only(read_supervisely(supervisely([{"points": {"exterior": corners}}]))).marks[0].shape
    np.testing.assert_array_equal(parts.outer[0], corners)


@pytest.mark.parametrize(
    ("bitmap", "words"),
    [
        ({"origin": [0, 0], "data": "not base 64!"}, "is damaged, or no PNG"),
        ({"origin": [0, 0], "data": to_text(b"no picture", packed=True)}, "is damaged, or no PNG"),
        ({"origin": [0, 0], "data": to_text(to_png(LESION)[:200], packed=True)}, "is damaged, or no PNG"),
        ({"origin": [0, 0], "data": to_text(bytes(30_000_000), packed=True)}, "was cut, or is very large"),
        ({"origin": [0], "data": "aaaa"}, "is no pair"),
        ({"data": "aaaa"}, "expected a list"),
        (None, "expected a mapping"),
    ],
)
def test_supervisely_refuses_broken_bitmaps(bitmap, words):
    content = supervisely([{"geometryType": "bitmap", "bitmap": bitmap}])
    assert words in problem(only(read_supervisely(content)))


def test_yolo_boxes_and_broken_lines():
    text = yolo(RING) + "0 0.5 0.5 0.2 0.2\n"
    assert only(read_yolo(text)).marks[1].other == "box"
    for line, words in {
        "0 0.1 0.2 0.3 0.4 0.5": "has 5 numbers",
        "0 0.1 0.2 0.3 0.4 0.5 nan": "expected shares",
        "0 0.1 0.2 0.3 0.4 0.5 1_0": "expected shares",
        "0 100 200 300 400 50 60": "expected shares of the image's sides, from 0 to 1",
        "0": "has 0 points",
    }.items():
        assert words in problem(only(read_yolo(line))), line
    with pytest.raises(ValueError, match="line 1 begins with 'lesion'"):
        read_yolo("lesion 0.1 0.2 0.3 0.4 0.5 0.6")
    assert only(read_yolo("\n \n")).marks == ()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("data.yaml", "names: [cyst, mass]\n"),
        ("data.yml", "names: {0: cyst, 1: mass}\n"),
        ("classes.txt", "cyst\nmass\n"),
    ],
)
def test_yolo_names(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    assert read_class_names(tmp_path / name) == ["cyst", "mass"]
    assert only(read_yolo("1 0.1 0.2 0.3 0.4 0.5 0.6", ["cyst", "mass"])).marks[0].names == {"mass"}
    with pytest.raises(ValueError, match="is of class 2; there are names of 2"):
        read_yolo("2 0.1 0.2 0.3 0.4 0.5 0.6", ["cyst", "mass"])


def test_yolo_names_that_have_gaps_are_refused(tmp_path):
    (tmp_path / "data.yaml").write_text("names: {1: cyst, 2: mass}\n")
    with pytest.raises(ValueError, match="not numbered 0, 1, 2"):
        read_class_names(tmp_path / "data.yaml")


@pytest.mark.parametrize("read", [read_coco, read_labelme, read_supervisely, read_via])
@pytest.mark.parametrize("content", [None, [], "text", 3, {"images": 1, "annotations": 1, "shapes": 1, "objects": 1}])
def test_another_file_is_refused(read, content):
    with pytest.raises(ValueError, match="expected"):
        read(json.loads(json.dumps(content)))
