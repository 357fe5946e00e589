"""How this run's protocol differs from the paper's: what it fixes, what it leaves open, and what is done on purpose."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from busline.base.params import Params
from busline.base.settings.segmentation import Segmentation
from busline.base.settings.weights import NONE
from busline.report.layout import Row, section, table, text_column
from busline.report.paper import Published
from busline.report.provenance import describe_choice, look_up

UNETS = {
    ("unet", "mobilenet_v2"): (
        "The U-Net is that of segmentation-models-pytorch: 6,628,945 parameters, where the paper's Table 3 has "
        "9,133,667. The paper joins skips of 96, 144, 192 and 576 channels to transposed convolutions of 512, 256, 128 "
        "and 64 channels; here the skips have 16, 24, 32 and 96 channels, and the decoder enlarges by repeating pixels "
        "and convolves."
    ),
    ("transposed_unet", "mobilenet_v2"): (
        "The U-Net is that of the paper's Table 3, but that it ends in one map, of lesion or not, where the paper's "
        "ends in three: 9,130,785 parameters and moving statistics, where the table has 9,133,667."
    ),
}
"""How a network with the paper's encoder differs from its Table 3, by architecture and encoder."""


def protocol_section(params: Params, published: Published) -> Row:
    """Return what is done otherwise on purpose, and every setting that the paper fixes beside ours."""
    columns = [text_column("key", "Setting"), text_column("theirs", "Paper")]
    columns += [text_column("ours", "Here"), text_column("same", "Same")]
    text = [difference.text for difference in published.differences if not difference.tables]
    settings = compare_settings(params, published)
    shown = table(
        "settings", columns, settings, title="Settings that the paper fixes", caption=count_differing(settings)
    )
    return section("protocol", "Protocol and differences", text=text, tables=[shown])


def compare_settings(params: Params, published: Published) -> list[Row]:
    """Return the settings that the paper fixes beside ours, those that differ first."""
    content = params.model_dump(mode="json")
    for name in params.seg.active[:1]:  # which stands beside the paper's
        content["seg"] = params.seg.of_model(name).model_dump(mode="json")
    rows = []
    for key, theirs in published.settings.items():
        ours = dict(look_up(content, key)).get(key)
        rows.append({"key": key, "theirs": _word(theirs), "ours": _word(ours), "same": _same(theirs, ours)})
    return sorted(rows, key=lambda row: str(row["same"]))


def count_differing(settings: Sequence[Row]) -> str:
    """Say how many of the compared settings differ."""
    differing = sum(row["same"] == "no" for row in settings)
    return f"{differing} of {len(settings)} differ here."


def choices_section(params: Params, published: Published) -> Row:
    """Return what the paper leaves open, with what was chosen here."""
    rows = []
    for choice in published.open_choices:
        described = describe_choice(choice, params)
        values = [f"{value['key']} = {_word(value['value'])}" for value in described["values"]]
        rows.append({"what": choice.what, "chosen": "; ".join([*filter(None, [choice.chosen]), *values])})
    columns = [text_column("what", "Left open by the paper"), text_column("chosen", "Chosen here")]
    text = ["What a reader of the paper has to choose to repeat it, and what was chosen here."]
    return section("choices", "What the paper leaves open", text=text, tables=[table("choices", columns, rows)])


def segmentation_notes(seg: Segmentation) -> list[str]:
    """Return how a segmentation network differs from Chowdhary & Dennis 2026, Table 3; ``seg`` as the model has it."""
    known = UNETS.get((seg.architecture, seg.encoder))
    if known is None:
        return [
            f"This run's network is {seg.architecture} with encoder {seg.encoder}, not the paper's MobileNetV2 U-Net."
        ]
    notes = [known]
    if seg.weights == NONE:
        notes.append("The encoder starts from random weights here, so all of it is trained; the paper's is frozen.")
    elif not seg.freeze_encoder:
        notes.append("The pretrained encoder is trained here; the paper's is frozen.")
    return notes


def _same(theirs: Any, ours: Any) -> str:
    """Say whether a setting is the paper's; of a list of models, whether all of the paper's are among ours."""
    same = set(theirs) <= set(ours or []) if isinstance(theirs, list) else theirs == ours
    return "yes" if same else "no"


def _word(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
