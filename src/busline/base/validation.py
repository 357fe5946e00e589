"""What is wrong with a file of settings, in words for its writer: one line for each key, with near matches."""

from __future__ import annotations

from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel, ValidationError

from busline.base.errors import near_matches, plain, shown


def describe_errors(error: ValidationError, model: type[BaseModel]) -> list[str]:
    """Return a line for everything that pydantic found wrong.

    Args:
        error: what the validation of the whole file raised.
        model: what the file was validated as; it knows the keys that an unknown one may have been meant for.
    """
    return [line for item in error.errors() for line in _describe(dict(item), model)]


def _describe(item: dict[str, object], model: type[BaseModel]) -> list[str]:
    given = item["loc"]
    assert isinstance(given, tuple)
    location = [part for part in given if not str(part).startswith("<")]  # which of several sections was meant
    key = ".".join(plain(str(part)) for part in location)
    if item["type"] == "extra_forbidden":
        known = _known_keys(model, tuple(str(part) for part in location[:-1]))
        return [f"{key}: unknown key; {near_matches(str(location[-1]), known)}"]
    if item["type"] == "missing":
        return [f"{key}: is missing"]
    message = str(item["msg"]).removeprefix("Value error, ")
    if not key and item["type"] == "value_error":  # a check of the whole file: it says where and what
        return message.split("\n")
    return [f"{key or 'the file'}: {message}, found {shown(item['input'])}"]


def _known_keys(model: type[BaseModel], parents: tuple[str, ...]) -> list[str]:
    """Return the keys the section at ``parents`` knows, for near matches."""
    annotation: Any = model
    for part in parents:
        if _is_section(annotation):
            field = annotation.model_fields.get(part)
            annotation = _section_in(field.annotation) if field else None
        elif get_origin(annotation) is dict:
            annotation = get_args(annotation)[1]
    return [field.alias or name for section in _sections_of(annotation) for name, field in section.model_fields.items()]


def _section_in(annotation: Any) -> Any:
    """Return the section, or dict, of an optional one (``FineTune | None``); any other annotation as it is."""
    if get_origin(annotation) is dict:
        return annotation
    options = get_args(annotation)
    return next((option for option in options if _is_section(option) or get_origin(option) is dict), annotation)


def _sections_of(annotation: Any) -> list[Any]:
    """Return a section alone, or those of several (``FromMirror | FromUrl``); none of anything else."""
    options = [annotation] if _is_section(annotation) else get_args(annotation)
    return [option for option in map(_bare, options) if _is_section(option)]


def _bare(annotation: Any) -> Any:
    return get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation


def _is_section(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)
