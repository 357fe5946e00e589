"""Give each case the shapes of its lesion, or say why it has none."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from busline.base.errors import DataError, near_matches, plain, shown
from busline.cohort.formats.annotations.entry import BOX, Entry, Mark, name_classes
from busline.cohort.formats.annotations.files import OutlineFiles, file_of, read_entries
from busline.cohort.formats.annotations.match import as_path, last_part, match_entries
from busline.cohort.formats.suffixes import stem_of
from busline.cohort.schema import LABELS, RawCase, RawCohort
from busline.cohort.shapes import Outline

Place = tuple[str, str]
"""A file's name, and an image's: both relative to the folder."""
Found = Mapping[Place, Entry | str]
"""The entry of each image that has one, or what is wrong with it."""

_BOXES = (
    "boxes are no outlines: draw round the lesion, or leave `outlines` out of dataset.yaml, and images are classified "
    "but not segmented"
)


def add_outlines(cohort: RawCohort, outlines: OutlineFiles, folder: Path) -> RawCohort:
    """Return a cohort whose cases have the shapes that the files of an annotation tool hold.

    Args:
        cohort: the rows, without masks.
        outlines: what dataset.yaml says of the files.
        folder: the raw folder.

    Raises:
        DataError: if the one file of all images cannot be read, or nobody said which of several classes is the lesion.
    """
    places = {case.case_id: (file_of(outlines, case), _image(case, folder)) for case in cohort.cases}
    found, strangers = _find(outlines, set(places.values()), folder)
    classes = _choose_classes(found, outlines)
    images = {last_part(image): case for case in cohort.cases for image in [places[case.case_id][1]]}
    cases: list[RawCase] = []
    problems: list[str] = []
    for case in cohort.cases:
        file, image = places[case.case_id]
        outline = None
        try:
            entry = found.get((file, image), "is missing" if _is_missing(folder / file, case) else "")
            outline = _outline(entry, file, classes, case, strangers)
            _refuse_other_image(entry, last_part(image), images)
        except ValueError as error:
            if case.label != "normal" or cohort.masks.of_normal == "refuse":
                problems.append(f"row {case.row} (case {plain(case.case_id)}): outline in {plain(file)} {error}")
                continue
        cases.append(case.model_copy(update={"outline": outline}))
    notes = [*_notes(found, strangers, classes), *_other_labels(cases, places, found, classes)]
    return replace(
        cohort,
        cases=tuple(cases),
        problems=(*cohort.problems, *problems),
        masks_required=True,
        notes=(*cohort.notes, *notes),
    )


def _image(case: RawCase, folder: Path) -> str:
    return case.image.relative_to(folder).as_posix() if case.image else ""


def _is_missing(file: Path, case: RawCase) -> bool:
    """Say whether a file that a case needs is not there; tools write none for an image without shapes."""
    return case.label != "normal" and not file.is_file()


def _find(outlines: OutlineFiles, places: Collection[Place], folder: Path) -> tuple[Found, list[str]]:
    """Return what the files hold of the rows' images, and the names in entries that are of none of them.

    Raises:
        DataError: if the one file of all images cannot be read.
    """
    found: dict[Place, Entry | str] = {}
    strangers: list[str] = []
    by_file: dict[str, list[str]] = defaultdict(list)
    for file, image in sorted(places):
        if outlines.of_all or (folder / file).is_file():
            by_file[file].append(image)
    for file, content in read_entries(outlines, by_file, folder).items():
        images = by_file[file]
        if isinstance(content, str):
            if outlines.of_all:
                raise DataError(file, content, expected=f"outlines of the format {outlines.format}")
            found |= {(file, image): content for image in images}
        elif not outlines.of_all and len(content) == 1:
            shared = f"is of several images: {', '.join(images[:3])}; expected a file an image"
            found |= {(file, image): content[0] if len(images) == 1 else shared for image in images}
        else:
            matched, problems = match_entries(content, images)
            found |= {(file, image): entry for image, entry in matched.items()}
            found |= {(file, image): problem for image, problem in problems.items()}
            used = {id(entry) for entry in matched.values()}
            if not problems:
                strangers += [entry.image or "" for entry in content if id(entry) not in used]
    return found, strangers


def _choose_classes(found: Found, outlines: OutlineFiles) -> frozenset[str] | None:
    """Return the classes whose shapes are the lesion, None for all.

    Raises:
        DataError: if they are not said and there are several, or said and there are none of them.
    """
    marks = [mark for entry in found.values() if isinstance(entry, Entry) for mark in entry.marks]
    kinds = sorted({name_classes(mark.names) for mark in marks})
    if outlines.classes is None:
        if len(kinds) > 1:
            shapes = f"shapes of {len(kinds)} classes: {', '.join(kinds[:20])}"
            raise DataError("outlines.classes", shapes, mend="say which of them are the lesion")
        return None
    names = {name for mark in marks for name in mark.names}
    if marks and not names & set(outlines.classes):
        problem = f"no shape is of class {shown(outlines.classes[0])}"
        raise DataError("outlines.classes", problem, mend=near_matches(outlines.classes[0], names))
    return frozenset(outlines.classes)


def _chosen(entry: Entry, classes: frozenset[str] | None) -> list[Mark]:
    return [mark for mark in entry.marks if classes is None or mark.names & classes]


def _outline(
    entry: Entry | str, file: str, classes: frozenset[str] | None, case: RawCase, strangers: Sequence[str]
) -> Outline | None:
    """Return the shapes of a case's lesion, None of a normal one without any.

    Raises:
        ValueError: if the entry is wrong, or there is no outline of a lesion.
    """
    if isinstance(entry, str) and entry:
        raise ValueError(entry)
    marks = _chosen(entry, classes) if isinstance(entry, Entry) else []
    problems = [mark.problem for mark in marks if mark.problem]
    if isinstance(entry, Entry) and (entry.problem or problems):
        raise ValueError(f"is wrong: {entry.problem or problems[0]}")
    shapes = tuple(mark.shape for mark in marks if mark.shape is not None)
    if isinstance(entry, Entry) and shapes:
        return Outline(file, shapes, entry.size, entry.relative)
    others = sorted({mark.other for mark in marks})
    if others:
        advice = _BOXES if BOX in others else "they enclose nothing; draw round the lesion"
        raise ValueError(f"is none: the image has shapes of kind {', '.join(others[:5])} only; {advice}")
    if case.label != "normal":
        raise ValueError(f"is not there: {_nothing(entry, strangers)}; expected one, because the case is {case.label}")
    return None


def _nothing(entry: Entry | str, strangers: Sequence[str]) -> str:
    if isinstance(entry, str):
        others = ", ".join(shown(name) for name in strangers[:3])
        return "no entry has the name of the image" + (f" (names of no image: {others} …)" if others else "")
    kinds = sorted({name_classes(mark.names) for mark in entry.marks})
    return f"the image has shapes of class {', '.join(kinds[:8])} only" if kinds else "the image has no shape"


def _refuse_other_image(entry: Entry | str, image: str, images: Mapping[str, RawCase]) -> None:
    """Refuse an entry that says that it is of an image that another row has.

    Raises:
        ValueError: with that row.
    """
    if isinstance(entry, str) or entry.image is None:
        return
    name = last_part(as_path(entry.image))
    if name != image and name in images:
        raise ValueError(f"is of image {shown(name)}, that of row {images[name].row} (case {images[name].case_id})")


def _other_labels(
    cases: Sequence[RawCase], places: Mapping[str, Place], found: Found, classes: frozenset[str] | None
) -> Sequence[str]:
    """Return a line for each label that is the class of a lesion in cases of another label."""
    others: dict[str, list[str]] = defaultdict(list)
    for case in cases:
        entry = found.get(places[case.case_id])
        marks = _chosen(entry, classes) if isinstance(entry, Entry) else []
        names = {name.casefold() for mark in marks for name in mark.names}
        for label in names & set(LABELS) - {case.label}:
            others[label].append(plain(case.case_id))
    return [
        f"outlines: {len(ids)} cases of another label have shapes of class {label}: {', '.join(ids[:10])}"
        + (" …" if len(ids) > 10 else "")
        for label, ids in sorted(others.items())
    ]


def _notes(found: Found, strangers: Sequence[str], classes: frozenset[str] | None) -> Sequence[str]:
    entries = [(image, entry) for (_, image), entry in found.items() if isinstance(entry, Entry)]
    shaped = [_chosen(entry, classes) for _, entry in entries]
    boxes = sum(any(mark.shape for mark in marks) and any(mark.other for mark in marks) for marks in shaped)
    renamed = sum(
        entry.image is not None and stem_of(as_path(entry.image)) != stem_of(as_path(image)) for image, entry in entries
    )
    counts = {
        "entries of images that are in no row, not used": len(strangers),
        "images that have boxes, points or lines beside their outlines, not used": boxes,
        "files that name an image of another name than that of their row": renamed,
    }
    return [f"outlines: {words}: {count}" for words, count in counts.items() if count]
