"""The DICOM files of machines and converters that pydicom and pydicom-data hold, against what pydicom makes of them."""

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.pixels import apply_color_lut

from busline.cohort.formats import pixels
from busline.cohort.formats.dicom.reading import read_dicom
from busline.cohort.schema import DicomForm
from made_dicom import files_of_machines, gray_of, luminance, machine_file, refusal, scan_of

WHOLE = {"frame": "first", "region": "whole"}
READ = (
    "examples_rgb_color.dcm",
    "examples_ybr_color.dcm",
    "examples_jpeg2k.dcm",
    "examples_palette.dcm",
    "ExplVR_BigEnd.dcm",
    "SC_rgb_jpeg_dcmtk.dcm",
    "SC_rgb_jpeg_lossy_gdcm.dcm",
    "SC_jpeg_no_color_transform.dcm",
    "SC_jpeg_no_color_transform_2.dcm",
    "SC_rgb_dcmtk_+eb+cr.dcm",
    "SC_rgb_dcmtk_+eb+cy+n1.dcm",
    "SC_rgb_dcmtk_+eb+cy+s2.dcm",
    "SC_rgb_dcmtk_+eb+cy+s4.dcm",
    "SC_rgb_gdcm_KY.dcm",
    "SC_rgb_rle_2frame.dcm",
    "SC_ybr_full_422_uncompressed.dcm",
    "SC_ybr_full_uncompressed.dcm",
    "US1_J2KI.dcm",
    "US1_UNCR.dcm",
    "color-pl.dcm",
    "color-px.dcm",
    "color3d_jpeg_baseline.dcm",
    "OBXXXX1A.dcm",
    "OBXXXX1A_rle_2frame.dcm",
    "gdcm-US-ALOKA-16.dcm",
)


@pytest.mark.parametrize("name", READ)
def test_a_file_has_the_gray_levels_of_its_colours(name):
    path = machine_file(name)
    with pixels.without_warnings():
        data = pydicom.dcmread(path)
        if "JPEG" in data.file_meta.TransferSyntaxUID.name:
            data.pixel_array_options(decoding_plugin="pillow")
        values = data.pixel_array
    if int(data.get("NumberOfFrames") or 1) > 1:
        values = values[0]
    if data.PhotometricInterpretation == "PALETTE COLOR":
        values = apply_color_lut(values, data)
        values = values >> 8 if values.dtype == np.uint16 else values
    assert np.abs(gray_of(path, **WHOLE) - luminance(values)).max() <= 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("OBXXXX1A.dcm", "OBXXXX1A_rle.dcm"),
        ("OBXXXX1A.dcm", "OBXXXX1A_expb.dcm"),
        ("OBXXXX1A.dcm", "OBXXXX1A_expb_2frame.dcm"),
        ("gdcm-US-ALOKA-16.dcm", "gdcm-US-ALOKA-16_big.dcm"),
        ("US1_UNCR.dcm", "US1_J2KR.dcm"),
        ("color-px.dcm", "color-pl.dcm"),
        ("SC_rgb.dcm", "SC_rgb_rle.dcm"),
        ("MR_small.dcm", "MR_small_RLE.dcm"),
        ("MR_small.dcm", "MR_small_jp2klossless.dcm"),
        ("MR_small.dcm", "MR_small_bigendian.dcm"),
        ("MR2_UNCR.dcm", "MR2_J2KR.dcm"),
        ("SC_rgb_dcmtk_ebcr_dcmd.dcm", "SC_rgb_dcmtk_+eb+cr.dcm"),
    ],
)
def test_a_picture_stored_in_another_way_is_the_same(one, other):
    """Of the palette in big-endian order pydicom itself makes another picture."""
    paths = machine_file(one), machine_file(other)
    np.testing.assert_array_equal(gray_of(paths[0], **WHOLE), gray_of(paths[1], **WHOLE))


@pytest.mark.parametrize(
    ("name", "box", "size", "notes"),
    [
        ("OBXXXX1A.dcm", (120, 60, 800, 519), 0.26229, ()),
        ("color3d_jpeg_baseline.dcm", (84, 31, 596, 415), 0.51050, ()),
        ("gdcm-US-ALOKA-16.dcm", (32, 24, 336, 416), 0.38265, ("several_regions",)),
        ("examples_ybr_color.dcm", (0, 0, 320, 240), None, ("unusable_region", "text_unknown")),
        ("examples_palette.dcm", (0, 0, 800, 350), None, ("unusable_region", "text_unknown")),
        ("US1_J2KR.dcm", (0, 0, 640, 480), None, ("text_unknown",)),
    ],
)
def test_regions_and_sizes(name, box, size, notes):
    """The example pictures were made smaller after their header was written."""
    scan = scan_of(machine_file(name), frame="first")
    assert (scan.box, scan.notes) == (box, notes)
    assert scan.pixel_mm == (size if size is None else pytest.approx(size, abs=1e-5))


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("OBXXXX1A_2frame.dcm", "has 2 frames; say in dataset.yaml"),
        ("color3d_jpeg_baseline.dcm", "has 120 frames"),
        ("test-SR.dcm", "without pixels (Comprehensive SR Storage)"),
        ("waveform_ecg.dcm", "without pixels (12-lead ECG Waveform Storage)"),
        ("rtplan.dcm", "without pixels (RT Plan Storage)"),
        ("SC_rgb_16bit.dcm", "16 bits a channel in colour"),
        ("SC_rgb_32bit.dcm", "32 bits a value"),
        ("MR_truncated.dcm", "8,130 bytes of pixels"),
        ("CT_small.dcm", "below 0, and no window"),
        ("JPEG2000-embedded-sequence-delimiter.dcm", "damaged"),
    ],
)
def test_what_is_refused(name, reason):
    assert reason in refusal(machine_file(name))


@pytest.mark.parametrize(
    ("name", "plain"), [("SC_rgb_jpeg_gdcm.dcm", "SC_rgb.dcm"), ("JPGLosslessP14SV1_1s_1f_8b.dcm", "")]
)
def test_jpeg_lossless_is_read_with_the_extra_and_names_it_without(name, plain):
    path = machine_file(name)
    if not pydicom.pixels.get_decoder(pydicom.uid.JPEGLosslessSV1).is_available:
        assert "busline[jpeg-lossless]" in refusal(path)
        pytest.skip("the pictures need the extra jpeg-lossless, which is under the GPL and not in the lock")
    assert scan_of(path).picture.mode in ("L", "RGB")
    if plain:
        np.testing.assert_array_equal(gray_of(path), gray_of(machine_file(plain)))


def test_a_segmentation_of_one_bit_is_a_mask_and_no_scan():
    path = machine_file("liver_1frame.dcm")
    assert "1 bits a pixel, as a mask has, and no scan" in refusal(path)
    from busline.cohort.formats.scans import read_mask_picture

    with pixels.without_warnings():
        mask = np.asarray(read_mask_picture(path, 2_000_000))
        np.testing.assert_array_equal(mask, pydicom.dcmread(path).pixel_array * 255)


def test_no_file_gives_anything_but_a_picture_or_a_reason():
    results = []
    with pixels.without_warnings():
        for path in files_of_machines():
            try:
                picture = read_dicom(path.read_bytes(), 4_000_000, DicomForm(frame="first")).picture
            except ValueError as error:
                results.append(str(error))
            else:
                assert isinstance(picture, Image.Image)
    assert not [text for text in results if len(text) > 250]
