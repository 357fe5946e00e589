"""Rewrite a params.yaml to the smallest setting in which every kind of stage still trains."""

import sys
from pathlib import Path

from ruamel.yaml import YAML

path = Path(sys.argv[1])
yaml = YAML()
params = yaml.load(path)
params["data"]["cohorts"]["phantom"]["phantom"].update(cases=36, normal=2, width=128, height=96)
params["cv"].update(folds=3, repeats=1)  # pairs of folds need three
params["cnn"]["image_size"] = 32
for model in params["cnn"]["models"].values():
    model["epochs"] = 2
params["tabular"]["models"]["dnn"]["epochs"] = 3
params["dnn_search"].update(hidden=[16, 32], dropout=[0.2])
params["augmentation"]["active"] = ["none", "mild"]
params["merged"].update(epochs=1, fine_tune_epochs=1)
params["seg"].update(image_size=32, epochs=2)
params["lesion"].update(image_size=32, epochs=1)
params["lesion"]["pretrain"].update(phantoms=16, epochs=1)
params["illustrate"]["cases"] = 2
params["audit"].update(planted_cases=4, master_splits=5, tabular_permutations=5, image_permutations=1, image_epochs=1)
yaml.dump(params, path)
