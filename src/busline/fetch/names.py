"""Names of files that come from a table or an archive: untrusted, so checked before they touch the file system."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from busline.base.errors import shown

LONGEST_NAME = 200
LONGEST_PART, LONGEST_PATH = 255, 1000
"""Bytes of a name, and of one with its folders; Linux takes 255 and 4096, the folder it is joined to among them."""


def safe_path(text: str, *, subfolders: bool) -> PurePosixPath:
    """Return a file's name as a relative path that cannot leave the folder it is joined to.

    Args:
        text: the name as the table or the archive has it.
        subfolders: whether ``folder/name`` is allowed, with forward slashes.

    Raises:
        ValueError: with the reason, if the name is empty, absolute, climbs with ``..``, or has characters that mean
            something else on another system.
    """
    if not text.strip():
        raise ValueError("a file name is empty")
    if re.search(r"[\x00-\x1f\x7f]", text):
        raise ValueError(f"file name {shown(text)} has a control character")
    if text.startswith(("/", "\\", "~")) or re.match(r"[A-Za-z]:", text):
        raise ValueError(f"file name {shown(text)} is an absolute path; expected a name inside the folder")
    if "\\" in text:
        raise ValueError(
            f"file name {shown(text)} has a backslash; expected {'forward slashes' if subfolders else 'a name'}"
        )
    parts = text.split("/")
    if ".." in parts:
        raise ValueError(f"file name {shown(text)} leaves its folder with '..'")
    if "" in parts or "." in parts:
        raise ValueError(f"file name {shown(text)} has an empty part")
    if len(parts) > 1 and not subfolders:
        raise ValueError(f"file name {shown(text)} has a folder in it; expected a plain name")
    if max(len(part) for part in parts) > LONGEST_NAME:
        raise ValueError(f"file name {text[:40]!r}… is longer than {LONGEST_NAME} characters")
    if max(len(part.encode()) for part in parts) > LONGEST_PART or len(text.encode()) > LONGEST_PATH:
        raise ValueError(f"file name {text[:40]!r}… is longer than a file system takes; shorten it")
    return PurePosixPath(text)
