"""How the report names models, metrics and kinds of provenance; a name it does not know is shown as it is."""

from __future__ import annotations

from collections.abc import Iterable

from busline.evaluation.results import Classifier, Tables
from busline.families import FAMILIES, classifiers
from busline.metrics.segmentation import KNOWN

UNDEFINED = "n/a"
"""What is ours and undefined."""
NOTHING = "–"
"""What is not there."""
NOT_RUN = "not run"
"""A model the paper has, and this run has not."""

MODELS = {
    "logreg": "Logistic regression",
    "random_forest": "Random forest",
    "xgboost": "XGBoost",
    "lightgbm": "LightGBM",
    "catboost": "CatBoost",
    "dnn": "DNN",
    "mobilenet_v2_imagenet": "MobileNetV2 (ImageNet)",
    "mobilenet_v2_random": "MobileNetV2 (random)",
    "lite0_imagenet": "EfficientNet-Lite0 (ImageNet)",
    "lite0_random": "EfficientNet-Lite0 (random)",
    "custom_cnn": "Custom CNN",
    "none": "No augmentation",
    "mild": "Mild",
    "moderate": "Moderate",
    "aggressive": "Aggressive",
    "image": "Lesion network and shape",
    "image_scale": "Lesion network, shape and size in mm",
    "image_clinical": "Lesion network, shape and clinical",
    "image_scale_clinical": "Lesion network, shape, size in mm and clinical",
    "malignancy": "Malignancy logit",
    "malignancy_whole": "Malignancy logit, whole picture",
    "malignancy_window": "Malignancy logit, window",
    "network": "Malignancy and BI-RADS logits",
    "shape": "Shape",
    "scale": "Size in mm",
    "clinical": "Clinical",
    "network_clinical": "Logits and clinical",
    "shape_clinical": "Shape and clinical",
}

METRICS = {
    "accuracy": "Accuracy",
    "f1": "F1",
    "roc_auc": "ROC AUC",
    "precision": "Precision",
    "recall": "Recall",
    "specificity": "Specificity",
    **{name: measure.heading for name, measure in KNOWN.items()},
}

SOURCES = {
    "phantom": "synthetic phantoms",
    "breast": "BrEaST (USG-BrEaST-Lesions)",
    "folder": "the user's own folder",
}


def family_name(key: str) -> str:
    """Return what a family of models is called."""
    return FAMILIES[key].title if key in FAMILIES else key


def model_name(key: str) -> str:
    """Return a model's display name."""
    return MODELS.get(key, key)


def in_order(names: Iterable[str]) -> list[str]:
    """Return names of models and pairs (a+b) in the report's order, those it does not know behind them."""
    place = {name: number for number, name in enumerate(MODELS)}
    return sorted(names, key=lambda name: ([place.get(part, len(place)) for part in name.split("+")], name))


def pair_name(tabular: str, image: str) -> str:
    """Return the display name of a pair of a tabular and an image model."""
    return f"{model_name(tabular)} + {model_name(image)}"


def scored_models(scores: Tables) -> list[tuple[str, str, Classifier]]:
    """Return (family, name, content) of every model with every metric, in the report's order."""
    families = {family.key: scores.scored(family.key) for family in classifiers(search=False)}
    return [(family, name, models[name]) for family, models in families.items() for name in in_order(models)]


def count_scored(scored: int, undefined: int) -> str:
    """Return how many have a score, and of how many if some are undefined."""
    return f"{scored} of {scored + undefined}" if undefined else str(scored)


def segmentation_metrics(names: Iterable[str]) -> list[str]:
    """Return those of ``names`` that are metrics of segmentation, in the report's order."""
    present = set(names)
    return [name for name in KNOWN if name in present]


def about_distances(names: Iterable[str]) -> str:
    """Say what a reader of some metrics of segmentation must know of those that are distances; nothing if none is."""
    lower = [METRICS[name] for name in segmentation_metrics(names) if KNOWN[name].better == "lower"]
    if not lower:
        return ""
    pixels = any(KNOWN[name].unit == "px" for name in names if name in KNOWN)
    unit = " No pixel has a size here: px are pixels of the stored image." if pixels else ""
    return (
        f"Of {' and '.join(lower)} less is better. They are undefined where an outline is empty"
        f"{'' if pixels else ' or the size of a pixel unknown'}: such cases are left out of the mean and counted.{unit}"
    )


def any_name(name: str) -> str:
    """Return the display name of a model or of a pair (a+b)."""
    return " + ".join(map(model_name, name.split("+")))


def one_name(family: str, name: str) -> str:
    """Return a model's name with its family, for wide tables."""
    return f"{family_name(family)}: {any_name(name)}"
