"""Files of annotation tools and NIfTI files, changed at random, are read or refused with a reason, and soon."""

import copy
import json
import time
from random import Random

import numpy as np
import pytest

from busline.base.errors import DataError
from busline.base.settings.data import Cohort
from busline.cohort.formats.annotations.draw import draw_outline
from busline.cohort.formats.annotations.files import FORMATS
from busline.cohort.formats.pixels import read_picture
from busline.cohort.ingest import ingest
from busline.cohort.shapes import Outline
from busline.cohort.sources.folder import read_folder
from busline.cohort.sources.order import Order
from busline.cohort.sources.table import acquire
from helpers_cohort import SETTINGS, draw_image
from made_nifti import RAS, write_nifti
from made_outlines import (
    coco,
    labelme,
    lesion,
    supervisely,
    to_png,
    to_text,
    via,
    via_polygon,
    write_own,
    yolo,
)

RING = lesion(points=24)
BITMAP = {"origin": [3, 4], "data": to_text(to_png(np.eye(20, dtype=bool)), packed=True)}
CONTENT = {
    "coco": coco({"a.png": [RING.ravel().tolist()], "b.png": {"size": [300, 400], "counts": [60_000, 1_000, 59_000]}}),
    "labelme": labelme([{"points": RING.tolist()}, {"shape_type": "circle", "points": [[200, 100], [220, 120]]}]),
    "via": via({"a.png": [via_polygon(RING), {"name": "ellipse", "cx": 9, "cy": 9, "rx": 5, "ry": 4, "theta": 1}]}),
    "supervisely": supervisely(
        [
            {"points": {"exterior": RING.tolist(), "interior": [(RING / 9 + 100).tolist()]}},
            {"geometryType": "bitmap", "bitmap": BITMAP},
        ]
    ),
    "yolo": yolo(RING),
}
JUNK = [
    None, True, -1, 0, 2**80, 1e308, 0.5, "", "x", "\x00\u202e", "\ud800", "../../etc/passwd", [], {}, [[]],
    [None], {"a": None}, [[1, 2], [3]], [[1, 2], [3, 4], [5, "6"]], "9" * 300, [[[1, 2, 3]]], {"0": {}},
]  # fmt: skip
TRIES = 300
SOON = 10.0
"""Seconds in which any of these small files is read or refused, on a busy machine; most take a hundredth."""


def change_value(content, random):
    """Put junk in the place of one value, or remove it, or double it."""
    whole = copy.deepcopy(content)
    node = whole
    while True:
        keys = list(node) if isinstance(node, dict) else list(range(len(node)))
        key = random.choice(keys)
        if isinstance(node[key], dict | list) and node[key] and random.random() < 0.85:
            node = node[key]
            continue
        if random.random() < 0.2:
            del node[key]
        elif isinstance(node, list) and random.random() < 0.2:
            node.append(node[key])
        else:
            node[key] = random.choice(JUNK)
        return whole


def change_bytes(content, random):
    """Cut a file, or change, remove or double a few of its bytes."""
    changed = bytearray(content)
    for _ in range(random.randint(1, 4)):
        place = random.randrange(len(changed)) if changed else 0
        kind = random.randrange(4)
        if kind == 0:
            del changed[place:]
        elif kind == 1 and changed:
            changed[place] = random.randrange(256)
        elif kind == 2:
            del changed[place : place + random.randint(1, 30)]
        else:
            changed[place:place] = changed[place : place + random.randint(1, 30)]
    return bytes(changed)


def outcome(read):
    """Return why something was refused, or an empty text; anything but a ValueError fails the test."""
    start, reason = time.perf_counter(), ""
    try:
        read()
    except ValueError as error:
        reason = str(error)
        reason = reason.encode().decode() or "no reason"
    assert time.perf_counter() - start < SOON
    assert reason != "no reason"
    assert len(reason) < 2_000
    return reason


def read_and_draw(path, name):
    for entry in FORMATS[name].read(path, []):
        shapes = tuple(mark.shape for mark in entry.marks if mark.shape)
        if shapes:
            draw_outline(Outline(path.name, shapes, entry.size, entry.relative), (300, 400), 1_000_000)
        str([entry.problem, *(mark.problem + mark.other for mark in entry.marks)]).encode()


@pytest.mark.parametrize("name", CONTENT)
def test_changed_bytes(tmp_path, name):
    path, random = tmp_path / "a.json", Random(name)
    content = CONTENT[name]
    whole = (content if isinstance(content, str) else json.dumps(content)).encode()
    found = []
    for _ in range(TRIES):
        path.write_bytes(change_bytes(whole, random))
        found.append(outcome(lambda: read_and_draw(path, name)))
    assert sum(map(bool, found)) > TRIES / 5


@pytest.mark.parametrize("name", ["coco", "labelme", "via", "supervisely"])
def test_changed_values(tmp_path, name):
    path, random = tmp_path / "a.json", Random(name)
    found = []
    for _ in range(TRIES):
        content = CONTENT[name]
        for _ in range(random.randint(1, 3)):
            content = change_value(content, random) or content
        path.write_text(json.dumps(content))
        found.append(outcome(lambda: read_and_draw(path, name)))
    assert len(set(found)) > 10


@pytest.mark.parametrize("name", ["coco", "labelme", "via", "supervisely"])
def test_a_cohort_is_read_or_refused(tmp_path, name):
    """The whole way, with fewer tries: what a reader lets through must not surprise those after it."""
    random = Random(name)
    file = "ann/{image}.json" if name in ("labelme", "supervisely") else "ann/all.json"
    cohorts = refused = 0
    for number in range(25):
        content = change_value(CONTENT[name], random)
        names = ["ann/a.png.json", "ann/b.png.json"] if "{" in file else [file]
        own = write_own(
            tmp_path / f"{number}/own", dict.fromkeys(names, content), outlines={"file": file, "format": name}
        )
        try:
            acquire(Order(Cohort(source="folder"), 0, None, own, own), own.parent / "raw")
            ingest(
                read_folder(own.parent / "raw"),
                "folder",
                own.parent / "cohort",
                SETTINGS.model_copy(update={"max_pixels": 10**6}),
            )
            cohorts += 1
        except DataError as error:
            str(error).encode()
            refused += 1
    assert cohorts + refused == 25
    assert refused


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_changed_nifti(tmp_path, name):
    random = Random(name)
    write_nifti(tmp_path / name, draw_image(1), units=2, sizes=(0.1, 0.1), matrix=RAS)
    whole = (tmp_path / name).read_bytes()
    found = []
    for _ in range(TRIES):
        head, rest = (whole[:352], whole[352:]) if random.random() < 0.8 else (whole, b"")
        (tmp_path / name).write_bytes(change_bytes(head, random) + rest)
        found.append(outcome(lambda: read_picture(tmp_path / name, 100_000)))
    assert len(set(found)) > 5
