"""Download one file: with progress, resumed where it was cut, checked, and never half-written."""

from __future__ import annotations

import hashlib
import http.client
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from busline.base.errors import DownloadError
from busline.base.progress import ReportProgress, silent

CHUNK = 1 << 18
TIMEOUT_SECONDS = 30.0
ATTEMPTS = 5


class _CutError(Exception):
    """The connection ended before the file did."""


@dataclass(frozen=True)
class _Order:
    url: str
    part: Path
    report_progress: ReportProgress


def fetch(
    url: str,
    target: Path,
    sha256: str | None,
    report_progress: ReportProgress = silent,
    *,
    mend: str = "check the network and run again: the download goes on where it was cut",
    wait: float = 1.0,
) -> str:
    """Download ``url`` to ``target``, unless the whole file is already there.

    What has arrived is kept beside the target as ``<name>.part``. With a checksum the next call goes on from there;
    without one a part of an earlier call is thrown away, because nothing could tell a mixture of two versions.

    Args:
        url: http or https address.
        target: file to write; it appears only when it is complete and has the checksum.
        sha256: checksum in hex the file must have, or None to accept what arrives.
        report_progress: called with the bytes that have arrived.
        mend: what a user can do where the download is impossible.
        wait: seconds before the second attempt; doubled for each further one.

    Returns:
        The file's SHA-256 in hex.

    Raises:
        DownloadError: if the file cannot be had, is cut short each time, or has another checksum.
    """
    if not url.lower().startswith(("http://", "https://")):
        raise DownloadError(url, "is no address of a file on the web", expected="http:// or https://")
    if target.is_file():
        found = sha256_of(target)
        if sha256 in (None, found):
            return found
        target.unlink()
    target.parent.mkdir(parents=True, exist_ok=True)
    order = _Order(url, target.with_name(target.name + ".part"), report_progress)
    resumed = sha256 is not None and order.part.is_file() and order.part.stat().st_size > 0
    if not resumed:
        order.part.unlink(missing_ok=True)
    _download(order, mend, wait)
    found = sha256_of(order.part)
    if resumed and found != sha256:  # the part of the earlier call may be of another version: once more from the start
        order.part.unlink()
        _download(order, mend, wait)
        found = sha256_of(order.part)
    if sha256 not in (None, found):
        order.part.unlink()
        raise DownloadError(url, f"has SHA-256 {found}", expected=f"SHA-256 {sha256}", mend=mend)
    order.part.replace(target)
    return found


def answers(url: str) -> bool:
    """Tell whether a server would send the file; nothing of it is read."""
    if not url.lower().startswith(("http://", "https://")):
        return False
    request = urllib.request.Request(url, headers={"User-Agent": "busline"}, method="HEAD")  # noqa: S310  # checked
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:  # noqa: S310
            return bool(response.status < 400)
    except (urllib.error.URLError, http.client.HTTPException, OSError, ValueError):
        return False


def sha256_of(path: Path) -> str:
    """Return a file's SHA-256 in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _download(order: _Order, mend: str, wait: float) -> None:
    """Try until the file is complete."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            _receive(order)
        except urllib.error.HTTPError as error:
            reason = f"the server answers {error.code} {error.reason}"
            lasting = error.code < 500 and error.code != 429
        except urllib.error.URLError as error:
            reason = f"cannot be reached ({error.reason})"
            lasting = not isinstance(error.reason, (TimeoutError, ConnectionResetError))
        except (http.client.InvalidURL, ValueError) as error:  # the address, or one that a server sends on to
            reason, lasting = f"is no address that can be asked ({error})", True
        except (_CutError, http.client.HTTPException, TimeoutError, ConnectionError) as error:
            reason, lasting = f"was cut: {error}", False
        else:
            return
        if lasting or attempt == ATTEMPTS:
            raise DownloadError(order.url, reason, mend=mend)
        time.sleep(wait * 2 ** (attempt - 1))


def _receive(order: _Order) -> None:
    """Ask for what is missing and append it to the part."""
    start = order.part.stat().st_size if order.part.exists() else 0
    request = urllib.request.Request(order.url, headers={"User-Agent": "busline"})  # noqa: S310  # checked by fetch
    if start:
        request.add_header("Range", f"bytes={start}-")
    try:
        response = urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS)  # noqa: S310
    except urllib.error.HTTPError as error:
        if error.code != 416:
            raise
        error.close()
        if error.headers.get("Content-Range") == f"bytes */{start}":  # everything has arrived already
            return
        order.part.unlink()
        raise _CutError("its part does not fit the file on the server") from error
    with response:
        if start and not _continues(response, start):
            start = 0
        _append(response, order, start)


def _continues(response: http.client.HTTPResponse, start: int) -> bool:
    """Tell whether the answer is the rest of the file, not the whole of it again."""
    return response.status == 206 and str(response.headers.get("Content-Range", "")).startswith(f"bytes {start}-")


def _append(response: http.client.HTTPResponse, order: _Order, start: int) -> None:
    length = response.headers.get("Content-Length")
    total = start + int(length) if length is not None else None
    done = start
    with order.part.open("ab" if start else "wb") as file:
        while chunk := response.read(CHUNK):
            file.write(chunk)
            done += len(chunk)
            order.report_progress(order.part.name.removesuffix(".part"), done, total)
    if total is not None and done < total:
        raise _CutError(f"{done} of {total} bytes arrived")
