"""The clinical table of a phantom: what patient, sonographer, radiologist and pathologist write down about it.

Age and signs depend on the label alone, as they are known before the scan; what is read off the scan repeats the drawn
findings with a reader's errors. Words, missing values and frequencies follow the BrEaST release (Pawłowska et al. 2024,
doi:10.1038/s41597-024-02984-z).
"""

from __future__ import annotations

import re
import zipfile
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from openpyxl import Workbook

from busline.cohort.phantom.lesion import BIRADS, Findings, Label, Lesion, pick

COLUMNS = {
    "CaseID": "number of the case",
    "Image_filename": "file of the image",
    "Mask_tumor_filename": "file of the main lesion's mask",
    "Mask_other_filename": "files of the masks of other lesions, joined by &",
    "Pixel_size": "size of a pixel in cm",
    "Age": "age in years",
    "Tissue_composition": "composition of the breast",
    "Signs": "what a physician sees or feels",
    "Symptoms": "what the patient reports",
    "Shape": "BI-RADS shape",
    "Margin": "BI-RADS margin",
    "Echogenicity": "BI-RADS echo pattern",
    "Posterior_features": "BI-RADS posterior features",
    "Halo": "echogenic rim",
    "Calcifications": "calcifications",
    "Skin_thickening": "thickened skin",
    "Interpretation": "the radiologist's reading",
    "BIRADS": "BI-RADS category",
    "Verification": "how the class was confirmed",
    "Diagnosis": "histology",
    "Classification": "class of the case",
}
"""The 21 columns of the release in their order, with what they hold."""

MISSING = "not available"
INAPPLICABLE = "not applicable"
MISREAD = 0.06
"""Chance that a reader takes one finding for another."""

_AGES: dict[Label, tuple[float, float]] = {"benign": (48.0, 15.0), "malignant": (61.0, 13.0), "normal": (48.0, 15.0)}
_AGE_MISSING: dict[Label, float] = {"benign": 0.19, "malignant": 0.12, "normal": 0.19}

_BENIGN_SIGNS = {
    "no": 112, MISSING: 19, "palpable": 16, "breast scar": 2, "breast scar&skin retraction": 1,
    "palpable&breast scar": 2, "redness&warmth": 1, "redness&warmth&palpable": 1,
}  # fmt: skip
_MALIGNANT_SIGNS = {
    "no": 32, MISSING: 26, "palpable": 31, "nipple retraction": 1, "nipple retraction&palpable": 2,
    "peau d`orange&palpable": 1, "redness&warmth&palpable": 1, "skin retraction&palpable": 3, "warmth&palpable": 1,
}  # fmt: skip
_SIGNS: dict[Label, dict[str, int]] = {
    "benign": _BENIGN_SIGNS, "malignant": _MALIGNANT_SIGNS, "normal": _BENIGN_SIGNS
}  # fmt: skip
_SYMPTOMS = {
    MISSING: 98, "no": 113, "family history of breast/ovarian cancer": 17, "HRT/hormonal contraception": 14,
    "nipple discharge": 6, "family history of breast/ovarian cancer&HRT/hormonal contraception": 3,
    "personal history of breast cancer": 2, "nipple discharge&family history of breast/ovarian cancer": 1,
    "breast injury": 1, "personal history of breast cancer&family history of breast/ovarian cancer": 1,
}  # fmt: skip
_DIAGNOSES: dict[Label, dict[str, int]] = {
    "benign": {
        "Fibroadenoma": 31, "Benign mammary dysplasia": 27, "Fibrosclerosis": 11, "Intraductal papilloma": 8,
        "Pseudoangiomatous stromal hyperplasia (PASH)": 6, "Usual ductal hyperplasia (UDH)": 3, "Phyllodes tumor": 2,
        "Usual ductal hyperplasia (UDH)&Fibrosclerosis": 2, "Fat necrosis": 1, "Mastitis": 1,
    },
    "malignant": {
        "Invasive carcinoma of no special type (NST)": 56, "Invasive lobular carcinoma": 13,
        "Invasive carcinoma of no special type (NST)&Ductal carcinoma in situ (DCIS)": 10,
        "Ductal carcinoma in situ (DCIS)": 6, "Mucinous carcinoma": 4, "Invasive micropapillary carcinoma": 4,
        "Cribriform carcinoma": 3, "Tubular carcinoma": 2,
    },
}  # fmt: skip
_TIMES = datetime(2023, 12, 15)  # a spreadsheet has no time zone


def draw_row(findings: Findings, generator: np.random.Generator) -> dict[str, Any]:
    """Draw the clinical columns of one case, all but its number, file names and pixel size.

    Args:
        findings: what the scan shows.
        generator: source of randomness.
    """
    label = findings.label
    age = int(np.clip(np.rint(generator.normal(*_AGES[label])), 18, 87))
    row: dict[str, Any] = {
        "Age": MISSING if generator.random() < _AGE_MISSING[label] else age,
        "Tissue_composition": _composition(findings, generator),
        "Signs": pick(_SIGNS[label], generator),
        "Symptoms": pick(_SYMPTOMS, generator),
        "Skin_thickening": _yes(findings.skin_thickening),
        "Classification": label,
    }
    if findings.lesion is None:
        inapplicable = ("Shape", "Margin", "Echogenicity", "Posterior_features", "Halo", "Calcifications")
        row |= dict.fromkeys((*inapplicable, "Interpretation", "Verification", "Diagnosis"), INAPPLICABLE)
        return row | {"BIRADS": 1}
    row |= _read_lesion(findings.lesion, generator)
    return row | _confirm(findings, row["BIRADS"], generator)


def _composition(findings: Findings, generator: np.random.Generator) -> str:
    if generator.random() < 0.19:
        return MISSING
    return f"lactating&{findings.composition}" if generator.random() < 0.03 else findings.composition


def _read_lesion(lesion: Lesion, generator: np.random.Generator) -> dict[str, Any]:
    read = lesion.suspicion + generator.normal(0.0, 0.3)
    birads = next(category for limit, category in BIRADS if read <= limit)
    shapes = {"oval": "round", "round": "oval", "irregular": "oval"}
    echoes = {"isoechoic": "hypoechoic", "hyperechoic": "isoechoic", "anechoic": "complex cystic/solid"}
    posterior = {"shadowing": "combined", "combined": "no", "enhancement": "no", "no": "shadowing"}

    def misread(found: str, instead: str) -> str:
        return instead if generator.random() < MISREAD else found

    margin = "not circumscribed - " + "&".join(lesion.margin) if lesion.margin else "circumscribed"
    calcified = pick({"in a mass": 0.86, "indefinable": 0.07, "intraductal": 0.07}, generator)
    return {
        "Shape": misread(lesion.shape, shapes[lesion.shape]),
        "Margin": misread(margin, "not circumscribed - indistinct"),
        "Echogenicity": misread(lesion.echogenicity, echoes.get(lesion.echogenicity, "heterogeneous")),
        "Posterior_features": misread(lesion.posterior, posterior[lesion.posterior]),
        "Halo": misread(_yes(lesion.halo), _yes(not lesion.halo)),
        "Calcifications": misread(calcified, "no") if lesion.calcified else "no",
        "Interpretation": _interpret(lesion, birads, generator),
        "BIRADS": birads,
    }


def _interpret(lesion: Lesion, birads: int | str, generator: np.random.Generator) -> str:
    cystic = lesion.echogenicity in ("anechoic", "complex cystic/solid")
    candidates = {
        "Suspicion of malignancy": {"4a": 0.5, "4b": 0.9, "4c": 1.0, 5: 1.0}.get(birads, 0.0),
        "Complex cyst / Non-simple cyst": 0.5 if lesion.echogenicity == "complex cystic/solid" else 0.03,
        "Simple cyst": 0.8 if lesion.echogenicity == "anechoic" else 0.0,
        "Cyst filled with thick fluid": 0.3 if cystic else 0.08,
        "Dysplasia": 0.25 if birads not in (5, "4c") else 0.05,
        "Fibroadenoma": 0.0 if cystic else 0.45 if birads in (3, "4a", "4b") else 0.1,
        "Intraductal papilloma": 0.15,
    }
    named = [name for name, chance in candidates.items() if generator.random() < chance]
    return "&".join(named or ["Suspicion of malignancy" if birads in (5, "4c", "4b") else "Dysplasia"])


def _confirm(findings: Findings, birads: int | str, generator: np.random.Generator) -> dict[str, str]:
    followed = birads == 2 or (birads == 3 and generator.random() < 0.67)
    if findings.label == "benign" and followed:
        return {"Verification": "confirmed by follow-up care", "Diagnosis": INAPPLICABLE}
    return {"Verification": "confirmed by biopsy", "Diagnosis": pick(_DIAGNOSES[findings.label], generator)}


def _yes(present: bool) -> str:
    return "yes" if present else "no"


def write_table(rows: list[dict[str, Any]], path: Path) -> None:
    """Write the clinical table as a spreadsheet whose bytes depend on its cells alone.

    Args:
        rows: one mapping a case from every column of :data:`COLUMNS` to its cell; None leaves a cell empty.
        path: the ``.xlsx`` file to write.
    """
    book = Workbook()
    sheet = book.active
    sheet.title = "BrEaST-Lesions-USG clinical dat"
    sheet.append(list(COLUMNS))
    for row in rows:
        sheet.append([row[column] for column in COLUMNS])
    dictionary = book.create_sheet("Data Dictionary")
    dictionary.append(["type", "description"])
    for column, description in COLUMNS.items():
        dictionary.append([column, description])
    book.properties.created = _TIMES
    buffer = BytesIO()
    book.save(buffer)
    path.write_bytes(_without_times(buffer.getvalue()))


def _without_times(archive: bytes) -> bytes:
    """Return a zip archive with the times of saving taken out of its entries and its core properties."""
    result = BytesIO()
    with zipfile.ZipFile(BytesIO(archive)) as source, zipfile.ZipFile(result, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            if name == "docProps/core.xml":
                stamp = _TIMES.strftime("%Y-%m-%dT%H:%M:%SZ").encode()
                content = re.sub(rb"(<dcterms:modified[^>]*>)[^<]*", rb"\g<1>" + stamp, content)
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            target.writestr(entry, content)
    return result.getvalue()
