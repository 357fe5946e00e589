"""A lesion as an outline, in every format in which annotation tools write one, and folders of such files."""

from __future__ import annotations

import base64
import io
import json
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from ruamel.yaml import YAML

from helpers_cohort import draw_image

SIZE = (400, 300)
"""Width and height of the images."""
CASES = {"a": "benign", "b": "malignant", "n": "normal"}


def lesion(x: float = 180, y: float = 150, radius: float = 70, points: int = 240) -> np.ndarray:
    """Return a lobed outline, float64 (points, 2)."""
    angles = np.arange(points) * (2 * np.pi / points)
    radii = radius * (1 + 0.12 * np.cos(3 * angles) + 0.05 * np.sin(5 * angles))
    return np.stack([x + radii * np.cos(angles), y + 0.8 * radii * np.sin(angles)], axis=1)


def area_of(ring: np.ndarray) -> float:
    """Return the area that a line which does not cross itself encloses, by the shoelace formula."""
    x, y = ring.T
    return float(abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2)


def to_runs(mask: np.ndarray) -> list[int]:
    """Return the runs of a mask, column by column, by counting."""
    flat = np.concatenate([[False], mask.T.ravel(), [not mask.T.ravel()[-1]]])
    places = np.flatnonzero(flat[1:] != flat[:-1])
    return np.diff(np.concatenate([[0], places])).tolist()


def to_png(mask: np.ndarray, mode: str = "L") -> bytes:
    """Return a mask as a PNG: gray, of one bit, or in opacity alone."""
    picture = Image.fromarray(mask.astype(np.uint8) * np.uint8(255))
    if mode == "RGBA":
        clear = Image.new("RGBA", picture.size, (0, 0, 0, 0))
        clear.putalpha(picture)
        picture = clear
    stream = io.BytesIO()
    picture.convert(mode).save(stream, "PNG")
    return stream.getvalue()


def to_text(content: bytes, *, packed: bool) -> str:
    """Return bytes in base 64, packed by zlib before if so."""
    return base64.b64encode(zlib.compress(content) if packed else content).decode()


def coco(segmentations: dict[str, Any], size: tuple[int, int] = SIZE) -> dict[str, Any]:
    """Return a COCO file with one annotation of class lesion an image."""
    width, height = size
    names = list(segmentations)
    return {
        "images": [{"id": i, "file_name": name, "width": width, "height": height} for i, name in enumerate(names)],
        "categories": [{"id": 7, "name": "lesion"}],
        "annotations": [
            {"id": i, "image_id": i, "category_id": 7, "segmentation": segmentations[name], "bbox": [1, 2, 3, 4]}
            for i, name in enumerate(names)
        ],
    }


def labelme(shapes: list[dict[str, Any]], image: str = "a.png", size: tuple[int, int] = SIZE) -> dict[str, Any]:
    """Return a LabelMe file."""
    return {
        "version": "5.5.0",
        "imagePath": image,
        "imageData": "aGVsbG8=",
        "imageWidth": size[0],
        "imageHeight": size[1],
        "shapes": [{"label": "lesion", "shape_type": "polygon"} | shape for shape in shapes],
    }


def via(shapes: dict[str, list[dict[str, Any]]], version: int = 2) -> dict[str, Any]:
    """Return a VIA file with the shapes of each image, all of class lesion."""
    content = {}
    for name, items in shapes.items():
        regions = [{"shape_attributes": item, "region_attributes": {"type": "lesion"}} for item in items]
        numbered = {str(number): region for number, region in enumerate(regions)}
        content[f"{name}99"] = {"filename": name, "size": 99, "regions": regions if version == 2 else numbered}
    return content


def via_polygon(ring: np.ndarray) -> dict[str, Any]:
    """Return the shape of a line."""
    return {"name": "polygon", "all_points_x": ring[:, 0].tolist(), "all_points_y": ring[:, 1].tolist()}


def supervisely(objects: list[dict[str, Any]], size: tuple[int, int] = SIZE) -> dict[str, Any]:
    """Return a Supervisely file."""
    named = [{"classTitle": "lesion", "geometryType": "polygon"} | item for item in objects]
    return {"description": "", "tags": [], "size": {"width": size[0], "height": size[1]}, "objects": named}


def yolo(*rings: np.ndarray, size: tuple[int, int] = SIZE) -> str:
    """Return a YOLO file of class 0."""
    lines = ["0 " + " ".join(f"{share:.6f}" for share in (ring / size).ravel()) for ring in rings]
    return "".join(f"{line}\n" for line in lines)


def write_own(folder: Path, files: dict[str, Any], **keys: Any) -> Path:
    """Write a folder of three images, a benign, a malignant and a normal one, and files; mappings become JSON."""
    (folder / "images").mkdir(parents=True)
    for seed, name in enumerate(CASES):
        Image.fromarray(draw_image(seed, SIZE)).save(folder / f"images/{name}.png")
    rows = ["id,image,label", *(f"{name},images/{name}.png,{label}" for name, label in CASES.items())]
    (folder / "table.csv").write_text("\n".join(rows) + "\n")
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content if isinstance(content, str) else json.dumps(content))
    parts = {"table": "table.csv", "case_id": "id", "image": "image", "label": "label", "patient_id": "each image"}
    labels = {label: label for label in CASES.values()}
    with (folder / "dataset.yaml").open("w") as file:
        YAML().dump(parts | {"labels": labels} | keys, file)
    return folder
