"""Every way in which a file of a stored model is broken: which model to load, the file, its stage, the damage."""

import json

import torch

from busline.base.artifacts import load_tensors, save_tensors
from made_models import IMAGE

CLASSICAL = ("logreg", "random_forest", "xgboost", "lightgbm", "catboost")


def edit_json(change):
    def edit(path):
        content = json.loads(path.read_text())
        change(content)
        path.write_text(json.dumps(content))

    return edit


def edit_tensors(change):
    def edit(path):
        tensors = load_tensors(path)
        change(tensors, next(name for name, value in tensors.items() if value.dim() > 0))
        save_tensors(tensors, path)

    return edit


def first_cell(value):
    def change(content, name):
        content[name].view(-1)[0] = value

    return change


BREAK = {
    "missing": lambda path: path.unlink(),
    "no file of its kind": lambda path: path.write_bytes(b"broken"),
    "cut": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
}
BREAK_JSON = {
    "another version": edit_json(lambda content: content.update(version=2)),
    "no version": edit_json(lambda content: content.pop("version")),
    "unknown key": edit_json(lambda content: content.update(more=1)),
    "another family": edit_json(lambda content: content.update(family="dnn_search")),
    "another model": edit_json(lambda content: content.update(model="other")),
    "no UTF-8": lambda path: path.write_bytes(b'{"version": "\xff\xfe"}'),
}
BREAK_CLASSES = {
    "one class": edit_json(lambda content: content.update(classes=["malignant"])),
    "a class twice": edit_json(lambda content: content.update(classes=["malignant", "malignant"])),
    "a class without a name": edit_json(lambda content: content.update(classes=["", "malignant"])),
    "three classes": edit_json(lambda content: content.update(classes=["a", "b", "malignant"])),
}
BREAK_ENCODER = {
    "a column twice": edit_json(lambda content: content["numeric"].append(content["numeric"][0])),
    "a category twice": edit_json(lambda content: content["categorical"][0]["categories"].append("no")),
    "a scale of nought": edit_json(lambda content: content["numeric"][0].update(scale=0.0)),
    "a scale below nought": edit_json(lambda content: content["numeric"][0].update(scale=-1.0)),
}
BREAK_LESION = {
    "three numbers for a network": edit_json(lambda content: content.update(networks=[[0, 0, 1]])),
    "no canvas": edit_json(lambda content: content.update(canvas=0)),
    "a canvas without end": edit_json(lambda content: content.update(canvas=20_000)),
}
BREAK_TENSORS = {
    "not a number": edit_tensors(first_cell(float("nan"))),
    "infinite": edit_tensors(first_cell(float("inf"))),
    "another shape": edit_tensors(lambda content, name: content.update({name: content[name][None].clone()})),
    "another type": edit_tensors(lambda content, name: content.update({name: content[name].half()})),
    "one too few": edit_tensors(lambda content, name: content.pop(name)),
    "one too many": edit_tensors(lambda content, name: content.update(more=torch.zeros(1))),
}
TENSORS = [
    (("tabular", "dnn"), "models/tabular/dnn/r0_f0_all.safetensors", "tabular@dnn"),
    (("cnn", IMAGE), f"models/cnn/{IMAGE}/r0_f0.safetensors", f"cnn@{IMAGE}"),
    (("merged", IMAGE), f"models/merged/{IMAGE}/r0_f0.safetensors", f"merged@{IMAGE}"),
    (("segment", "unet"), "models/segment/unet/r0_f0.safetensors", "segment@unet"),
    (("lesion_segment", "lesion"), "models/lesion_segment/r0_f0_f1_n0.safetensors", "lesion"),
    (("lesion", "image"), "models/lesion_segment/r0_f0_f2_n0.safetensors", "lesion"),
    (("vote", f"logreg+{IMAGE}"), f"models/cnn/{IMAGE}/r0_f0.safetensors", f"cnn@{IMAGE}"),
]
ESTIMATORS = [
    (("tabular", name), f"models/tabular/{name}/r0_f0_all.{suffix}", f"tabular@{name}")
    for name, suffix in zip(CLASSICAL, ("skops", "skops", "ubj", "txt", "cbm"), strict=True)
]
FILES = [
    *((model, path.rsplit("/", 1)[0] + "/model.json", stage) for model, path, stage in (*TENSORS[:5], ESTIMATORS[0])),
    (("lesion", "image_clinical"), "models/lesion/image_clinical.json", "combine"),
]
OTHERS = [
    (("tabular", "logreg"), "models/tabular/logreg/r0_f0_all.json", "tabular@logreg"),
    (("merged", IMAGE), f"models/merged/{IMAGE}/r0_f0.json", f"merged@{IMAGE}"),
    (("vote", f"logreg+{IMAGE}"), "vote/weights.parquet", "vote"),
]
CASES = [
    *((*one, BREAK["missing"]) for one in [*TENSORS, *ESTIMATORS, *FILES, *OTHERS]),
    *((*one, damage) for one in [TENSORS[0], *ESTIMATORS, FILES[0], *OTHERS] for damage in [*BREAK.values()][1:]),
    *((*one, damage) for one in FILES for damage in BREAK_JSON.values()),
    *((*one, damage) for one in (*FILES[:3], FILES[5]) for damage in BREAK_CLASSES.values()),
    *((*OTHERS[0], damage) for damage in BREAK_ENCODER.values()),
    *((*FILES[4], damage) for damage in BREAK_LESION.values()),
    *((*TENSORS[0], damage) for damage in BREAK_TENSORS.values()),
    *((*one, BREAK_TENSORS["another shape"]) for one in TENSORS[1:]),
]
