"""Read a YAML file that somebody else may have written: small, shallow, and without bombs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from busline.base.errors import BuslineError, cut

LARGEST = 1_000_000
"""Bytes that a file may have."""
MOST_ALIASES = 20
"""Some dozen aliases can stand for more values than a memory holds."""
DEEPEST = 40
"""Levels of nesting; a reader that descends by recursion ends at some hundreds."""
LONGEST_REASON = 400


def read_mapping(path: Path, kind: type[BuslineError]) -> dict[str, Any]:
    """Read an existing file of settings as it is (YAML 1.2, so that 3e-05 is a number).

    Args:
        path: the file, UTF-8 with or without a byte order mark.
        kind: class of the error that is raised.

    Raises:
        kind: if it is too large, no YAML, no mapping, too deep, or holds many aliases.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    if path.stat().st_size > LARGEST:
        raise kind(str(path), f"is larger than {LARGEST:,} bytes")
    try:
        text = path.read_text(encoding="utf-8-sig")
        _refuse_bombs(text, path, kind)
        content = YAML(typ="safe", pure=True).load(text)
    except UnicodeDecodeError as error:
        raise kind(str(path), f"is no text in UTF-8 ({error})", mend="save it as UTF-8") from error
    except (YAMLError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        # the reader lets through what int, float and datetime say of `!!int x`, `!!float x` and `2026-13-41`
        raise kind(str(path), f"is not valid YAML: {cut(str(error), LONGEST_REASON)}") from error
    if not isinstance(content, dict):
        raise kind(str(path), "is no mapping", expected="one `key:` after the other")
    return content


def _refuse_bombs(text: str, path: Path, kind: type[BuslineError]) -> None:
    """Refuse many aliases and deep nesting at the first token that is too much."""
    from ruamel.yaml import YAML, tokens

    opening = (
        tokens.BlockMappingStartToken,
        tokens.BlockSequenceStartToken,
        tokens.FlowMappingStartToken,
        tokens.FlowSequenceStartToken,
    )
    closing = (tokens.BlockEndToken, tokens.FlowMappingEndToken, tokens.FlowSequenceEndToken)
    depth = aliases = 0
    for token in YAML(typ="safe", pure=True).scan(text):
        depth += isinstance(token, opening) - isinstance(token, closing)
        aliases += isinstance(token, tokens.AliasToken)
        if aliases > MOST_ALIASES:
            mend = "write the values out; quote text that begins with *"
            raise kind(str(path), "has many aliases (*)", expected=f"at most {MOST_ALIASES}", mend=mend)
        if depth > DEEPEST:
            line = token.start_mark.line + 1
            raise kind(str(path), f"is nested more than {DEEPEST} levels deep in line {line}")
