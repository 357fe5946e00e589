"""Colours of DICOM files: whatever is stored, converted once and not twice, by the luminance of a PNG."""

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.pixels import apply_color_lut, convert_color_space
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, JPEG2000Lossless, JPEGBaseline8Bit, RLELossless

from made_dicom import COLOURED, GRAY, TINTED, encode, gray_of, luminance, make_dicom, make_packed, refusal, scan_of

YBR = convert_color_space(COLOURED, "RGB", "YBR_FULL")
COLOURS = ("Red", "Green", "Blue")


def close(found, rgb, levels=1):
    assert np.abs(found - luminance(rgb)).max() <= levels


def test_rgb_by_pixel_and_by_plane():
    np.testing.assert_array_equal(gray_of(make_dicom(COLOURED)), luminance(COLOURED))
    planes = np.moveaxis(COLOURED, -1, 0).tobytes()
    by_plane = make_dicom(COLOURED, PlanarConfiguration=1, PixelData=planes)
    np.testing.assert_array_equal(gray_of(by_plane), luminance(COLOURED))


@pytest.mark.parametrize("planar", [0, 1])
def test_run_lengths_are_by_plane_whatever_the_header_says(planar):
    data = make_dicom(COLOURED)
    data.compress(RLELossless, encoding_plugin="pydicom")
    data.PlanarConfiguration = planar
    np.testing.assert_array_equal(gray_of(data), luminance(COLOURED))


def test_ybr_becomes_rgb():
    close(gray_of(make_dicom(YBR, PhotometricInterpretation="YBR_FULL")), convert_color_space(YBR, "YBR_FULL", "RGB"))


def test_ybr_of_half_the_colours_is_spread():
    pairs = YBR.reshape(-1, 2, 3)
    content = np.stack([pairs[:, 0, 0], pairs[:, 1, 0], pairs[:, 0, 1], pairs[:, 0, 2]], axis=-1)
    data = make_dicom(YBR, PhotometricInterpretation="YBR_FULL_422", PixelData=content.tobytes())
    shared = YBR.copy()
    shared[:, 1::2, 1:] = shared[:, ::2, 1:]
    close(gray_of(data), convert_color_space(shared, "YBR_FULL", "RGB"))
    assert "bytes of pixels" in refusal(make_dicom(YBR, PhotometricInterpretation="YBR_FULL_422"))


def strip(jpeg, *markers):
    """Return a JPEG without some of its application markers."""
    place, kept = 2, [jpeg[:2]]
    while jpeg[place + 1] != 0xDA:
        end = place + 2 + int.from_bytes(jpeg[place + 2 : place + 4], "big")
        kept += [] if jpeg[place + 1] in markers else [jpeg[place:end]]
        place = end
    return b"".join([*kept, jpeg[place:]])


def rename(jpeg, ids):
    """Return a JPEG whose components have other names."""
    start = jpeg.index(b"\xff\xc0")
    scan = jpeg.index(b"\xff\xda")
    content = bytearray(jpeg)
    for number, name in enumerate(ids):
        content[start + 10 + 3 * number] = name
        content[scan + 5 + 2 * number] = name
    return bytes(content)


def adobe(jpeg, transform):
    """Return a JPEG with Adobe's marker."""
    return jpeg[:2] + b"\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00" + bytes([transform]) + jpeg[2:]


JFIF = encode(COLOURED, "JPEG", quality=95, subsampling=0)
REDUCED = strip(encode(COLOURED, "JPEG", quality=95, subsampling=2), 0xE0)
PLAIN = strip(JFIF, 0xE0)
AS_RGB = strip(encode(COLOURED, "JPEG", quality=95, keep_rgb=True), 0xE0, 0xEE)


@pytest.mark.parametrize(
    ("jpeg", "declared"),
    [
        (JFIF, "YBR_FULL_422"),
        (JFIF, "YBR_FULL"),
        (JFIF, "RGB"),
        (PLAIN, "YBR_FULL_422"),
        (adobe(PLAIN, 1), "YBR_FULL_422"),
        (adobe(PLAIN, 1), "RGB"),
        (AS_RGB, "RGB"),
        (AS_RGB, "YBR_FULL_422"),
        (rename(AS_RGB, (1, 2, 3)), "RGB"),
        (adobe(rename(AS_RGB, (1, 2, 3)), 0), "YBR_FULL_422"),
    ],
)
def test_a_jpeg_is_converted_once(jpeg, declared):
    """Its markers say what it holds; where there are none, the header does."""
    found = gray_of(make_packed([jpeg], JPEGBaseline8Bit, COLOURED, PhotometricInterpretation=declared))
    assert np.abs(found - luminance(COLOURED)).mean() < 2.5


def test_a_jpeg_of_reduced_colours_is_no_rgb():
    found = gray_of(make_packed([REDUCED], JPEGBaseline8Bit, COLOURED, PhotometricInterpretation="RGB"))
    assert np.abs(found - luminance(np.asarray(Image.fromarray(COLOURED)))).mean() < 6


def test_a_gray_jpeg():
    found = gray_of(make_packed([encode(GRAY, "JPEG", quality=95)], JPEGBaseline8Bit, GRAY))
    assert np.abs(found - GRAY).mean() < 2
    deep = make_packed([encode(GRAY, "JPEG")], JPEGBaseline8Bit, GRAY.astype(np.uint16), BitsStored=12)
    assert "12 bits a value whose JPEG has 8" in refusal(deep)
    assert "its JPEG has 1" in refusal(make_packed([encode(GRAY, "JPEG")], JPEGBaseline8Bit, COLOURED))


@pytest.mark.parametrize("declared", ["YBR_RCT", "RGB"])
def test_jpeg_2000(declared):
    frame = encode(COLOURED, "JPEG2000", irreversible=False, no_jp2=True, mct=1)
    data = make_packed([frame], JPEG2000Lossless, COLOURED, PhotometricInterpretation=declared)
    np.testing.assert_array_equal(gray_of(data), luminance(COLOURED))


@pytest.mark.parametrize("cut", [1, 2, 3, 50, 500])
def test_a_jpeg_2000_that_is_cut_off_is_refused(cut):
    frame = encode(COLOURED, "JPEG2000", irreversible=False, no_jp2=True)
    data = make_packed([frame[:-cut]], JPEG2000Lossless, COLOURED, PhotometricInterpretation="YBR_RCT")
    assert "damaged" in refusal(data)


def test_colours_of_another_kind_than_said_are_read_as_they_are_and_noted():
    """Converters that unpack a file and leave the word of its compression are common."""
    as_ybr = convert_color_space(TINTED, "RGB", "YBR_FULL")
    for values, declared in ((TINTED, "YBR_FULL"), (as_ybr, "RGB")):
        data = make_dicom(values, PhotometricInterpretation=declared)
        close(gray_of(data), TINTED)
        assert "other_colours" in scan_of(data).notes
    for values, declared in ((TINTED, "RGB"), (as_ybr, "YBR_FULL"), (COLOURED, "RGB"), (COLOURED * 0, "RGB")):
        assert "other_colours" not in scan_of(make_dicom(values, PhotometricInterpretation=declared)).notes


def palette(bits, first=0, count=256, order="<"):
    """Return tables that are no gray ramp, with 8 bits of colour."""
    curves = [np.linspace(0, 255, count), np.linspace(0, 255, count) ** 2 / 255, 255 - np.linspace(0, 255, count)]
    values = [np.rint(curve).astype(np.uint16) for curve in curves]
    elements = {}
    for colour, curve in zip(COLOURS, values, strict=True):
        elements[f"{colour}PaletteColorLookupTableDescriptor"] = [count % 65536, first, bits]
        content = (curve * (257 if bits == 16 else 1)).astype(f"{order}u2").tobytes()
        if bits == 8:
            packed = curve.astype(np.uint8).tobytes() + b"\x00" * (count % 2)
            content = packed if order == "<" else np.frombuffer(packed, "<u2").astype(">u2").tobytes()
        elements[f"{colour}PaletteColorLookupTableData"] = content
    return np.stack(values, axis=-1), elements | {"PhotometricInterpretation": "PALETTE COLOR"}


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ExplicitVRBigEndian])
@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize(("first", "count"), [(0, 256), (0, 201), (40, 150)])
def test_a_palette_is_looked_up(bits, first, count, syntax):
    colours, elements = palette(bits, first, count, ">" if syntax == ExplicitVRBigEndian else "<")
    expected = colours[np.clip(GRAY.astype(int) - first, 0, count - 1)]
    np.testing.assert_array_equal(gray_of(make_dicom(GRAY, syntax, **elements)), luminance(expected))


def test_a_palette_of_sixteen_bit_pixels_and_entries_of_eight():
    """Here pydicom's own table is wrong: it keeps a place in as many bits as an entry has."""
    places = np.arange(GRAY.size, dtype=np.uint16).reshape(GRAY.shape)
    colours, elements = palette(8, 0, GRAY.size)
    np.testing.assert_array_equal(gray_of(make_dicom(places, **elements)), luminance(colours[places]))


def test_a_palette_that_says_sixteen_bits_and_holds_eight():
    colours, elements = palette(8)
    for colour, curve in zip(COLOURS, np.moveaxis(colours, -1, 0), strict=True):
        elements[f"{colour}PaletteColorLookupTableData"] = curve.astype("<u2").tobytes()
        elements[f"{colour}PaletteColorLookupTableDescriptor"] = [256, 0, 16]
    np.testing.assert_array_equal(gray_of(make_dicom(GRAY, **elements)), luminance(colours[GRAY]))


def segmented():
    _, elements = palette(16)
    for colour, end in zip(COLOURS, (65535, 30000, 0), strict=True):
        del elements[f"{colour}PaletteColorLookupTableData"]
        words = np.array([0, 2, 40000, 20000, 1, 100, end, 1, 154, 12345], dtype="<u2")
        elements[f"Segmented{colour}PaletteColorLookupTableData"] = words.tobytes()
    return elements


def test_a_palette_of_segments_is_that_of_pydicom():
    data = make_dicom(GRAY, **segmented())
    expected = apply_color_lut(GRAY, data) >> 8
    np.testing.assert_array_equal(gray_of(data), luminance(expected))


def test_a_palette_that_is_not_whole_is_refused():
    _, elements = palette(8)
    short = elements | {"BluePaletteColorLookupTableData": b"\x00" * 100}
    assert "lookup table is cut off" in refusal(make_dicom(GRAY, **short))
    for name in [name for name in elements if name.endswith("Data")]:
        del elements[name]
    assert "palette is missing or cut off" in refusal(make_dicom(GRAY, **elements))
    bomb = segmented() | {"SegmentedBluePaletteColorLookupTableData": np.array([2, 9, 0, 0], dtype="<u2").tobytes()}
    assert "segments that are not read" in refusal(make_dicom(GRAY, **bomb))


def test_colours_that_are_not_read_are_refused():
    assert "save it as RGB" in refusal(make_dicom(COLOURED, PhotometricInterpretation="HSV"))
    assert "whose colours are of JPEG 2000" in refusal(make_dicom(COLOURED, PhotometricInterpretation="YBR_RCT"))
    assert "16 bits a channel in colour" in refusal(make_dicom(COLOURED.astype(np.uint16)))
    assert pydicom.uid.UID("1.2.840.10008.1.2.4.201").name in refusal(
        make_packed([b"\xff\x4f\xff\x51" + bytes(60)], pydicom.uid.HTJ2KLossless, GRAY)
    )
