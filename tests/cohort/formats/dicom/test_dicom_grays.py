"""Gray levels of DICOM files of one channel: by their stored bits, tables and windows, as a viewer shows them."""

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.pixels import apply_modality_lut, apply_voi_lut
from pydicom.uid import ExplicitVRBigEndian, ImplicitVRLittleEndian, RLELossless

from busline.cohort.formats import pixels
from made_dicom import GRAY, as_bytes, gray_of, make_dicom, refusal, scan_of

DEEP = (GRAY.astype(np.uint16) * 16 + 7).astype(np.uint16)
"""12 bits in 16."""


def table(entries, first, bits):
    item = Dataset()
    item.LUTDescriptor = [len(entries), first, bits]
    item.LUTData = np.asarray(entries, dtype="<u2").tobytes()
    item["LUTData"].VR = "OW"
    return [item]


@pytest.mark.parametrize("syntax", [pydicom.uid.ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian])
def test_eight_bits_stay_as_they_are(syntax):
    np.testing.assert_array_equal(gray_of(make_dicom(GRAY, syntax)), GRAY)


def test_white_that_is_zero_is_turned():
    np.testing.assert_array_equal(gray_of(make_dicom(GRAY, PhotometricInterpretation="MONOCHROME1")), 255 - GRAY)
    deep = make_dicom(DEEP, BitsStored=12, PhotometricInterpretation="MONOCHROME1")
    np.testing.assert_array_equal(gray_of(deep), np.rint((4095 - DEEP.astype(int)) * 255 / 4095))


@pytest.mark.parametrize("syntax", [pydicom.uid.ExplicitVRLittleEndian, ExplicitVRBigEndian])
def test_sixteen_bits_are_scaled_by_those_that_are_stored(syntax):
    expected = np.rint(DEEP.astype(int) * 255 / 4095)
    np.testing.assert_array_equal(gray_of(make_dicom(DEEP, syntax, BitsStored=12)), expected)


def test_bits_above_the_stored_ones_are_ignored():
    overlaid = make_dicom(DEEP | 0xF000, BitsStored=12)
    np.testing.assert_array_equal(gray_of(overlaid), gray_of(make_dicom(DEEP, BitsStored=12)))


def test_stored_bits_that_are_not_used_are_noted_and_can_be_said():
    dark = make_dicom(DEEP, BitsStored=16)
    assert "unused_bits" in scan_of(dark).notes
    assert "unused_bits" not in scan_of(make_dicom(DEEP, BitsStored=12)).notes
    assert "unused_bits" not in scan_of(dark, bits=12).notes
    np.testing.assert_array_equal(gray_of(dark, bits=12), gray_of(make_dicom(DEEP, BitsStored=12)))
    with pytest.raises(ValueError, match="images.bits: 10 allows 1023"):
        scan_of(dark, bits=10)


def test_bits_that_the_file_says_are_no_matter_of_the_cohort():
    assert pixels.brightest(scan_of(make_dicom(DEEP, BitsStored=12)).picture) == 0


def test_a_high_bit_that_is_not_the_last_stored_is_refused():
    assert "HighBit" in refusal(make_dicom(DEEP, BitsStored=12, HighBit=15))


def test_signed_values_need_a_window_unless_none_is_below_zero():
    signed = DEEP.astype(np.int16)
    np.testing.assert_array_equal(gray_of(make_dicom(signed, BitsStored=13)), gray_of(make_dicom(DEEP, BitsStored=12)))
    assert "below 0, and no window" in refusal(make_dicom(signed - 1000, BitsStored=13))
    assert "below 0, and no window" in refusal(make_dicom(GRAY.astype(np.int8)))


def reference(data):
    """Return what pydicom shows, by its own ends of the scale."""
    with pixels.without_warnings():
        levels = apply_voi_lut(apply_modality_lut(data.pixel_array, data), data).astype(float)
    signed, slope, base = data.PixelRepresentation, float(data.get("RescaleSlope", 1)), data.get("RescaleIntercept", 0)
    low = -(1 << (data.BitsStored - 1)) if signed else 0
    ends = [low * slope + float(base), (low + (1 << data.BitsStored) - 1) * slope + float(base)]
    return np.floor(np.clip((levels - ends[0]) / (ends[1] - ends[0]), 0, 1) * 255 + 0.5)


@pytest.mark.parametrize("shape", [None, "LINEAR", "LINEAR_EXACT", "SIGMOID"])
@pytest.mark.parametrize(
    ("values", "slope", "base"), [(DEEP, 1, 0), (DEEP, 2, 100), (DEEP.astype(np.int16) - 2000, 1, -5)]
)
def test_a_window_is_that_of_pydicom(values, slope, base, shape):
    centre, width = float(values.mean() * slope + base), float(values.std() * slope * 3)
    elements = {"WindowCenter": [centre, 5], "WindowWidth": [width, 7], "BitsStored": 13 if values.min() < 0 else 12}
    elements |= {"RescaleSlope": slope, "RescaleIntercept": base} | ({"VOILUTFunction": shape} if shape else {})
    data = make_dicom(values, **elements)
    first = pydicom.dcmread(pydicom.filebase.DicomBytesIO(as_bytes(data)))
    first.WindowCenter, first.WindowWidth = centre, width
    found = gray_of(data)
    assert np.abs(found - reference(first)).max() <= 1
    assert found.min() < 20
    assert found.max() > 235


def test_a_window_of_no_width_is_none():
    np.testing.assert_array_equal(gray_of(make_dicom(GRAY, WindowCenter=0, WindowWidth=0)), GRAY)


def test_a_window_over_all_values_changes_nothing_that_counts():
    found = gray_of(make_dicom(GRAY, WindowCenter=128, WindowWidth=256))
    assert np.abs(found - GRAY).max() <= 1


def test_a_voi_table_and_a_modality_table_are_looked_up():
    entries = (255 - np.arange(256)) * 257
    for name, first in (("VOILUTSequence", 0), ("ModalityLUTSequence", 0)):
        np.testing.assert_array_equal(gray_of(make_dicom(GRAY, **{name: table(entries, first, 16)})), 255 - GRAY)
    clipped = gray_of(make_dicom(GRAY, VOILUTSequence=table(np.arange(100), 50, 8)))
    np.testing.assert_array_equal(clipped, np.clip(GRAY.astype(int) - 50, 0, 99))


def test_run_lengths_are_unpacked():
    data = make_dicom(GRAY)
    data.compress(RLELossless, encoding_plugin="pydicom")
    np.testing.assert_array_equal(gray_of(data), GRAY)
    data = make_dicom(DEEP, BitsStored=12)
    data.compress(RLELossless, encoding_plugin="pydicom")
    np.testing.assert_array_equal(gray_of(data), gray_of(make_dicom(DEEP, BitsStored=12)))
