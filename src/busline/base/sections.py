"""The sections of params.yaml, one class each: every key's type, range and meaning."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveInt

Fraction = Annotated[float, Field(gt=0.0, lt=1.0)]
Rate = Annotated[float, Field(gt=0.0)]
Dropout = Annotated[float, Field(ge=0.0, lt=1.0)]
Provenance = Literal["identifier", "label", "patient", "acquisition", "sonographer", "radiologist", "pathology"]
Precision = Literal["fp32", "bf16"]


class Section(BaseModel):
    """Base of all sections: frozen, strict about types, no unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Phantom(Section):
    """The synthetic cohort."""

    cases: Annotated[int, Field(ge=12)]
    """Number of lesion cases; about 39 in 100 are malignant, as in BrEaST."""
    normal: Annotated[int, Field(ge=0)]
    """Number of further cases without a lesion."""
    width: Annotated[int, Field(ge=64, le=1024)]
    """Mean image width in pixels (each image differs a little)."""
    height: Annotated[int, Field(ge=64, le=1024)]
    """Mean image height in pixels."""


class Folder(Section):
    """A user's own data."""

    path: str
    """Folder with dataset.yaml, the images, the masks and the table."""


class Data(Section):
    """Where the cases come from."""

    source: str
    """Name of a source: a row of busline.cohort.sources.SOURCES."""
    phantom: Phantom
    folder: Folder


class Ingest(Section):
    """How raw files become the cohort."""

    max_side: Annotated[int, Field(ge=32)]
    """Longest side of a stored image in pixels; larger ones are reduced."""
    max_pixels: PositiveInt
    """An image with more pixels than this is refused (decompression bombs)."""
    duplicate_bits: Annotated[int, Field(ge=0, le=16)]
    """Images whose 64-bit perceptual hashes differ in at most this many bits, cropped or mirrored, are compared."""
    duplicate_correlation: Annotated[float, Field(gt=0.0, le=1.0)]
    """Compared images that correlate at least so much, once aligned, are near-duplicates."""


class Prune(Section):
    """Which columns a model may see."""

    allowed_provenance: Annotated[list[Provenance], Field(min_length=1)]
    """Kinds of origin a feature may have."""
    max_missing: Annotated[float, Field(ge=0.0, le=1.0)]
    """Columns with a larger share of missing values are dropped."""


class Split(Section):
    """The master split and the classes of the study."""

    classes: Annotated[list[str], Field(min_length=2)]
    """Labels of the study in order; for two classes the last is the positive one. Other cases are left out."""
    val_fraction: Fraction
    """Share of the master split's validation cases."""
    test_fraction: Fraction
    """Share of the master split's test cases."""


class CrossValidation(Section):
    """Repeated stratified group k-fold."""

    folds: Annotated[int, Field(ge=2)]
    """Folds a repeat."""
    repeats: PositiveInt
    """Repeats, each with a shuffle of its own."""
    image_repeats: PositiveInt
    """The networks of images, which take long, are trained in the first so many repeats only."""
    stop_fraction: Fraction
    """Share of a training part kept for early stopping."""
    weigh_fraction: Fraction
    """Share of a training part kept for choosing the voting weight."""


class Train(Section):
    """What all image networks and MLPs share in training."""

    precision: Precision
    """Arithmetic of the image networks; bf16 means autocast."""
    plateau_factor: Fraction
    """The learning rate is multiplied by this when the stop cases' loss stalls."""
    plateau_patience: PositiveInt
    """Epochs without improvement before the learning rate is lowered."""
    min_learning_rate: Rate
    """The learning rate is not lowered further than this (nor raised to it)."""
    stop_patience: PositiveInt
    """Epochs without improvement before training ends, counted only once the learning rate was lowered."""


class WeightsFile(Section):
    """One file of pretrained weights."""

    url: str
    """Address of a safetensors file; $BUSLINE_MIRROR/weights/<name>.safetensors is looked for first."""
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None
    """Checksum the file must have; null records the checksum of the first fetch in dvc.lock."""


class Weights(Section):
    """Pretrained weights by name."""

    files: dict[str, WeightsFile]


class LogReg(Section):
    """Logistic regression (scikit-learn)."""

    C: Rate
    max_iter: PositiveInt


class RandomForest(Section):
    """Random forest (scikit-learn)."""

    n_estimators: PositiveInt
    max_depth: PositiveInt | None
    min_samples_leaf: PositiveInt


class XGBoost(Section):
    """Gradient-boosted trees (XGBoost)."""

    n_estimators: PositiveInt
    max_depth: PositiveInt
    learning_rate: Rate


class LightGBM(Section):
    """Gradient-boosted trees (LightGBM)."""

    n_estimators: PositiveInt
    num_leaves: Annotated[int, Field(ge=2)]
    min_child_samples: PositiveInt
    learning_rate: Rate


class CatBoost(Section):
    """Gradient-boosted trees (CatBoost)."""

    iterations: PositiveInt
    depth: Annotated[int, Field(ge=1, le=16)]
    learning_rate: Rate


class Dnn(Section):
    """The tabular network of the primary study's Table 1."""

    hidden: Annotated[int, Field(ge=2)]
    """Units of the first hidden layer; the second has half as many."""
    dropout: Dropout
    batch_size: PositiveInt
    epochs: PositiveInt
    learning_rate: Rate


class TabularModels(Section):
    """Settings of every tabular model, active or not."""

    logreg: LogReg
    random_forest: RandomForest
    xgboost: XGBoost
    lightgbm: LightGBM
    catboost: CatBoost
    dnn: Dnn


TabularName = Literal["logreg", "random_forest", "xgboost", "lightgbm", "catboost", "dnn"]


class Tabular(Section):
    """Models of the clinical table."""

    active: Annotated[list[TabularName], Field(min_length=1)]
    models: TabularModels


class DnnSearch(Section):
    """The grid of the primary study's Table 5; it feeds nothing."""

    hidden: Annotated[list[int], Field(min_length=1)]
    dropout: Annotated[list[Dropout], Field(min_length=1)]


class AugmentationLevel(Section):
    """Ranges of the random transforms of training images (primary study, Table 6)."""

    flip: bool
    """Mirror left and right in half of the draws."""
    rotation: Annotated[float, Field(ge=0.0, le=180.0)]
    """Largest rotation, in degrees."""
    translation: Annotated[float, Field(ge=0.0, lt=1.0)]
    """Largest shift, as a share of the side."""
    shear: Annotated[float, Field(ge=0.0, lt=1.0)]
    """Largest shear, as the tangent of its angle."""
    zoom: Annotated[float, Field(ge=0.0, lt=1.0)]
    """Largest change of scale, as a share of 1."""
    brightness: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0
    """Largest change of brightness, as a share of 1."""
    gamma: Annotated[float, Field(ge=0.0)] = 0.0
    """Largest change of gamma: its exponent lies between 1 / (1 + gamma) and 1 + gamma."""
    speckle: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0
    """Largest standard deviation of multiplicative noise, as a share of the pixel's value."""


class Augmentation(Section):
    """The levels of augmentation, and those compared in the primary study's Table 6."""

    active: list[str]
    levels: dict[str, AugmentationLevel]


class FineTune(Section):
    """A second phase of training, after the head was trained alone."""

    epochs: PositiveInt
    learning_rate: Rate
    layers: Annotated[list[str], Field(min_length=1)]
    """Modules of the network that are unfrozen, by their dotted names."""


class ImageModel(Section):
    """One image classifier."""

    network: str
    """`custom_cnn` or the name of any timm model."""
    weights: str | None
    """Name of a file in weights.files, or null for random initial weights."""
    dropout: Dropout
    batch_size: PositiveInt
    epochs: PositiveInt
    learning_rate: Rate
    fine_tune: FineTune | None
    """If set, the first phase trains the head alone and this is the second."""


class Cnn(Section):
    """Image classifiers."""

    image_size: Annotated[int, Field(ge=32)]
    """Side of the square network input in pixels."""
    augmentation: str
    """Name of a level in augmentation.levels."""
    active: Annotated[list[str], Field(min_length=1)]
    models: dict[str, ImageModel]


class Merged(Section):
    """Networks that join the tabular DNN and an image network of the same repeat and fold."""

    active: list[str]
    """Image models to merge; each must be in cnn.active, and dnn in tabular.active."""
    hidden: PositiveInt
    """Units of the dense layer behind the concatenation."""
    dropout: Dropout
    batch_size: PositiveInt
    epochs: PositiveInt
    """Epochs of the new head alone."""
    learning_rate: Rate
    fine_tune_epochs: PositiveInt
    """Epochs of the whole network, at the small learning rate."""
    fine_tune_learning_rate: Rate


class Segmentation(Section):
    """Lesion segmentation."""

    architecture: str
    """Name of a segmentation-models-pytorch architecture, such as unet."""
    encoder: str
    """Name of a segmentation-models-pytorch encoder, such as mobilenet_v2."""
    weights: str | None
    """Name of a file in weights.files for the encoder, or null for random initial weights."""
    freeze_encoder: bool
    """Keep a pretrained encoder's weights; without pretrained weights the encoder is always trained."""
    image_size: Annotated[int, Field(ge=32, multiple_of=32)]
    augmentation: str
    batch_size: Annotated[int, Field(ge=2)]
    epochs: PositiveInt
    learning_rate: Rate


class LesionPretrain(Section):
    """Initial weights of the lesion network, learnt from phantoms."""

    phantoms: Annotated[int, Field(ge=0)]
    """Phantoms drawn for it, none of them in the cohort; with 0 the weights are random."""
    batch_size: Annotated[int, Field(ge=2)]
    """Cases a batch; the network sees two views of each."""
    epochs: PositiveInt
    learning_rate: Rate
    """Highest of the one-cycle schedule."""


class Lesion(Section):
    """The lesion network: outline and diagnosis from two views, for every pair of left-out folds."""

    networks: PositiveInt
    """Networks trained for each pair; what they say is averaged."""
    image_size: Annotated[int, Field(ge=32, multiple_of=32)]
    """Side of a view in pixels."""
    findings_weight: Annotated[float, Field(ge=0.0)]
    """Weight of the radiologist's findings in the loss; they are targets of training, never inputs."""
    batch_size: Annotated[int, Field(ge=2)]
    """Cases a batch; the network sees two views of each."""
    epochs: PositiveInt
    learning_rate: Rate
    """Highest of the one-cycle schedule."""
    pretrain: LesionPretrain


class Evaluate(Section):
    """How predictions become metrics."""

    bootstrap: Annotated[int, Field(ge=100)]
    """Bootstrap samples of the fold scores."""
    confidence: Fraction
    calibration_bins: Annotated[int, Field(ge=2)]


class Audit(Section):
    """The leakage audit."""

    max_auc_alone: Annotated[float, Field(ge=0.5, le=1.0)]
    """A kept column with a higher ROC AUC alone fails the audit."""
    planted_cases: Annotated[int, Field(ge=0)]
    """Images of the cohort of which changed copies are planted, to see how many are found."""
    master_splits: PositiveInt
    """Master splits on whose test cases the fold models are scored."""
    tabular_models: list[TabularName]
    """Tabular models that are run on permuted labels; those that are not in tabular.active are left out."""
    tabular_permutations: Annotated[int, Field(ge=0)]
    """Permutations of the labels for each of them; fewer than 199 find gross leaks only."""
    image_model: str
    """Image model, a key of cnn.models, that is run on permuted labels, from random initial weights."""
    image_permutations: Annotated[int, Field(ge=0)]
    """Permutations of the labels for it; fewer than 19 find gross leaks only."""
    image_epochs: PositiveInt
    """Epochs it has on permuted labels."""
    image_size: Annotated[int, Field(ge=32)]
    """Side of its square input in pixels on permuted labels."""


class Illustrate(Section):
    """Which pictures are made."""

    cases: PositiveInt
    """Cases in the gallery of saliency maps."""
    saliency: str | None
    """Image model whose saliency is drawn, or null for none."""


class Report(Section):
    """The report."""

    published: str | None
    """Name of the published figures to set beside ours (src/busline/report/published), or null."""
