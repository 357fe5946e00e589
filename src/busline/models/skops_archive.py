"""skops archives with the same bytes for the same model.

skops names its entries by memory addresses and stamps them with the time. Here addresses are replaced by numbers in
the order in which the schema mentions them, and times by a fixed one.
"""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

EPOCH = (1980, 1, 1, 0, 0, 0)


def normalised(archive: bytes) -> bytes:
    """Return an equal skops archive whose bytes depend on the model alone."""
    with zipfile.ZipFile(io.BytesIO(archive)) as source:
        entries = {name: source.read(name) for name in source.namelist()}
    schema = json.loads(entries.pop("schema.json"))
    numbers: dict[int, int] = {}
    names: dict[str, str] = {}
    schema = _renumber(schema, numbers, names)
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as zipped:
        for old, new in names.items():
            zipped.writestr(zipfile.ZipInfo(new, EPOCH), entries[old], zipfile.ZIP_DEFLATED)
        text = json.dumps(schema, indent=2)
        zipped.writestr(zipfile.ZipInfo("schema.json", EPOCH), text, zipfile.ZIP_DEFLATED)
    return target.getvalue()


def _renumber(node: Any, numbers: dict[int, int], names: dict[str, str]) -> Any:
    if isinstance(node, list):
        return [_renumber(item, numbers, names) for item in node]
    if not isinstance(node, dict):
        return node
    result: dict[str, Any] = {}
    for key, value in node.items():
        if key == "__id__":
            result[key] = numbers.setdefault(value, len(numbers) + 1)
        elif key == "file" and isinstance(value, str):
            suffix = value.rpartition(".")[2]
            result[key] = names.setdefault(value, f"{len(names) + 1}.{suffix}")
        else:
            result[key] = _renumber(value, numbers, names)
    return result
