"""The mirror: a folder with local copies of what would be downloaded, named by ``$BUSLINE_MIRROR``."""

from __future__ import annotations

import os
from pathlib import Path

from busline.base.errors import ParameterError

VARIABLE = "BUSLINE_MIRROR"


def find_mirror() -> Path | None:
    """Return the folder that ``$BUSLINE_MIRROR`` names, or None if the variable is not set or empty.

    Raises:
        ParameterError: if it names no folder.
    """
    text = os.environ.get(VARIABLE, "")
    if not text:
        return None
    folder = Path(text).expanduser()
    if not folder.is_dir():
        raise ParameterError(f"${VARIABLE}", f"is {text!r}, which is no folder", mend="correct it, or unset it")
    return folder
