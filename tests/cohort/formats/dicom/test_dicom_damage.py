"""DICOM of strangers: whatever the bytes are, a picture is read or a reason given, at once and without its header."""

import struct
import time
import zlib

import numpy as np
import pydicom
import pytest
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    RLELossless,
)

from busline.cohort.formats import pixels
from busline.cohort.formats.dicom.header import read_header
from busline.cohort.formats.dicom.reading import read_dicom, read_dicom_mask
from busline.cohort.schema import DicomForm
from made_dicom import (
    COLOURED,
    GRAY,
    as_bytes,
    encode,
    files_of_machines,
    gray_of,
    make_dicom,
    make_packed,
    make_region,
    refusal,
)

MARKER = "MARKERNAME"
NAMED = make_dicom(
    GRAY, SequenceOfUltrasoundRegions=[make_region((0, 0, 90, 70))], PatientName=MARKER, InstitutionName=MARKER
)


@pytest.mark.parametrize(
    ("elements", "reason"),
    [
        ({"Rows": 65535, "Columns": 65535}, "has 65535 × 65535 pixels; expected at most 2,000,000"),
        ({"Rows": 0}, "Rows is missing or no number"),
        ({"Columns": None}, "Columns is missing or no number"),
        ({"Rows": [80, 80]}, "Rows is missing or no number"),
        ({"Rows": 8}, "has 96 × 8 pixels; expected 16 × 16 or more"),
        ({"Rows": 40}, "with 7,680 bytes of pixels; its 96 × 40 pixels"),
        ({"Columns": 95}, "with 7,680 bytes of pixels; its 95 × 80 pixels"),
        ({"Rows": 81}, "with 7,680 bytes of pixels; its 96 × 81 pixels"),
        ({"NumberOfFrames": 999999999}, "NumberOfFrames is missing or no number"),
        ({"NumberOfFrames": 0}, "NumberOfFrames is missing or no number"),
        ({"NumberOfFrames": 200}, "has 200 frames; say in dataset.yaml"),
        ({"SamplesPerPixel": 2}, "colours of 2 channels that are not read"),
        ({"SamplesPerPixel": 3}, "colours of 3 channels that are not read"),
        ({"SamplesPerPixel": 4, "PhotometricInterpretation": "CMYK"}, "colours of 4 channels that are not read"),
        ({"PhotometricInterpretation": MARKER}, "colours of 1 channels that are not read"),
        ({"PhotometricInterpretation": None}, "colours of 1 channels that are not read"),
        ({"PhotometricInterpretation": "YBR_RCT", "SamplesPerPixel": 3}, "bytes of pixels"),
        ({"BitsAllocated": 32}, "32 bits a value"),
        ({"BitsStored": 12}, "8 bits a value"),
        ({"BitsStored": 4, "HighBit": 3}, "4 bits a pixel"),
        ({"PixelData": b""}, "(Ultrasound Image Storage) without pixels: truncated"),
        ({"PixelData": None}, "(Ultrasound Image Storage) without pixels: truncated"),
        ({"PixelRepresentation": 7}, "PixelRepresentation"),
        ({"PixelData": None, "FloatPixelData": bytes(4 * GRAY.size)}, "floating-point pixels"),
        (
            {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.88.33", "PixelData": None},
            "without pixels (Comprehensive SR Storage)",
        ),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.11.1", "PixelData": None}, "without pixels (Grayscale Softcopy"),
        ({"SOPClassUID": "1.2.3.4.5", "PixelData": None}, "is no image but DICOM without pixels"),
    ],
)
def test_a_header_that_cannot_be_is_refused(elements, reason):
    data = make_dicom(GRAY)
    with pixels.without_warnings():
        for name, value in elements.items():
            if value is None:
                delattr(data, name)
            else:
                setattr(data, name, value)
    message = refusal(data)
    assert reason in message
    assert MARKER not in message
    assert "1.2.3" not in message


@pytest.mark.parametrize("name", ["BitsStored", "HighBit", "PixelRepresentation", "SamplesPerPixel"])
def test_an_element_that_has_one_meaning_may_be_missing(name):
    np.testing.assert_array_equal(gray_of(make_dicom(GRAY, **{name: None})), GRAY)


def test_a_file_without_preamble_or_syntax_is_read():
    content = as_bytes(make_dicom(GRAY))
    np.testing.assert_array_equal(gray_of(content[132:]), GRAY)
    length = struct.unpack_from("<I", content, 140)[0]
    np.testing.assert_array_equal(gray_of(content[144 + length :]), GRAY)


@pytest.mark.parametrize("cut", [1, 10, 1000, 7600])
@pytest.mark.parametrize("packed", [False, True])
def test_a_truncated_file_is_refused(cut, packed):
    data = make_dicom(GRAY)
    if packed:
        data.compress(RLELossless, encoding_plugin="pydicom")
    content = as_bytes(data)
    cut += 8 if packed else 0
    assert refusal(content[:-cut])


def test_a_jpeg_or_run_that_ends_early_is_refused():
    jpeg = encode(COLOURED, "JPEG", quality=90)
    assert "no end" in refusal(make_packed([jpeg[:-700]], JPEGBaseline8Bit, COLOURED))
    assert "truncated or damaged" in refusal(make_packed([jpeg[:100]], JPEGBaseline8Bit, COLOURED))
    data = make_dicom(GRAY)
    data.compress(RLELossless, encoding_plugin="pydicom")
    frame = pydicom.encaps.get_frame(data.PixelData, 0)
    assert "damaged" in refusal(make_packed([frame[:-300]], RLELossless, GRAY))


def test_pixels_that_are_packed_in_another_way_than_said_are_refused():
    jpeg = as_bytes(make_packed([encode(GRAY, "JPEG")], JPEGBaseline8Bit, GRAY))
    assert "compressed, or uncompressed" in refusal(relabel(jpeg, JPEGBaseline8Bit, ExplicitVRLittleEndian))
    plain = as_bytes(make_dicom(GRAY))
    assert "compressed, or uncompressed" in refusal(relabel(plain, ExplicitVRLittleEndian, JPEGBaseline8Bit))
    unknown = relabel(plain, ExplicitVRLittleEndian, "1.2.840.99999.1")
    assert "stored in an unknown way (TransferSyntaxUID)" in refusal(unknown)
    assert "damaged" in refusal(make_packed([encode(GRAY, "JPEG")], RLELossless, GRAY))
    assert "is a film (MPEG2" in refusal(make_packed([bytes(100)], pydicom.uid.MPEG2MPML, GRAY))


def relabel(content, old, new):
    """Return a file that says another syntax; its meta information says its own length."""
    before, after = (
        b"\x02\x00\x10\x00UI" + struct.pack("<H", len(uid) + len(uid) % 2) + uid.encode() + b"\x00" * (len(uid) % 2)
        for uid in (old, new)
    )
    length = struct.unpack_from("<I", content, 140)[0] + len(after) - len(before)
    assert before in content
    return content[:140] + struct.pack("<I", length) + content[144:].replace(before, after, 1)


def test_a_compressed_picture_of_another_size_is_not_unpacked():
    huge = encode(np.zeros((1500, 2000), dtype=np.uint8), "JPEG")
    assert "of 96 × 80 pixels whose compressed picture has 2000 × 1500" in refusal(
        make_packed([huge], JPEGBaseline8Bit, GRAY)
    )
    huge = encode(np.zeros((1500, 2000), dtype=np.uint8), "JPEG2000", no_jp2=True)
    assert "whose compressed picture has 2000 × 1500" in refusal(make_packed([huge], pydicom.uid.JPEG2000, GRAY))


def test_runs_that_unpack_to_far_more_are_not_unpacked():
    frame = struct.pack("<16L", 1, 64, *[0] * 14) + b"\x81\x00" * 1_000_000
    assert "holds more than its pixels" in refusal(make_packed([frame], RLELossless, GRAY))


def test_deflated_data_are_read_within_a_limit():
    data = make_dicom(GRAY)
    data.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    content = as_bytes(data)
    np.testing.assert_array_equal(gray_of(content), GRAY)
    start = 144 + struct.unpack_from("<I", content, 140)[0]
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    bomb = packer.compress(zlib.decompress(content[start:], -zlib.MAX_WBITS) + bytes(60_000_000)) + packer.flush()
    assert "far too large" in refusal(content[:start] + bomb)
    assert "far too large" in refusal(content[: start + 500])


def test_sequences_in_sequences_end_in_a_reason():
    inner = b""
    for _ in range(3000):
        item = b"\xfe\xff\x00\xe0\xff\xff\xff\xff" + inner + b"\xfe\xff\x0d\xe0\x00\x00\x00\x00"
        inner = b"\x40\x00\x30\xa7SQ\x00\x00\xff\xff\xff\xff" + item + b"\xfe\xff\xdd\xe0\x00\x00\x00\x00"
    content = as_bytes(make_dicom(GRAY))
    start = 144 + struct.unpack_from("<I", content, 140)[0]
    assert refusal(content[:start] + inner + content[start:]) == "is truncated or damaged DICOM"


def test_no_name_is_even_parsed():
    with pixels.without_warnings():
        data = read_header(as_bytes(NAMED), 2_000_000).data
    assert {"PatientName", "InstitutionName", "SOPInstanceUID"}.isdisjoint(data.dir())
    assert "SequenceOfUltrasoundRegions" in data


def test_private_elements_and_odd_kinds_are_skipped():
    data = make_dicom(GRAY)
    block = data.private_block(0x0011, MARKER, create=True)
    block.add_new(1, "UN", bytes(range(256)))
    content = as_bytes(data)
    np.testing.assert_array_equal(gray_of(content), GRAY)
    odd = content.replace(b"\x28\x00\x10\x00US", b"\x28\x00\x10\x00ZZ", 1)
    assert refusal(odd)


def test_jpeg_lossless_names_the_extra_that_reads_it():
    decoder = pydicom.pixels.get_decoder(JPEGLosslessSV1)
    if decoder.is_available:
        pytest.skip("the extra is installed")
    jpeg = encode(GRAY, "JPEG").replace(b"\xff\xc0", b"\xff\xc3", 1)
    message = refusal(make_packed([jpeg], JPEGLosslessSV1, GRAY))
    assert "pip install 'busline[jpeg-lossless]'" in message
    assert "GPL" in message


def reason(read):
    """Return why nothing can be read; nothing else than a reason may be raised."""
    try:
        pixels.to_gray(read())
    except ValueError as error:
        return str(error)
    return "read"


def spoil(content, generator, step):
    """Return content cut off, or with some bytes changed, at any place or in the header."""
    if step % 4 == 0:
        return content[: int(generator.integers(len(content)))]
    spoilt = bytearray(content)
    last = len(content) if step % 4 == 1 else min(len(content), 2500)
    for place in generator.integers(100, last, int(generator.integers(1, 9))):
        spoilt[place] = generator.choice([0, 1, 127, 128, 255]) if step % 2 else generator.integers(256)
    return bytes(spoilt)


def seeds():
    """Return small files of every kind that is made here, and those of machines."""
    packed = make_dicom(COLOURED)
    packed.compress(RLELossless, encoding_plugin="pydicom")
    deflated = make_dicom(GRAY)
    deflated.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    made = [
        NAMED,
        packed,
        deflated,
        make_dicom(GRAY, ImplicitVRLittleEndian, PatientName=MARKER),
        make_packed([encode(COLOURED, "JPEG")] * 3, JPEGBaseline8Bit, COLOURED),
        make_packed([encode(COLOURED, "JPEG2000", no_jp2=True)], pydicom.uid.JPEG2000, COLOURED),
    ]
    small = [path.read_bytes() for path in files_of_machines() if path.stat().st_size < 400_000]
    return [*map(as_bytes, made), *small]


def test_eight_hundred_spoilt_files_give_a_picture_or_a_reason():
    generator, files, reasons = np.random.default_rng(0), seeds(), []
    with pixels.without_warnings():
        for step in range(800):
            content = spoil(files[step % len(files)], generator, step // len(files) + step)
            began = time.monotonic()
            reasons += [
                reason(lambda content=content: read_dicom(content, 300_000, DicomForm(frame="first")).picture),
                reason(lambda content=content: read_dicom_mask(content, 300_000)),
            ]
            assert time.monotonic() - began < 10
    assert all(reasons)
    assert not [text for text in reasons if MARKER in text]
    assert 200 < reasons.count("read") < 1400
