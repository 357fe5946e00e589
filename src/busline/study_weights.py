"""Which weights files a study can have, found out before it runs and written into its parameters.

A model whose file is nowhere is left out by name, so that no folder of this machine decides in silence what a study is.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from busline.base.errors import DownloadError
from busline.base.params import Params
from busline.base.settings.models import active_weights, model_sections
from busline.base.settings.weights import NONE, FromUrl, InitialWeights
from busline.fetch.download import answers
from busline.weights.place import find_local


def missing_files(params: Params, mirror: Path | None) -> dict[str, list[str]]:
    """Return the files that active models start from and that are neither here nor to be downloaded.

    Args:
        params: of the study.
        mirror: $BUSLINE_MIRROR, or None.

    Returns:
        By key of weights.files, the models: `cnn/<model>`, `seg/<model>`, `lesion/lesion`.
    """
    sections = model_sections(params)
    wanted: dict[str, list[str]] = {}
    initial: dict[str, InitialWeights] = {}
    for section, models in active_weights(sections).items():
        for model, start in models.items():
            if start.file is not None:
                wanted.setdefault(start.name, []).append(f"{section}/{model}")
                initial[start.name] = start
    return {name: models for name, models in wanted.items() if not _at_hand(initial[name], mirror)}


def _at_hand(initial: InitialWeights, mirror: Path | None) -> bool:
    assert initial.file is not None
    if find_local(initial.name, initial.file, mirror) is not None:
        return True
    return isinstance(initial.file.origin, FromUrl) and answers(initial.file.origin.url)


def without(params: Params, missing: Mapping[str, list[str]]) -> dict[str, Any]:
    """Return the settings that leave the models of missing files out: image models whole, encoders their weights.

    `seg.weights` is changed only where no active network keeps it.

    Raises:
        DownloadError: if it is the file of the lesion network's encoder.
    """
    if not missing:
        return {}
    gone = {model for models in missing.values() for model in models}
    if "lesion/lesion" in gone:
        name = next(key for key, models in missing.items() if "lesion/lesion" in models)
        mend = "put it into $BUSLINE_MIRROR/weights or go online, or set lesion.weights to none"
        raise DownloadError(f"weights.files.{name}", "is neither here nor to be downloaded", mend=mend)
    settings: dict[str, Any] = {"weights.missing": sorted(missing)}
    for key, models in (("cnn.active", params.cnn.active), ("merged.active", params.merged.active)):
        settings[key] = [name for name in models if f"cnn/{name}" not in gone]
    if f"cnn/{params.illustrate.saliency}" in gone:
        settings["illustrate.saliency"] = None
    heirs = [name for name in params.seg.active if params.seg.models[name].weights is None]
    together = all(f"seg/{name}" in gone for name in heirs)
    for name in params.seg.active:
        if f"seg/{name}" in gone:
            of_all = name in heirs and together
            added = "++" if name in heirs else ""
            settings["seg.weights" if of_all else f"{added}seg.models.{name}.weights"] = NONE
    return settings
