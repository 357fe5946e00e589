"""Sections `tabular` and `dnn_search`: models of the clinical table."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, PositiveInt

from busline.base.settings.section import BatchSize, Dropout, Epochs, Rate, Section, Trees, Units


class LogReg(Section):
    """Logistic regression (scikit-learn)."""

    C: Rate
    max_iter: PositiveInt


class RandomForest(Section):
    """Random forest (scikit-learn)."""

    n_estimators: Trees
    max_depth: PositiveInt | None
    min_samples_leaf: PositiveInt


class XGBoost(Section):
    """Gradient-boosted trees (XGBoost)."""

    n_estimators: Trees
    max_depth: PositiveInt
    learning_rate: Rate


class LightGBM(Section):
    """Gradient-boosted trees (LightGBM)."""

    n_estimators: Trees
    num_leaves: Annotated[int, Field(ge=2)]
    min_child_samples: PositiveInt
    learning_rate: Rate


class CatBoost(Section):
    """Gradient-boosted trees (CatBoost)."""

    iterations: Trees
    depth: Annotated[int, Field(ge=1, le=16)]
    learning_rate: Rate


class Dnn(Section):
    """The tabular network of Chowdhary & Dennis 2026, Table 1."""

    hidden: Annotated[Units, Field(ge=2)]
    """Units of the first hidden layer; the second has half as many."""
    dropout: Dropout
    batch_size: BatchSize
    epochs: Epochs
    learning_rate: Rate


class TabularModels(Section):
    """Settings of every tabular model, active or not."""

    logreg: LogReg
    random_forest: RandomForest
    xgboost: XGBoost
    lightgbm: LightGBM
    catboost: CatBoost
    dnn: Dnn


Classical = LogReg | RandomForest | XGBoost | LightGBM | CatBoost
CLASSICAL: dict[str, type[Classical]] = {
    "logreg": LogReg,
    "random_forest": RandomForest,
    "xgboost": XGBoost,
    "lightgbm": LightGBM,
    "catboost": CatBoost,
}
"""The kind of settings of each model of the table that is no network."""

TabularName = Literal["logreg", "random_forest", "xgboost", "lightgbm", "catboost", "dnn"]


class Tabular(Section):
    """Models of the clinical table."""

    active: list[TabularName]
    models: TabularModels


class DnnSearch(Section):
    """The grid of Chowdhary & Dennis 2026, Table 5; it feeds nothing."""

    hidden: list[Annotated[Units, Field(ge=2)]]
    dropout: list[Dropout]
