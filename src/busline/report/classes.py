"""The scores of all classes of a study of more than two."""

from __future__ import annotations

from collections.abc import Mapping

from busline.evaluation.results import AllClasses, Summary, Tables
from busline.report.layout import Row, column, section, table, text_column
from busline.report.names import NOTHING, any_name, count_scored, family_name, in_order, one_name
from busline.report.operating import NAMES, named, percent

WHOLE = {
    "accuracy": "Accuracy",
    "balanced_accuracy": "Balanced accuracy (macro recall)",
    "macro_precision": "Macro precision",
    "macro_f1": "Macro F1",
    "roc_auc_ovr": "ROC AUC, mean of the classes",
}
EACH = {"precision": "Precision", "recall": "Recall", "f1": "F1", "roc_auc": "ROC AUC against the rest"}


def classes_section(scores: Tables) -> list[Row]:
    """Return the section, or none with two classes, where the other sections say everything."""
    found = [(family, name, models[name]) for family, models in scores.all_classes.items() for name in in_order(models)]
    if not found:
        return []
    protocol = scores.protocol
    text = [
        f"The study has {len(protocol.classes)} classes. Everything else in this report is about {protocol.positive} "
        "against the rest; here all of them count. A case is called the class that is most probable. Means over the "
        f"test folds with their {percent(scores)} interval; a class's calibration error and the confusion "
        "are of all out-of-fold predictions at once: the error the mean over the repeats, the confusion that of "
        "probabilities averaged over them."
    ]
    tables = [_whole_table(found), _class_table(found), _confusion_table(found, protocol.classes)]
    return [section("classes", "All classes", text=text, tables=tables)]


Found = list[tuple[str, str, AllClasses]]


def _whole_table(found: Found) -> Row:
    columns = [
        *NAMES,
        *(column(name, head, "estimate", ours=True) for name, head in WHOLE.items()),
        column("classwise_ece", "Classwise calibration error", "score", ours=True),
        text_column("folds", "Folds", ours=True),
        text_column("auc_folds", "Folds with a ROC AUC", ours=True),
    ]
    rows = [
        {
            **named(family, name),
            **_estimates(one.metrics, WHOLE),
            "classwise_ece": one.classwise_ece,
            "folds": _folds(one.metrics["accuracy"]),
            "auc_folds": _folds(one.metrics["roc_auc_ovr"]),
        }
        for family, name, one in found
    ]
    counts = [of_class.cases for of_class in found[0][2].classes]
    commonest = found[0][2].classes[counts.index(max(counts))].label
    nothing = dict.fromkeys((*WHOLE, "classwise_ece", "folds", "auc_folds"), NOTHING)
    share = f"{max(counts) / sum(counts):.3f}"
    rows.append({**nothing, "family": NOTHING, "model": f"Always {commonest}", "accuracy": share})
    return table("classes_whole", columns, rows, title="All classes together")


def _class_table(found: Found) -> Row:
    columns = [
        text_column("model", "Model"),
        text_column("label", "Class"),
        column("cases", "Cases", "count", ours=True),
        *(column(name, head, "estimate", ours=True) for name, head in EACH.items()),
        column("calibration_error", "Calibration error", "score", ours=True),
        text_column("auc_folds", "Folds with a ROC AUC", ours=True),
    ]
    rows = [
        {
            "model": one_name(family, name),
            "label": of_class.label,
            "cases": of_class.cases,
            **_estimates(of_class.metrics, EACH),
            "calibration_error": of_class.calibration_error,
            "auc_folds": _folds(of_class.metrics["roc_auc"]),
        }
        for family, name, one in found
        for of_class in one.classes
    ]
    return table("classes_each", columns, rows, title="Each class against the rest")


def _confusion_table(found: Found, classes: tuple[str, ...]) -> Row:
    columns = [
        text_column("model", "Model"),
        text_column("actual", "Actual class"),
        *(column(f"called_{place}", f"Called {label}", "count") for place, label in enumerate(classes)),
    ]
    rows = [
        {
            "model": f"{family_name(family)}: {any_name(name)}",
            "actual": label,
            **{f"called_{place}": count for place, count in enumerate(counts)},
        }
        for family, name, one in found
        for label, counts in zip(classes, one.confusion, strict=True)
    ]
    return table("classes_confusion", columns, rows, title="Confusion")


def _folds(summary: Summary) -> str:
    return count_scored(summary.folds, summary.undefined)


def _estimates(metrics: Mapping[str, Summary], names: Mapping[str, str]) -> Row:
    return {name: [metrics[name].mean, metrics[name].low, metrics[name].high] for name in names}
