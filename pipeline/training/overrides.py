"""`--set training.epochs=5`: a section of the project file with single settings changed for once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from pipeline.config.base import Section
from pipeline.config.references import nearest
from store.errors import ProjectError

S = TypeVar("S", bound=Section)


def with_overrides(section: S, overrides: Mapping[str, Any]) -> S:
    """The section with dotted settings replaced, validated as if it stood so in the file. Raises ProjectError."""
    document = section.model_dump(by_alias=True)
    for path, value in overrides.items():
        _replace(document, section, path, value)
    try:
        return type(section).model_validate(document)
    except ValidationError as error:
        detail = error.errors(include_url=False)[0]
        names = [str(part) for part in detail["loc"]]
        key = next((path for path in overrides if set(path.split(".")) <= set(names)), ".".join(names))
        message = detail["msg"].removeprefix("Value error, ")
        raise ProjectError(
            f"{message} (it says {detail['input']!r})",
            where=f"--set {key}",
            remedy="docs/reference/project-file.md lists what is allowed",
        ) from None


def _replace(document: dict[str, Any], section: Any, path: str, value: Any) -> None:
    """Walks down to the last part of `path` and puts the value there. Raises ProjectError with the nearest name."""
    place = document
    *parents, last = path.split(".")
    for part in parents:
        section = _child(section, part, path)
        place = place[part]
    _child(section, last, path)
    place[last] = value


def _child(section: Any, part: str, path: str) -> Any:
    if isinstance(section, BaseModel):
        fields = {field.alias or name: name for name, field in type(section).model_fields.items()}
        if part in fields:
            return getattr(section, fields[part])
        known = set(fields)
    elif isinstance(section, Mapping):
        # A free table, such as the parameters of an own network: any name will do.
        return section.get(part)
    else:
        known = set()
    raise ProjectError(
        f"there is no setting {path!r}{nearest(part, known)}",
        where=f"--set {path}",
        remedy="correct the name; docs/reference/project-file.md lists all settings",
    )
