"""The settings of each model, all that decides it alone, from the sections that hold those of all models.

The stage `settings` writes them; a stage that trains a model reads its own file.
"""

from __future__ import annotations

from collections.abc import Mapping

from busline.base.settings.images import CUSTOM, Cnn, ImageSettings
from busline.base.settings.merged import Merged, MergedHead, MergedSettings
from busline.base.settings.reading import require_name
from busline.base.settings.section import Section
from busline.base.settings.segmentation import Segmentation, SegmenterSettings
from busline.base.settings.tabular import Tabular
from busline.base.settings.training import Augmentation


class ModelSections(Section):
    """The sections that hold the settings of models."""

    tabular: Tabular
    augmentation: Augmentation
    cnn: Cnn
    merged: Merged
    seg: Segmentation


def active_settings(sections: ModelSections) -> dict[str, Mapping[str, Section]]:
    """Return the settings of every active model by section and model; of `augmentation`, by level."""
    tabular, cnn, augmentation = sections.tabular, sections.cnn, sections.augmentation
    return {
        "tabular": {name: getattr(tabular.models, name) for name in tabular.active},
        "cnn": {name: image_settings(cnn, augmentation, name) for name in cnn.active},
        "augmentation": {
            level: image_settings(cnn, augmentation, CUSTOM, level=level) for level in augmentation.active
        },
        "merged": {name: merged_settings(sections, name) for name in sections.merged.active},
        "seg": {name: segmenter_settings(sections.seg, augmentation, name) for name in sections.seg.active},
    }


def image_settings(cnn: Cnn, augmentation: Augmentation, name: str, *, level: str | None = None) -> ImageSettings:
    """Return the settings of one image model, a key of ``cnn.models``.

    Args:
        cnn: the section.
        augmentation: the section.
        name: a key of ``cnn.models``.
        level: a key of ``augmentation.levels``; None takes ``cnn.augmentation``.

    Raises:
        ParameterError: for a name that is not there.
    """
    level = level or cnn.augmentation
    require_name("image model", name, cnn.models)
    require_name("augmentation level", level, augmentation.levels)
    return ImageSettings(
        model=cnn.models[name],
        image_size=cnn.image_size,
        augmentation=augmentation.levels[level],
        fit_all=cnn.fit_all,
    )


def merged_settings(sections: ModelSections, name: str) -> MergedSettings:
    """Return the settings of the network that joins the table's and ``name``, a key of ``cnn.models``."""
    return MergedSettings(
        merged=MergedHead.model_validate(sections.merged.model_dump(exclude={"active"})),
        dnn=sections.tabular.models.dnn,
        image=image_settings(sections.cnn, sections.augmentation, name),
    )


def segmenter_settings(seg: Segmentation, augmentation: Augmentation, name: str) -> SegmenterSettings:
    """Return the settings of one segmentation network, a key of ``seg.models``.

    Raises:
        ParameterError: for a name that is not there.
    """
    require_name("segmentation model", name, seg.models)
    own = seg.of_model(name)
    require_name("augmentation level", own.augmentation, augmentation.levels)
    content = own.model_dump(include=set(SegmenterSettings.model_fields))
    return SegmenterSettings.model_validate({**content, "augmentation": augmentation.levels[own.augmentation]})
