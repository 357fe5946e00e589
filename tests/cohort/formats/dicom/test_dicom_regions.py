"""Which frame and which part of a DICOM picture is read, and the size of its pixels."""

import numpy as np
import pydicom
import pytest
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import JPEGBaseline8Bit, RLELossless

from helpers_cohort import draw_image
from made_dicom import GRAY, SIZE, encode, gray_of, make_dicom, make_packed, make_region, refusal, scan_of

LEFT, RIGHT = (0, 10, 39, 69), (40, 10, 90, 69)
FRAMES = np.stack([draw_image(seed, SIZE) for seed in range(4)])


def regions(*items, **elements):
    return make_dicom(GRAY, SequenceOfUltrasoundRegions=list(items), **elements)


def film(kind):
    if kind == "native":
        return make_dicom(FRAMES[0], NumberOfFrames=4, PixelData=FRAMES.tobytes())
    if kind == "rle":
        data = make_dicom(FRAMES[0], NumberOfFrames=4, PixelData=FRAMES.tobytes())
        data.compress(RLELossless, encoding_plugin="pydicom")
        return data
    return make_packed([encode(frame, "JPEG", quality=100) for frame in FRAMES], JPEGBaseline8Bit, FRAMES[0])


@pytest.mark.parametrize("kind", ["native", "rle", "jpeg"])
@pytest.mark.parametrize(("frame", "index"), [("first", 0), ("middle", 1), (1, 0), (4, 3)])
def test_the_frame_that_is_said_is_read(kind, frame, index):
    assert np.abs(gray_of(film(kind), frame=frame) - FRAMES[index]).max() <= (2 if kind == "jpeg" else 0)


@pytest.mark.parametrize("kind", ["native", "rle", "jpeg"])
def test_a_film_without_a_word_on_its_frame_is_refused(kind):
    assert "has 4 frames; say in dataset.yaml which one it is: `dicom: {frame: first}`" in refusal(film(kind))
    assert "has 4 frames; dicom.frame: 5 is none of them" in refusal(film(kind), frame=5)


def test_one_frame_needs_no_word_and_bears_one():
    for form in ({}, {"frame": "first"}, {"frame": "middle"}, {"frame": 1}):
        np.testing.assert_array_equal(gray_of(make_dicom(GRAY, NumberOfFrames=1), **form), GRAY)


def test_frames_that_the_header_keeps_quiet_about_are_refused():
    data = make_dicom(FRAMES[0], PixelData=FRAMES.tobytes())
    assert "30,720 bytes of pixels; its 96 × 80 pixels, frames and colours (MONOCHROME2) make 7,680" in refusal(data)


@pytest.mark.parametrize("said", [1, 3, 5])
@pytest.mark.parametrize("kind", ["rle", "jpeg", "jpeg without a table"])
def test_compressed_frames_are_as_many_as_said(kind, said):
    data = film(kind.split()[0])
    if "without" in kind:
        data.PixelData = encapsulate(list(generate_frames(data.PixelData, number_of_frames=4)), has_bot=False)
    assert np.abs(gray_of(data, frame="first") - FRAMES[0]).max() <= 2
    data.NumberOfFrames = said
    assert f"is DICOM of {said} frames that holds 4" in refusal(data, frame="first")


def test_the_largest_region_of_tissue_is_cut_out():
    """A larger region of Doppler, of another kind of data or in another form, is none."""
    others = [
        make_region((0, 0, 95, 79), RegionSpatialFormat=4),
        make_region((0, 0, 95, 79), RegionDataType=10),
        make_region((0, 0, 95, 79), RegionDataType=2),
    ]
    scan = scan_of(regions(others[0], make_region(LEFT), others[1], make_region(RIGHT), others[2]))
    assert scan.box == (40, 10, 91, 70)
    assert scan.whole == (80, 96)
    assert scan.picture.size == (51, 60)
    assert scan.notes == ("several_regions",)
    np.testing.assert_array_equal(np.asarray(scan.picture), GRAY[10:70, 40:91])


def test_a_region_can_be_chosen_or_none():
    data = regions(make_region(LEFT), make_region(RIGHT, PhysicalDeltaX=0.03, PhysicalDeltaY=0.03))
    np.testing.assert_array_equal(gray_of(data, region=1), GRAY[10:70, 0:40])
    np.testing.assert_array_equal(gray_of(data, region=2), GRAY[10:70, 40:91])
    np.testing.assert_array_equal(gray_of(data, region="whole"), GRAY)
    assert scan_of(data, region=2).pixel_mm == pytest.approx(0.3)
    assert scan_of(data, region="whole").pixel_mm is None
    assert scan_of(data, region="whole").notes == ("text_unknown", "odd_pixel_size")
    assert "has 2 2-D regions of tissue; dicom.region: 3 is none of them" in refusal(data, region=3)
    assert "has 0 2-D regions of tissue" in refusal(make_dicom(GRAY), region=1)


def test_of_equal_regions_the_first_is_read_and_that_is_noted():
    scan = scan_of(regions(make_region((5, 5, 44, 60)), make_region((50, 5, 89, 60))))
    assert (scan.box[0], scan.notes) == (5, ("several_regions",))


def test_a_whole_picture_is_noted_with_what_the_file_says_of_text():
    for said, note in ((None, "text_unknown"), ("YES", "text_inside"), ("NO", "text_denied"), ("?", "text_unknown")):
        elements = {"BurnedInAnnotation": said} if said else {}
        assert scan_of(make_dicom(GRAY, **elements)).notes == (note,)
        assert scan_of(regions(make_region(LEFT), **elements)).notes == ()


def test_a_region_that_ends_at_the_picture_s_size_is_inside():
    assert scan_of(regions(make_region((40, 10, 96, 80)))).box == (40, 10, 96, 80)


@pytest.mark.parametrize("box", [(0, 0, 120, 70), (40, 10, 97, 79), (50, 10, 49, 79), (200, 10, 300, 79)])
def test_a_region_outside_of_the_picture_is_of_another_one(box):
    scan = scan_of(regions(make_region(box), PixelSpacing=[0.2, 0.2]))
    assert scan.picture.size == SIZE
    assert scan.pixel_mm is None
    assert scan.notes == ("unusable_region", "text_unknown")


def test_a_region_of_a_few_pixels_is_refused():
    assert "say dicom.region: whole" in refusal(regions(make_region((0, 0, 10, 79))))


@pytest.mark.parametrize(
    ("elements", "size"),
    [
        ({}, 0.2),
        ({"PhysicalDeltaY": -0.02}, 0.2),
        ({"PhysicalDeltaX": -0.02, "PhysicalDeltaY": 0.0201}, 0.2005),
        ({"PhysicalDeltaY": 0.021}, None),
        ({"PhysicalDeltaY": 0.0}, None),
        ({"PhysicalUnitsXDirection": 4}, None),
        ({"PhysicalUnitsYDirection": 0}, None),
        ({"PhysicalDeltaX": 0.2, "PhysicalDeltaY": 0.2}, None),
    ],
)
def test_the_region_s_pixel_size_in_mm(elements, size):
    """Centimetres become millimetres; another unit, a pixel that is not square, or one of 2 mm is unknown."""
    scan = scan_of(regions(make_region(LEFT, **elements)))
    assert scan.pixel_mm == (None if size is None else pytest.approx(size, abs=1e-4))
    assert scan.notes == (("odd_pixel_size",) if size is None else ())


def test_a_region_without_a_pixel_size_is_none_to_wonder_at():
    scan = scan_of(regions(make_region(LEFT, PhysicalDeltaX=None, PhysicalDeltaY=None)))
    assert (scan.pixel_mm, scan.notes) == (None, ())


def test_spacing_counts_where_there_are_no_regions_and_it_is_of_the_body():
    assert scan_of(make_dicom(GRAY, PixelSpacing=[0.11, 0.11])).pixel_mm == pytest.approx(0.11)
    assert "odd_pixel_size" in scan_of(make_dicom(GRAY, PixelSpacing=[0.11, 0.2])).notes
    capture = make_dicom(GRAY, PixelSpacing=[0.11, 0.11], SOPClassUID=pydicom.uid.SecondaryCaptureImageStorage)
    assert scan_of(capture).pixel_mm is None


def test_the_device_is_manufacturer_and_model():
    data = make_dicom(GRAY, Manufacturer="ACME ", ManufacturerModelName="Sono\\7\r\n  " + "x" * 60)
    assert scan_of(data).device == "ACME Sono 7 " + "x" * 57
    assert scan_of(make_dicom(GRAY, ManufacturerModelName="Sono 7")).device == "Sono 7"
    assert scan_of(make_dicom(GRAY)).device is None
