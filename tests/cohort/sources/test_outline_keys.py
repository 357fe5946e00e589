"""What dataset.yaml says of outlines is checked before any file is read."""

import pytest

from busline.base.errors import DataError
from busline.cohort.sources.folder import load_dataset
from made_outlines import write_own


@pytest.mark.parametrize(
    ("outlines", "keys", "words"),
    [
        ({"file": "a.json", "format": "labelme"}, {}, "labelme has a file an image; expected {case}, {image} or"),
        ({"file": "{scan}.json", "format": "coco"}, {}, "has a file with '{scan}'"),
        ({"file": "{case.json", "format": "coco"}, {}, "has a file with '{case.json'"),
        ({"file": "../{case}.json", "format": "labelme"}, {}, "leaves its folder"),
        ({"file": "/a.json", "format": "coco"}, {}, "absolute path"),
        ({"file": "a.json", "format": "coco", "names": "b.txt"}, {}, "has `names`, which are for yolo"),
        ({"file": "{case}.txt", "format": "yolo", "names": "../b.txt"}, {}, "leaves its folder"),
        ({"file": "a.json", "format": "pascal"}, {}, "outlines.format"),
        ({"file": "a.json"}, {}, "outlines.format: is missing"),
        ({"file": "a.json", "format": "coco"}, {"mask": "label"}, "stands in place of mask"),
        ({"file": "a.json", "format": "coco"}, {"masks": {"values": [1]}}, "say outlines.classes"),
    ],
)
def test_what_dataset_yaml_may_not_say(tmp_path, outlines, keys, words):
    own = write_own(tmp_path / "own", {}, outlines=outlines, **keys)
    with pytest.raises(DataError) as error:
        load_dataset(own)
    assert words in str(error.value)


def test_outlines_need_images(tmp_path):
    own = write_own(tmp_path / "own", {}, outlines={"file": "a.json", "format": "coco"})
    text = (own / "dataset.yaml").read_text()
    (own / "dataset.yaml").write_text(text.replace("image: image\n", ""))
    with pytest.raises(DataError, match="outlines: needs image"):
        load_dataset(own)
