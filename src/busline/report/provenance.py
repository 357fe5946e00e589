"""Where the figures come from: the data's hashes, the libraries, the lock file, the parameters and the open choices."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from busline.base.params import Params
from busline.base.settings.models import active_weights, model_sections
from busline.base.settings.weights import UNVERIFIED, WHOLE, find_weights
from busline.report.paper import OpenChoice

LIBRARIES = (
    "numpy", "pandas", "scipy", "scikit-learn", "xgboost", "lightgbm", "catboost",
    "torch", "torchvision", "timm", "segmentation-models-pytorch", "dvc",
)  # fmt: skip
DATA_FILES = ("cases.parquet", "images.npy", "masks.npy")


def library_versions() -> dict[str, str | None]:
    """Return the installed version of each main library, null for one that is not installed."""
    return {name: _version(name) for name in LIBRARIES}


def hash_file(path: Path) -> str | None:
    """Return a file's SHA-256 as hexadecimal digits, or null if there is no such file."""
    if not path.is_file():
        return None
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def list_weights(params: Params) -> list[dict[str, str]]:
    """Return what every active model that does not start from random weights starts from, and how it was checked."""
    sections = model_sections(params)
    rows = []
    for section, models in active_weights(sections).items():
        for model, initial in models.items():
            if initial.file is not None:
                known = initial.file.sha256
                short = f"begins with {known}" if len(known) < WHOLE else known
                checked = "not verified: nothing is known of the file" if known == UNVERIFIED else short
                own = {"trained_on": initial.file.trained_on, "licence": initial.file.licence, "checked": checked}
                rows.append({"model": f"{section}/{model}", "name": initial.name, **own})
    return rows


def missing_weights(params: Params) -> dict[str, str]:
    """Return the image models whose weights file could not be had when the study began, and the file's key."""
    files, found = params.weights.files, {}
    for name, model in params.cnn.models.items():
        key = find_weights(files, model.weights, model.network, f"cnn.models.{name}.weights")
        if key in params.weights.missing:
            found[name] = key
    return found


def show_params(params: Params) -> str:
    """Return all parameters as YAML; the same values give the same text, however params.yaml is written."""
    from ruamel.yaml import YAML

    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.width = 1000
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]  # keep the order of params.py
    stream = io.StringIO()
    yaml.dump(params.model_dump(mode="json"), stream)
    return stream.getvalue()


def describe_choice(choice: OpenChoice, params: Params) -> dict[str, Any]:
    """Return what the paper leaves open, the choice in words, and the parameters that hold it with their values.

    A `*` in a key stands for every active model; a key below a null (no fine-tuning, say) is left out.
    """
    content = params.model_dump(mode="json")
    found = [pair for key in choice.parameters for pair in look_up(content, key)]
    values = [{"key": key, "value": value} for key, value in found]
    return {"what": choice.what, "chosen": choice.chosen, "values": values}


def look_up(content: Mapping[str, Any], key: str) -> list[tuple[str, Any]]:
    """Return the leaves at and below a dotted key with their full keys; see :func:`describe_choice` for `*`."""
    return list(_look_up(content, key.split("."), ""))


def _look_up(node: Any, parts: list[str], path: str) -> Iterator[tuple[str, Any]]:
    """Yield the leaves at and below a dotted key with their full keys."""
    if parts[:2] == ["models", "*"]:
        for name in node["active"]:
            yield from _look_up(node["models"][name], parts[2:], f"{path}.models.{name}")
    elif parts and node is not None:
        yield from _look_up(node[parts[0]], parts[1:], f"{path}.{parts[0]}")
    elif isinstance(node, Mapping):
        for key in node:
            yield from _look_up(node[key], [], f"{path}.{key}")
    elif not parts:
        yield path.removeprefix("."), node


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
