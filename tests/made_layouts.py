"""Small folders in the layouts of published sets, and the way from such a folder to a cohort."""

import numpy as np
from PIL import Image

from busline.base.errors import DataError
from busline.base.settings.data import Cohort
from busline.cohort.ingest import ingest
from busline.cohort.sources.folder import acquire_folder, copy_own, read_folder
from busline.cohort.sources.order import Order
from busline.cohort.store import load_cohort
from helpers_cohort import SETTINGS, draw_image, draw_mask

GREEN, RED = (0, 255, 0), (255, 0, 0)


def draw(folder, *names):
    """Write images, each another one."""
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        kind = {"jpg": "JPEG"}.get(path.suffix[1:].lower(), "PNG")
        Image.fromarray(draw_image(sum(name.encode()))).save(path, kind)


def mark(folder, *names, colour=(255, 255, 255), shift=0):
    """Write masks; ``shift`` moves them, and a black colour makes them empty."""
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        inside = np.roll(draw_mask(), shift, axis=1)[..., None]
        Image.fromarray((inside * np.array(colour, dtype=np.uint8)).astype(np.uint8)).save(path, "PNG")


def touch(folder, *names):
    """Write files without content, for tests that read names only."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def tell(folder, text):
    """Write dataset.yaml."""
    folder.mkdir(exist_ok=True, parents=True)
    (folder / "dataset.yaml").write_text(text, encoding="utf-8")
    return folder


def copy(own, place):
    """Copy a folder as the stages `folder` and `acquire` do."""
    for name in ("files", "raw"):
        (place / name).mkdir(parents=True)
    copy_own(own, place / "files")
    acquire_folder(place / "raw", Order(Cohort(source="folder"), 0, None, place / "downloads", place / "files"))
    return place / "raw"


def make_cohort(own, place, **settings):
    """Take a folder all the way to a cohort; return its rows and the cohort."""
    raw = read_folder(copy(own, place))
    ingest(raw, "folder", place / "cohort", SETTINGS.model_copy(update=settings))
    return raw, load_cohort(place / "cohort")


def refusal(own):
    """Return what is said against a folder, problems of rows included."""
    try:
        return "\n".join(read_folder(own).problems)
    except DataError as error:
        return str(error)
