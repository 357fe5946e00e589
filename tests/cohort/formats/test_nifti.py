"""Pictures in NIfTI come out as the pictures that were written, or are refused with what to do."""

import base64
import gzip
import struct

import numpy as np
import pytest

from busline.cohort.formats.masks import read_mask
from busline.cohort.formats.nifti import PIXEL_MM, require_same_axes
from busline.cohort.formats.pixels import brightest, is_deep, read_gray, read_picture, to_gray
from busline.cohort.formats.suffixes import is_nifti, stem_of, suffix_of
from busline.cohort.schema import MaskForm
from helpers_cohort import SETTINGS, draw_image, draw_mask
from made_nifti import RAS, header, write_nifti

PICTURE = (np.arange(20 * 16).reshape(16, 20) % 251).astype(np.uint8)
WRITTEN = {
    "nibabel 5.4.2, Nifti1Image(picture.T, diag(-0.1, -0.1, 1, 1)), in mm": (
        "H4sIAAAAAAACA4thZCAKMDGIMAgwMMIhuiwHmG6wP3vmjC0Ig9iYeIMzhIZqGnCA7AS4u8AA6Ie96KqxiaHrg4E8bUMwDQCHqcBZYAEAAA=="
    ),
    "SimpleITK 2.5.7, GetImageFromArray(picture[None]), spacing (0.1, 0.1, 999)": (
        "H4sIAAAAAAACA4thZCACFDEwM4gwCDAwwiEqYGLgANMN9mfPnLEFYYYDlS6Y5mxwBqmBcrgYBhig+gPsrgYoZgD6YS+yJJpYA1wGqz8ZGPK0DcE0"
        "AC6dOOdgAQAA"
    ),
}
"""Headers of 352 bytes as these wrote them; the picture's bytes follow."""


@pytest.mark.parametrize("program", WRITTEN)
def test_a_picture_that_others_wrote_is_upright(tmp_path, program):
    path = tmp_path / "a.nii"
    path.write_bytes(gzip.decompress(base64.b64decode(WRITTEN[program])) + PICTURE.tobytes())
    picture = read_picture(path, 100_000)
    np.testing.assert_array_equal(np.asarray(picture), PICTURE)
    assert picture.info[PIXEL_MM] == pytest.approx(0.1)


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "A.NII.GZ"])
@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("kind", ["u1", "i1", "u2", "i2", "u4", "i4", "i8", "u8", "f4", "f8"])
def test_every_kind_of_number(tmp_path, name, order, kind):
    values = draw_image(1) // 2
    write_nifti(tmp_path / name, values.astype(kind), order=order)
    picture = read_picture(tmp_path / name, 100_000)
    assert is_deep(picture) == (kind != "u1")
    np.testing.assert_array_equal(np.asarray(picture), values)
    np.testing.assert_array_equal(to_gray(picture, 8), values)


def test_colours(tmp_path):
    colours = np.random.default_rng(0).integers(0, 255, (16, 20, 3), np.uint8)
    write_nifti(tmp_path / "a.nii", colours)
    np.testing.assert_array_equal(np.asarray(read_picture(tmp_path / "a.nii", 100_000)), colours)


def test_axes_of_length_one_are_none(tmp_path):
    for shape in ((48, 36, 1), (48, 36, 1, 1), (1, 48, 36), (48, 1, 36)):
        write_nifti(tmp_path / "a.nii", draw_image(1), shape=shape)
        np.testing.assert_array_equal(read_gray(tmp_path / "a.nii", 100_000), draw_image(1))


def test_deep_values_follow_the_bits_of_all(tmp_path):
    values = draw_image(1).astype(np.uint16) * 16
    write_nifti(tmp_path / "a.nii", values)
    picture = read_picture(tmp_path / "a.nii", 100_000)
    assert brightest(picture) == values.max()
    assert to_gray(picture, 12).max() == round(int(values.max()) * 255 / 4095)
    with pytest.raises(ValueError, match="images.bits: 8 allows 255"):
        to_gray(picture, 8)


def test_slope_and_intercept(tmp_path):
    write_nifti(tmp_path / "a.nii", draw_image(1) // 2, slope=2.0, intercept=3.0)
    np.testing.assert_array_equal(np.asarray(read_picture(tmp_path / "a.nii", 100_000)), draw_image(1) // 2 * 2 + 3)
    for slope in (0.0, np.nan):
        write_nifti(tmp_path / "a.nii", draw_image(1), slope=slope, intercept=9.0)
        np.testing.assert_array_equal(read_gray(tmp_path / "a.nii", 100_000), draw_image(1))


def test_fractions_of_gray_levels_are_rounded_and_shares_refused(tmp_path):
    values = draw_image(1) + np.float32(0.3)
    write_nifti(tmp_path / "a.nii", values)
    np.testing.assert_array_equal(read_picture(tmp_path / "a.nii", 100_000), draw_image(1))
    write_nifti(tmp_path / "a.nii", values / 255)
    with pytest.raises(ValueError, match="that are no whole numbers; save gray levels, 0 to 255"):
        read_picture(tmp_path / "a.nii", 100_000)


@pytest.mark.parametrize(
    ("value", "words"), [(-1, "from -1 to"), (70_000, "to 70000"), (np.nan, "no numbers"), (np.inf, "no numbers")]
)
def test_values_that_are_no_gray_levels(tmp_path, value, words):
    values = draw_image(1).astype(np.float32)
    values[3, 3] = value
    write_nifti(tmp_path / "a.nii", values)
    with pytest.raises(ValueError, match=words):
        read_picture(tmp_path / "a.nii", 100_000)


@pytest.mark.parametrize(
    ("units", "sizes", "expected"),
    [
        (2, (0.08, 0.08), 0.08),
        (10, (0.08, 0.08), 0.08),
        (3, (80, 80), 0.08),
        (1, (8e-5, 8e-5), 0.08),
        (2, (0.08, 0.0805), 0.08025),
        (0, (0.08, 0.08), None),
        (2, (1.0, 1.0), None),
        (2, (0.08, 0.12), None),
        (2, (8.0, 8.0), None),
        (2, (0.0, 0.0), None),
        (2, (np.nan, np.nan), None),
        (2, (-0.08, -0.08), None),
    ],
)
def test_the_pixel_size_is_known_if_units_say_so(tmp_path, units, sizes, expected):
    write_nifti(tmp_path / "a.nii", draw_image(1), units=units, sizes=sizes)
    found = read_picture(tmp_path / "a.nii", 100_000).info.get(PIXEL_MM)
    assert found == (None if expected is None else pytest.approx(expected))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"shape": (24, 36, 2)}, "is a volume or a film (24 × 36 × 2); expected one plane"),
        ({"shape": (24, 36, 1, 2)}, "is a volume or a film"),
        ({"shape": (48 * 36, 1)}, "is no picture (1728)"),
        ({"shape": (0, 36)}, "its header names no size"),
        ({"shape": (48, -36)}, "its header names no size"),
        ({"shape": (48, 35)}, "it holds more than the 48 × 35 pixels"),
        ({"shape": (48, 37)}, "it holds less than the 48 × 37 pixels"),
        ({"shape": (30_000, 30_000)}, "has 30000 × 30000 pixels; expected at most 100,000"),
        ({"shape": (8, 216)}, "has 8 × 216 pixels; expected 16 × 16 or more"),
        ({"code": 1}, "of NIfTI's kind 1;"),
        ({"code": 1792}, "of NIfTI's kind 1792;"),
        ({"start": 0.0}, "its pixels begin at byte 0"),
        ({"start": 1e9}, "its pixels begin at byte 1e+09"),
        ({"start": np.nan}, "its pixels begin at byte nan"),
        ({"magic": b"ni1\x00"}, "stand in a file .img"),
        ({"magic": b"\x00\x00\x00\x00"}, "stand in a file .img"),
        ({"magic": b"abc\x00"}, "is no NIfTI"),
        ({"length": 540}, "is NIfTI-2"),
    ],
)
@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_headers_that_are_refused(tmp_path, change, words, name):
    write_nifti(tmp_path / name, draw_image(1), **change)
    with pytest.raises(ValueError, match=".") as error:
        read_picture(tmp_path / name, 100_000)
    assert words in str(error.value)


@pytest.mark.parametrize("keep", [0, 10, 200, 351, 352, 1000, -9, -1])
@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_files_that_were_cut(tmp_path, keep, name):
    write_nifti(tmp_path / name, draw_image(1))
    (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[:keep])
    with pytest.raises(ValueError, match="truncated or damaged|it is empty"):
        read_picture(tmp_path / name, 100_000)


def test_a_flipped_bit_in_a_packed_file_is_found(tmp_path):
    write_nifti(tmp_path / "a.nii.gz", draw_image(1))
    content = bytearray((tmp_path / "a.nii.gz").read_bytes())
    content[len(content) // 2] ^= 4
    (tmp_path / "a.nii.gz").write_bytes(content)
    with pytest.raises(ValueError, match="truncated or damaged"):
        read_picture(tmp_path / "a.nii.gz", 100_000)


def test_a_bomb_is_not_unpacked(tmp_path):
    start = header((48, 36), 2)
    (tmp_path / "a.nii.gz").write_bytes(gzip.compress(start + bytes(300_000_000)))
    with pytest.raises(ValueError, match="it holds more than the 48 × 36 pixels"):
        read_picture(tmp_path / "a.nii.gz", 100_000)


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_other_files_under_the_name_are_named(tmp_path, name):
    (tmp_path / name).write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n" + b" " * 400)
    with pytest.raises(ValueError, match="is a Git LFS pointer"):
        read_picture(tmp_path / name, 100_000)


@pytest.mark.parametrize("kind", ["u1", "i2", "f4"])
def test_masks_of_one_value_and_of_label_numbers(tmp_path, kind):
    lesion = draw_mask()
    write_nifti(tmp_path / "m.nii.gz", lesion.astype(kind))
    np.testing.assert_array_equal(read_mask(tmp_path / "m.nii.gz", SETTINGS, MaskForm()), lesion)
    index = lesion.astype(kind)
    index[:6, :6] = 3
    write_nifti(tmp_path / "m.nii.gz", index)
    with pytest.raises(ValueError, match="several gray values"):
        read_mask(tmp_path / "m.nii.gz", SETTINGS, MaskForm())
    np.testing.assert_array_equal(read_mask(tmp_path / "m.nii.gz", SETTINGS, MaskForm(values=(1,))), lesion)


def test_a_mask_with_axes_that_run_otherwise_is_refused(tmp_path):
    one, other, unknown = tmp_path / "i.nii", tmp_path / "m.nii", tmp_path / "u.nii.gz"
    write_nifti(one, draw_image(1), matrix=-RAS)
    write_nifti(other, draw_image(1), matrix=-RAS * 0.99)
    write_nifti(unknown, draw_image(1))
    for mask in (one, other, unknown, tmp_path / "m.png"):
        require_same_axes(one, mask)
    for matrix in (RAS, RAS[[1, 0, 2]], RAS * [[-1], [1], [1]]):
        write_nifti(other, draw_image(1), matrix=matrix)
        with pytest.raises(ValueError, match="axes that run otherwise than its image's"):
            require_same_axes(one, other)


@pytest.mark.parametrize("handed", [1.0, -1.0])
@pytest.mark.parametrize(
    ("quaternion", "directions"),
    [((0, 0, 1), (-1, -1)), ((0, 0, 0), (1, 1)), ((1, 0, 0), (1, -1)), ((0, 1, 0), (-1, 1))],
)
def test_directions_by_quaternion_are_those_by_matrix(tmp_path, quaternion, directions, handed):
    """A half turn round z turns x and y round, one round x only y, one round y only x."""
    by_matrix, by_quaternion = tmp_path / "m.nii", tmp_path / "q.nii"
    write_nifti(by_matrix, draw_image(1), matrix=np.diag([*directions, 1.0]))
    write_nifti(by_quaternion, draw_image(1), quaternion=quaternion, handed=handed)
    require_same_axes(by_matrix, by_quaternion)
    write_nifti(by_matrix, draw_image(1), matrix=np.diag([-directions[0], directions[1], 1.0]))
    with pytest.raises(ValueError, match="axes"):
        require_same_axes(by_matrix, by_quaternion)


@pytest.mark.parametrize(
    ("quaternion", "handed", "matrix"),
    [
        ((0.5, 0.5, 0.5), 1.0, [[0, 0, 1], [1, 0, 0], [0, 1, 0]]),
        ((-0.5, 0.5, 0.5), 1.0, [[0, -1, 0], [0, 0, 1], [-1, 0, 0]]),
        ((0, 0, 0), -1.0, [[1, 0, 0], [0, 1, 0], [0, 0, -1]]),
    ],
)
@pytest.mark.parametrize("shape", [(48, 36), (1, 48, 36)])
def test_directions_of_planes_that_stand_upright(tmp_path, quaternion, handed, matrix, shape):
    """The first turns x to y, y to z and z to x; the matrices were worked out by hand."""
    by_matrix, by_quaternion = tmp_path / "m.nii", tmp_path / "q.nii"
    write_nifti(by_quaternion, draw_image(1), quaternion=quaternion, handed=handed, shape=shape)
    write_nifti(by_matrix, draw_image(1), matrix=np.array(matrix), shape=shape)
    require_same_axes(by_matrix, by_quaternion)
    write_nifti(by_matrix, draw_image(1), matrix=-np.array(matrix), shape=shape)
    with pytest.raises(ValueError, match="axes"):
        require_same_axes(by_matrix, by_quaternion)


def test_a_double_ending_is_one():
    assert suffix_of("x/CASE_0000.NII.GZ") == ".nii.gz"
    assert stem_of("imagesTr/CASE_0000.nii.gz") == "CASE_0000"
    assert stem_of("a/b.c.png") == "b.c"
    assert stem_of("b") == "b"
    assert is_nifti("a.nii")
    assert not is_nifti("a.gz")


def test_the_made_header_is_that_of_nibabel():
    others = gzip.decompress(base64.b64decode(next(iter(WRITTEN.values()))))
    own = header((20, 16), 2, units=2, sizes=(0.1, 0.1), matrix=-RAS * 0.1)
    for place, form in ((0, "i"), (40, "8h"), (70, "2h"), (108, "f"), (344, "4s")):
        assert struct.unpack_from("<" + form, own, place) == struct.unpack_from("<" + form, others, place)
