"""The settings of each model, all that decides it alone, from the sections that hold those of all models.

The stage `settings` writes them; a stage that trains a model reads its own file.
"""

from __future__ import annotations

from collections.abc import Mapping

from busline.base.settings.images import CUSTOM, Cnn, ImageSettings
from busline.base.settings.lesion import Lesion, LesionBody
from busline.base.settings.merged import Merged, MergedHead, MergedSettings
from busline.base.settings.reading import require_name
from busline.base.settings.section import Section
from busline.base.settings.segmentation import Segmentation, SegmenterSettings
from busline.base.settings.tabular import Tabular
from busline.base.settings.training import Augmentation
from busline.base.settings.weights import NONE, InitialWeights, Start, Weights, find_weights, start_of


class ModelSections(Section):
    """The sections that hold the settings of models."""

    tabular: Tabular
    augmentation: Augmentation
    cnn: Cnn
    merged: Merged
    seg: Segmentation
    lesion: Lesion
    weights: Weights


def model_sections(params: Section) -> ModelSections:
    """Return the sections that hold the settings of models, of all parameters."""
    return ModelSections.model_validate({name: getattr(params, name) for name in ModelSections.model_fields})


def active_settings(sections: ModelSections) -> dict[str, Mapping[str, Section]]:
    """Return the settings of every active model by section and model; of `augmentation`, by level."""
    tabular, cnn, augmentation = sections.tabular, sections.cnn, sections.augmentation
    return {
        "tabular": {name: getattr(tabular.models, name) for name in tabular.active},
        "cnn": {
            name: image_settings(cnn, augmentation, name, start=image_start(sections, name)) for name in cnn.active
        },
        "augmentation": {
            level: image_settings(cnn, augmentation, CUSTOM, level=level) for level in augmentation.active
        },
        "merged": {name: merged_settings(sections, name) for name in sections.merged.active},
        "seg": {
            name: segmenter_settings(sections.seg, augmentation, name, start=encoder_start(sections, name))
            for name in sections.seg.active
        },
        "lesion": {"lesion": LesionBody(encoder=sections.lesion.encoder, start=lesion_start(sections))},
    }


def active_weights(sections: ModelSections) -> dict[str, dict[str, InitialWeights]]:
    """Return the file that every active model starts from, by section and model."""
    starts = {
        "cnn": {name: image_start(sections, name) for name in sections.cnn.active},
        "seg": {name: encoder_start(sections, name) for name in sections.seg.active},
        "lesion": {"lesion": lesion_start(sections)},
    }
    files = sections.weights.files
    return {
        key: {
            name: InitialWeights(name=start.name, file=files[start.name])
            if start
            else InitialWeights(name=NONE, file=None)
            for name, start in models.items()
        }
        for key, models in starts.items()
    }


def image_start(sections: ModelSections, name: str) -> Start | None:
    """Return what an image model, a key of ``cnn.models``, starts from; None for random weights.

    Raises:
        ParameterError: for a name that is not there, or weights that the network has not.
    """
    require_name("image model", name, sections.cnn.models)
    model, files = sections.cnn.models[name], sections.weights.files
    return start_of(files, find_weights(files, model.weights, model.network, f"cnn.models.{name}.weights"))


def encoder_start(sections: ModelSections, name: str) -> Start | None:
    """Return what the encoder of a segmentation network, a key of ``seg.models``, starts from; see above."""
    require_name("segmentation model", name, sections.seg.models)
    own, files = sections.seg.of_model(name), sections.weights.files
    where = "seg.weights" if sections.seg.models[name].weights is None else f"seg.models.{name}.weights"
    return start_of(files, find_weights(files, own.weights, own.encoder, where))


def lesion_start(sections: ModelSections) -> Start | None:
    """Return what the lesion network's encoder starts from; see above. None as well where there is no such network."""
    lesion, files = sections.lesion, sections.weights.files
    if not lesion.networks:
        return None
    return start_of(files, find_weights(files, lesion.weights, lesion.encoder, "lesion.weights"))


def image_settings(
    cnn: Cnn, augmentation: Augmentation, name: str, *, level: str | None = None, start: Start | None = None
) -> ImageSettings:
    """Return the settings of one image model, a key of ``cnn.models``.

    Args:
        cnn: the section.
        augmentation: the section.
        name: a key of ``cnn.models``.
        level: a key of ``augmentation.levels``; None takes ``cnn.augmentation``.
        start: what it starts from; None for random weights.

    Raises:
        ParameterError: for a name that is not there.
    """
    level = level or cnn.augmentation
    require_name("image model", name, cnn.models)
    require_name("augmentation level", level, augmentation.levels)
    return ImageSettings(
        model=cnn.models[name],
        start=start,
        image_size=cnn.image_size,
        augmentation=augmentation.levels[level],
        fit_all=cnn.fit_all,
    )


def merged_settings(sections: ModelSections, name: str) -> MergedSettings:
    """Return the settings of the network that joins the table's and ``name``, a key of ``cnn.models``."""
    return MergedSettings(
        merged=MergedHead.model_validate(sections.merged.model_dump(exclude={"active"})),
        dnn=sections.tabular.models.dnn,
        image=image_settings(sections.cnn, sections.augmentation, name, start=image_start(sections, name)),
    )


def segmenter_settings(
    seg: Segmentation, augmentation: Augmentation, name: str, *, start: Start | None = None
) -> SegmenterSettings:
    """Return the settings of one segmentation network, a key of ``seg.models``, whose encoder starts from ``start``.

    Raises:
        ParameterError: for a name that is not there.
    """
    require_name("segmentation model", name, seg.models)
    own = seg.of_model(name)
    require_name("augmentation level", own.augmentation, augmentation.levels)
    content = own.model_dump(include=set(SegmenterSettings.model_fields))
    level = augmentation.levels[own.augmentation]
    return SegmenterSettings.model_validate({**content, "augmentation": level, "start": start})
