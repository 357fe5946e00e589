"""What dataset.yaml says of masks and images decides how they are read."""

import numpy as np
import pytest
from PIL import Image
from ruamel.yaml import YAML

from busline.base.artifacts import load_json
from busline.base.errors import DataError
from busline.cohort.sources.dataset import load_dataset
from busline.cohort.store import load_cohort
from helpers_cohort import draw_image, ingest_own

SIZE = (96, 80)
LESION = np.zeros(SIZE[::-1], dtype=bool)
LESION[20:60, 30:70] = True
RING = LESION.copy()
RING[22:58, 32:68] = False


@pytest.fixture
def own(tmp_path):
    """Two lesions and a normal case, with masks of gray values."""
    folder = tmp_path / "own"
    folder.mkdir()
    for name, seed in (("a", 1), ("b", 2), ("n", 3)):
        Image.fromarray(draw_image(seed, SIZE)).save(folder / f"{name}.png")
        put(folder, name, LESION * (name != "n") * np.uint8(255))
    rows = ["id,image,mask,label", *(f"{n},{n}.png,{n}_mask.png,{n}" for n in "abn")]
    (folder / "table.csv").write_text("\n".join(rows))
    describe(folder)
    return folder


def put(folder, name, pixels):
    Image.fromarray(pixels).save(folder / f"{name}_mask.png")


def describe(folder, **keys):
    content = {"table": "table.csv", "case_id": "id", "image": "image", "mask": "mask", "label": "label"}
    labels = {"labels": {"a": "benign", "b": "malignant", "n": "normal"}, "patient_id": "each image"}
    with (folder / "dataset.yaml").open("w") as file:
        YAML().dump(content | labels | keys, file)


def masks_of(folder):
    cohort = ingest_own(folder)
    return [cohort.mask(index) > 0 for index in range(len(cohort.cases))]


def refusal(folder):
    with pytest.raises(DataError) as error:
        masks_of(folder)
    return str(error.value)


def test_areas_are_read_without_a_word(own):
    for found, expected in zip(masks_of(own), (LESION, LESION, LESION & False), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_outlines_are_refused_and_filled_when_said(own):
    for name in "ab":
        put(own, name, RING * np.uint8(255))
    assert "row 2 (case a): mask a_mask.png is an outline; say masks.form: outline" in refusal(own)
    describe(own, masks={"form": "outline"})
    np.testing.assert_array_equal(masks_of(own)[0], LESION)


def test_index_masks_are_refused_and_read_as_told(own):
    index = LESION * np.uint8(2)
    index[:10, :10] = 1
    put(own, "a", index)
    assert "several gray values (0, 1, 2)" in refusal(own)
    describe(own, masks={"values": [2, 255]})
    np.testing.assert_array_equal(masks_of(own)[0], LESION)


def test_a_lesion_with_none_of_the_values_is_refused_but_a_normal_case_is_not(own):
    put(own, "n", LESION * np.uint8(7))
    describe(own, masks={"values": [255]})
    assert not masks_of(own)[2].any()
    put(own, "b", LESION * np.uint8(7))
    assert "row 3 (case b): mask b_mask.png has none of masks.values; found 0, 7" in refusal(own)


def test_colours_are_told_as_text(own):
    both = np.zeros((*LESION.shape, 3), dtype=np.uint8)
    both[LESION], both[:10, :10] = (255, 0, 0), (0, 255, 0)
    put(own, "a", both)
    assert "several colours (#000000, #00ff00, #ff0000)" in refusal(own)
    describe(own, masks={"values": ["#ff0000", 255]})
    assert masks_of(own)[0].sum() == LESION.sum() + 100  # 255 is the strongest channel of either colour
    describe(own, masks={"values": ["#ff0000", "#ffffff"]})
    np.testing.assert_array_equal(masks_of(own)[0], LESION)


def test_masks_of_another_size_are_fitted_only_when_told(own):
    put(own, "a", np.kron(LESION, np.ones((2, 2), dtype=bool)) * np.uint8(255))
    assert "192 × 160 pixels, its image 96 × 80; expected the same size, or masks.resize: true" in refusal(own)
    describe(own, masks={"resize": True})
    np.testing.assert_array_equal(masks_of(own)[0], LESION)
    assert load_json(own.parent / "cohort/card.json")["doubts"]["cases"] == {"resized_mask": ["a"]}


def test_masks_of_normal_cases_are_ignored_only_when_told(own):
    put(own, "n", LESION * np.uint8(255))
    assert "row 4 (case n): is normal, but mask n_mask.png marks a lesion" in refusal(own)
    describe(own, masks={"of_normal": "ignore"})
    assert not masks_of(own)[2].any()
    assert load_json(own.parent / "cohort/card.json")["doubts"]["cases"] == {"ignored_mask": ["n"]}


@pytest.mark.parametrize(
    "mask", [LESION * np.uint8(2) + 1, ~(LESION & False) * np.uint8(255), LESION[:, :9] * np.uint8(9)]
)
def test_an_ignored_mask_may_be_anything(own, mask):
    put(own, "n", mask)
    describe(own, masks={"of_normal": "ignore"})
    assert not masks_of(own)[2].any()
    assert load_json(own.parent / "cohort/card.json")["doubts"]["cases"] == {"ignored_mask": ["n"]}


@pytest.mark.parametrize(("orientation", "named"), [(1, {}), (3, {"turned_image": ["a"]})])
def test_an_image_that_was_turned_is_named_for_its_mask_may_not_be(own, orientation, named):
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(draw_image(1, SIZE)).save(own / "a.png", exif=exif)
    masks_of(own)
    assert load_json(own.parent / "cohort/card.json")["doubts"]["cases"] == named


@pytest.mark.parametrize(("bits", "brightest"), [(10, 1023), (12, 4095)])
def test_declared_bits_scale_every_image(own, bits, brightest):
    for seed, name in enumerate("abn", start=1):
        Image.fromarray(draw_image(seed, SIZE).astype(np.uint16) * 4).save(own / f"{name}.png")
    describe(own, images={"bits": bits})
    masks_of(own)
    cohort = load_cohort(own.parent / "cohort")
    expected = draw_image(1, SIZE).astype(float) * 4 * 255 / brightest
    assert np.abs(cohort.image(0) - expected).max() <= 1
    assert load_json(own.parent / "cohort/card.json")["doubts"]["sixteen_bits"]["declared"] is True


def test_a_pixel_beyond_the_declared_bits_is_refused(own):
    Image.fromarray(draw_image(1, SIZE).astype(np.uint16) * 16).save(own / "a.png")
    describe(own, images={"bits": 10})
    assert "row 2 (case a): image a.png has a pixel of " in refusal(own)


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        ({"masks": {"form": "line"}}, "masks.form: Input should be 'area' or 'outline'"),
        ({"masks": {"from": "area"}}, "masks.from: unknown key; did you mean 'form'"),
        ({"masks": {"values": []}}, "masks.values"),
        ({"masks": {"values": [-1]}}, "masks.values"),
        ({"masks": {"values": [True]}}, "masks.values"),
        ({"masks": {"values": ["red"]}}, "masks.values"),
        ({"masks": {"of_normal": "keep"}}, "masks.of_normal"),
        ({"images": {"bits": 7}}, "images.bits"),
        ({"images": {"bits": 17}}, "images.bits"),
        ({"mask": None, "masks": {"resize": True}}, "masks: needs mask"),
    ],
)
def test_a_wrong_key_is_refused(own, keys, reason):
    describe(own, **keys)
    with pytest.raises(DataError) as error:
        load_dataset(own)
    assert reason in str(error.value)


@pytest.mark.parametrize(("suffix", "kind"), [("gif", "GIF"), ("tif", "TIFF"), ("TIFF", "TIFF"), ("webp", "WebP")])
def test_a_picture_of_another_format_is_named_with_the_mend(own, suffix, kind):
    (own / "table.csv").write_text(f"id,image,mask,label\na,a.{suffix},a_mask.png,a\n")
    assert f"file name 'a.{suffix}' is a {kind}; save it as PNG" in refusal(own)


def test_a_pointer_of_git_lfs_says_how_to_get_the_picture(own):
    (own / "b.png").write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 3\n")
    assert "row 3 (case b): image b.png is a Git LFS pointer, not the picture itself" in refusal(own)


def test_a_link_out_of_the_folder_is_refused(own):
    (own / "a.png").rename(own.parent / "elsewhere.png")
    (own / "a.png").symlink_to("../elsewhere.png")
    assert "a.png: is a link out of the folder" in refusal(own)
