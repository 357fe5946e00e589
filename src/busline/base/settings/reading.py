"""Settings as typed values: of params.yaml a stage reads the sections it uses, of models the file of its own."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from busline.base.errors import ParameterError, near_matches
from busline.base.settings.section import Section
from busline.base.validation import describe_errors
from busline.base.yaml import read_mapping

Kind = TypeVar("Kind", bound=Section)


def load_settings(kind: type[Kind], path: Path = Path("params.yaml")) -> Kind:
    """Read the sections of params.yaml that ``kind`` has as fields; no other is looked at.

    Raises:
        ParameterError: listing every unknown key, missing key and wrong type in them.
    """
    content = read_parameters(path)
    return parse_settings(kind, {name: content[name] for name in kind.model_fields if name in content}, str(path))


def read_parameters(path: Path) -> dict[str, Any]:
    """Read a parameter file as it is (YAML 1.2, so that 3e-05 is a number).

    Raises:
        ParameterError: if it is missing, no mapping, or more than :func:`busline.base.yaml.read_mapping` reads.
    """
    if not path.is_file():
        raise ParameterError(str(path), "is missing", mend="run from the repository's root")
    return read_mapping(path, ParameterError)


def parse_settings(kind: type[Kind], content: object, where: str = "params.yaml") -> Kind:
    """Check the content of a parameter file; see :func:`load_settings`."""
    try:
        return kind.model_validate(content)
    except ValidationError as error:
        lines = describe_errors(error, kind)
        raise ParameterError(where, "".join(f"\n  - {line}" for line in lines).lstrip("\n") or "invalid") from error


def load_model_settings(kind: type[Kind], path: Path) -> Kind:
    """Read the settings of one model, as :func:`save_model_settings` wrote them.

    Raises:
        DataError: if no settings were written yet.
        ParameterError: if the model is not active, or the file holds other settings than those of ``kind``.
    """
    from busline.base.artifacts import load_json

    active = sorted(file.stem for file in path.parent.glob("*.json"))
    if active and path.stem not in active:
        mend = near_matches(path.stem, active)
        raise ParameterError(f"{path.parent.name} {path.stem!r}", "is unknown or not active", mend=mend)
    return parse_settings(kind, load_json(path), str(path))


def save_model_settings(settings: Section, path: Path) -> None:
    """Write the settings of one model as JSON with sorted keys, every number as it is."""
    from busline.base.artifacts import save_exact_json

    save_exact_json(settings.model_dump(mode="json"), path)


def require_name(what: str, name: str, known: Collection[str]) -> None:
    """Refuse a name, given to a stage, that is no key of a section: ``require_name("image model", …)``."""
    if name not in known:
        raise ParameterError(f"{what} {name!r}", "is unknown", mend=near_matches(name, known))
