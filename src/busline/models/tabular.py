"""Tabular classifiers behind one face: build, fit on encoded rows, predict, save without pickle."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from busline.base.artifacts import atomic_file
from busline.base.settings.tabular import Classical
from busline.models.skops_archive import normalised

Builder = Callable[[Any, int, np.ndarray], Any]
"""From settings, seed and the number of cases of each class."""


def _logreg(settings: Any, seed: int, counts: np.ndarray) -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=settings.C, max_iter=settings.max_iter, class_weight="balanced", random_state=seed)


def _random_forest(settings: Any, seed: int, counts: np.ndarray) -> Any:
    from sklearn.ensemble import RandomForestClassifier

    return RandomForestClassifier(
        n_estimators=settings.n_estimators,
        max_depth=settings.max_depth,
        min_samples_leaf=settings.min_samples_leaf,
        class_weight="balanced",
        random_state=seed,
        n_jobs=1,
    )


def _xgboost(settings: Any, seed: int, counts: np.ndarray) -> Any:
    from xgboost import XGBClassifier

    return XGBClassifier(**settings.model_dump(), **_ratio(counts), random_state=seed, n_jobs=1, device="cpu")


def _lightgbm(settings: Any, seed: int, counts: np.ndarray) -> Any:
    from lightgbm import LGBMClassifier

    return LGBMClassifier(
        **settings.model_dump(),
        class_weight="balanced",
        random_state=seed,
        n_jobs=1,
        deterministic=True,
        force_row_wise=True,
        verbose=-1,
    )


def _catboost(settings: Any, seed: int, counts: np.ndarray) -> Any:
    from catboost import CatBoostClassifier

    return CatBoostClassifier(
        **settings.model_dump(),
        **(_ratio(counts) or {"class_weights": _weights(counts).tolist()}),
        random_seed=seed,
        thread_count=1,
        verbose=False,
        allow_writing_files=False,
    )


def _constant_catboost(settings: Any, seed: int, counts: np.ndarray, features: int) -> Any:
    """Return what CatBoost, which refuses rows that are all equal, would say of them: each class alike, as weighted."""
    rows = np.zeros((len(counts), features), np.float32)
    rows[:, 0] = np.arange(len(counts))
    one = settings.model_copy(update={"iterations": 1})
    estimator = _catboost(one, seed, np.ones(len(counts))).fit(rows, np.arange(len(counts)))
    estimator.set_scale_and_bias(0.0, 0.0 if len(counts) == 2 else [0.0] * len(counts))
    return estimator


def _weights(counts: np.ndarray) -> np.ndarray:
    return np.asarray(counts.sum() / (len(counts) * counts))


def _ratio(counts: np.ndarray) -> dict[str, float]:
    """Return what tells a booster of two classes how they weigh; nothing for more of them."""
    return {"scale_pos_weight": float(counts[0] / counts[1])} if len(counts) == 2 else {}


CLASSIFIERS: dict[str, Builder] = {
    "logreg": _logreg,
    "random_forest": _random_forest,
    "xgboost": _xgboost,
    "lightgbm": _lightgbm,
    "catboost": _catboost,
}
"""The classical models; the DNN is a network (busline.models.mlp)."""


def fit_classifier(name: str, settings: Classical, rows: np.ndarray, labels: np.ndarray, seed: int) -> Any:
    """Fit one classical model with class weights counted on these rows (Chowdhary & Dennis 2026, eq. 1).

    Of two classes XGBoost and CatBoost take the ratio instead, which is the same up to a constant factor.

    Args:
        name: a key of :data:`CLASSIFIERS`.
        settings: the model's.
        rows: float32 (n, features).
        labels: class of each row from 0 to K - 1, (n,); at least one of each.
        seed: the estimator's seed; reduced to 31 bits.

    Returns:
        The fitted estimator; see :func:`probabilities`.
    """
    counts = np.bincount(labels)
    if name == "catboost" and (rows == rows[0]).all():
        return _constant_catboost(settings, seed % 2**31, counts, rows.shape[1])
    estimator = CLASSIFIERS[name](settings, seed % 2**31, counts)
    if name == "xgboost" and len(counts) > 2:  # it has no weights of more than two classes, but of the rows
        return estimator.fit(rows, labels, sample_weight=_weights(counts)[labels])
    return estimator.fit(rows, labels)


def probabilities(estimator: Any, rows: np.ndarray) -> np.ndarray:
    """Return the probability of each class, float32 (n, K)."""
    import warnings

    with warnings.catch_warnings():  # LightGBM's own wrapper names features and then misses the names
        warnings.filterwarnings("ignore", message="X does not have valid feature names")
        found = np.asarray(estimator.predict_proba(rows)).astype(np.float32)
    if found.shape[1] == 2:  # the negative class as it is everywhere, whatever a library rounds
        found[:, 0] = np.float32(1.0) - found[:, 1]
    return found


def save_classifier(name: str, estimator: Any, path: Path) -> None:
    """Write a fitted model in its library's own format, to ``path`` and the format's suffix.

    The bytes depend on the model alone.
    """
    if name == "xgboost":
        with atomic_file(path.with_name(f"{path.name}.ubj")) as part:
            part.write_bytes(bytes(estimator.get_booster().save_raw("ubj")))
    elif name == "lightgbm":
        with atomic_file(path.with_name(f"{path.name}.txt")) as part:
            estimator.booster_.save_model(part)
    elif name == "catboost":
        for key in ("model_guid", "train_finish_time"):  # they change on every fit
            if key in dict(estimator.get_metadata()):
                del estimator.get_metadata()[key]
        with atomic_file(path.with_name(f"{path.name}.cbm")) as part:
            estimator.save_model(str(part))
    else:
        from skops.io import dumps

        with atomic_file(path.with_name(f"{path.name}.skops")) as part:
            part.write_bytes(normalised(dumps(estimator)))


TRUSTED = ("numpy.dtype", "sklearn.tree._tree.Tree")
"""Types beyond skops' own defaults that a saved random forest holds."""


def load_classifier(name: str, path: Path) -> Any:
    """Read what :func:`save_classifier` wrote; nothing is unpickled.

    Returns:
        An estimator for :func:`probabilities`.
    """
    if name == "xgboost":
        from xgboost import XGBClassifier

        model = XGBClassifier(n_jobs=1)
        model.load_model(path.with_name(f"{path.name}.ubj"))
        return model
    if name == "lightgbm":
        from lightgbm import Booster

        text = path.with_name(f"{path.name}.txt").read_text(encoding="utf-8")
        if not text.rstrip().rpartition("\n")[2].startswith("pandas_categorical"):
            raise ValueError("its end is missing")  # the library would read on behind it, which ends the process
        return _BoosterProbability(Booster(model_str=text))
    if name == "catboost":
        from catboost import CatBoostClassifier

        return CatBoostClassifier().load_model(str(path.with_name(f"{path.name}.cbm")))
    from skops.io import load

    return load(path.with_name(f"{path.name}.skops"), trusted=list(TRUSTED))


class _BoosterProbability:
    """A LightGBM booster with the face of a scikit-learn classifier."""

    def __init__(self, booster: Any) -> None:
        self.booster = booster

    def predict_proba(self, rows: np.ndarray) -> np.ndarray:
        found = np.asarray(self.booster.predict(rows))
        return found if found.ndim == 2 else np.column_stack([1.0 - found, found])
