"""Small DICOM files for tests."""

from __future__ import annotations

import io
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import UID, ExplicitVRBigEndian, ExplicitVRLittleEndian, UltrasoundImageStorage, generate_uid

from busline.cohort.formats import pixels
from busline.cohort.formats.dicom.reading import read_dicom
from busline.cohort.formats.scans import Scan
from busline.cohort.schema import DicomForm
from helpers_cohort import draw_image

SIZE = (96, 80)
"""Width and height of the tiny files."""
GRAY = draw_image(0, SIZE)
COLOURED = np.stack([GRAY, np.roll(GRAY, 7, axis=0), np.roll(GRAY, 7, axis=1)], axis=-1)
"""A picture in colour."""
TINTED = np.where((np.arange(SIZE[0]) < 30)[None, :, None], COLOURED, GRAY[..., None])
"""A scan with some colour: most of its pixels are gray."""


def luminance(rgb: np.ndarray) -> np.ndarray:
    """Return the gray that a PNG of the same colours becomes."""
    return np.asarray(Image.fromarray(rgb.astype(np.uint8)).convert("L"))


def make_dicom(values: np.ndarray, syntax: UID = ExplicitVRLittleEndian, **elements: Any) -> Dataset:
    """Return an ultrasound image of (rows, columns) or (rows, columns, 3); an element that is None is left out."""
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = syntax
    data.SOPClassUID = data.file_meta.MediaStorageSOPClassUID = UltrasoundImageStorage
    data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    data.Rows, data.Columns = values.shape[:2]
    data.SamplesPerPixel = 3 if values.ndim == 3 else 1
    data.PhotometricInterpretation = "RGB" if values.ndim == 3 else "MONOCHROME2"
    if values.ndim == 3:
        data.PlanarConfiguration = 0
    data.BitsAllocated = data.BitsStored = 8 * values.dtype.itemsize
    data.HighBit = data.BitsStored - 1
    data.PixelRepresentation = int(values.dtype.kind == "i")
    order = ">" if syntax == ExplicitVRBigEndian else "<"
    content = values.astype(values.dtype.newbyteorder(order)).tobytes()
    data.PixelData = content + b"\x00" * (len(content) % 2)
    data["PixelData"].VR = "OW" if values.dtype.itemsize > 1 else "OB"
    with pixels.without_warnings():
        for name, value in elements.items():
            if value is None:
                del data[name]
            else:
                setattr(data, name, value)
    if "HighBit" not in elements and elements.get("BitsStored"):
        data.HighBit = data.BitsStored - 1
    return data


def make_packed(frames: list[bytes], syntax: UID, values: np.ndarray, **elements: Any) -> Dataset:
    """Return an image whose frames are compressed already."""
    data = make_dicom(values, syntax, **elements)
    data.PixelData = encapsulate(frames)
    data["PixelData"].VR = "OB"
    data["PixelData"].is_undefined_length = True
    if len(frames) > 1:
        data.NumberOfFrames = len(frames)
    return data


def make_region(box: tuple[int, int, int, int], **elements: Any) -> Dataset:
    """Return a 2-D region of tissue from its first to its last column and row, of 0.02 cm a pixel."""
    item = Dataset()
    item.RegionSpatialFormat = item.RegionDataType = 1
    item.RegionFlags = 2
    names = ("RegionLocationMinX0", "RegionLocationMinY0", "RegionLocationMaxX1", "RegionLocationMaxY1")
    for name, value in zip(names, box, strict=True):
        setattr(item, name, value)
    item.PhysicalUnitsXDirection = item.PhysicalUnitsYDirection = 3
    item.PhysicalDeltaX = item.PhysicalDeltaY = 0.02
    for name, value in elements.items():
        setattr(item, name, value)
    return item


def encode(rgb: np.ndarray, kind: str, **options: Any) -> bytes:
    """Return a picture as Pillow compresses it."""
    file = io.BytesIO()
    Image.fromarray(rgb).save(file, kind, **options)
    return file.getvalue()


def as_bytes(data: Dataset) -> bytes:
    """Return the bytes of a file."""
    file = io.BytesIO()
    with pixels.without_warnings():
        data.save_as(file, enforce_file_format=True)
    return file.getvalue()


def scan_of(data: Dataset | bytes | Path, bits: int | None = None, **form: Any) -> Scan:
    """Read a file as a case's image."""
    content = data if isinstance(data, bytes) else data.read_bytes() if isinstance(data, Path) else as_bytes(data)
    with pixels.without_warnings():
        return read_dicom(content, 2_000_000, DicomForm(**form), bits)


def gray_of(data: Dataset | bytes | Path, bits: int | None = None, **form: Any) -> np.ndarray:
    """Return the gray levels of a file."""
    return pixels.to_gray(scan_of(data, bits, **form).picture).astype(int)


def refusal(data: Dataset | bytes | Path, **form: Any) -> str:
    """Return why a file is refused."""
    with pytest.raises(ValueError, match=".") as error:
        scan_of(data, **form)
    return str(error.value)


def files_of_machines() -> list[Path]:
    """Return the files of pydicom and of pydicom-data, by the place of their packages; nothing is downloaded."""
    folders = {"pydicom": "data/test_files", "data_store": "data"}
    found = []
    for package, folder in folders.items():
        spec = find_spec(package)
        if spec and spec.origin:
            found += sorted((Path(spec.origin).parent / folder).glob("*.dcm"))
    return found


def machine_file(name: str) -> Path:
    """Return one of these files; without pydicom-data the test is skipped."""
    known = {path.name: path for path in files_of_machines()}
    if name not in known:
        pytest.skip("needs the package pydicom-data")
    return known[name]
