"""From what pydantic found to what a person can mend: key, line, what is wrong, what would be right."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from pipeline.config.base import Section, duration_text
from pipeline.config.lines import line_of
from pipeline.config.project import Project
from pipeline.config.references import nearest
from pipeline.config.sentences import sentences
from store.errors import ProjectError

Location = tuple[str | int, ...]
_SPAN: Final = re.compile(r"datetime\.timedelta\(([^)]*)\)")


@dataclass(frozen=True)
class Place:
    """Where a fault lies in the file."""

    file: Path
    text: str
    path: Location

    def __str__(self) -> str:
        line = line_of(self.text, self.path)
        number = "" if line is None else f":{line}"
        return f"{self.file}{number}: {dotted(self.path)}" if self.path else f"{self.file}{number}"


def explain(error: ValidationError, file: Path, text: str, document: dict[str, Any]) -> list[ProjectError]:
    """One ProjectError for each fault, in the order of the file's sections; alternatives of one key become one."""
    faults: dict[str, ProjectError] = {}
    for detail in error.errors(include_url=False):
        for fault in _of_detail(detail, file, text, document):
            before = faults.get(fault.where)
            if before is None or detail["type"] in ("missing", "extra_forbidden"):
                faults[fault.where if before is None else f"{fault.where} {len(faults)}"] = fault
            elif fault.what not in before.what and detail["type"] not in ("value_error",):
                joined = f"{before.what}, or: {fault.what}"
                faults[fault.where] = ProjectError(joined, where=before.where, remedy=before.remedy)
    return list(faults.values())


def dotted(path: Location) -> str:
    """`datasets.flights.checks[0].column`, `jobs."train:late".retries`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            plain = part if re.fullmatch(r"[A-Za-z0-9_-]+", part) else f'"{part}"'
            text += f".{plain}" if text else plain
    return text


def _of_detail(detail: ErrorDetails, file: Path, text: str, document: dict[str, Any]) -> Iterator[ProjectError]:
    if detail["type"] == "value_error" and not detail["loc"]:
        # The project's own rules on names: several sentences, each beginning with its key.
        for sentence in _message(detail).split("; "):
            key, _, what = sentence.partition(": ")
            place = Place(file, text, tuple(key.split(".")))
            yield ProjectError(what, where=str(place), remedy="define it, or correct the name")
        return
    path = _in_document(detail["loc"], document)
    if detail["type"] == "missing":
        path = (*path, detail["loc"][-1])
    elif detail["type"] in ("union_tag_invalid", "union_tag_not_found"):
        path = (*path, "kind")
    what, remedy = _sentence(detail, path)
    yield ProjectError(what, where=str(Place(file, text, path)), remedy=remedy)


def _sentence(detail: ErrorDetails, path: Location) -> tuple[str, str]:
    """What is wrong, and what would be right."""
    given, context = detail["input"], detail.get("ctx", {})
    match detail["type"]:
        case "extra_forbidden":
            return (
                f"unknown key {path[-1]!r}{nearest(str(path[-1]), _known_keys(detail['loc']))}",
                "remove or correct it",
            )
        case "missing":
            return f"the key {path[-1]!r} is missing", f"add {path[-1]} = …{_described(detail['loc'])}"
        case "union_tag_invalid":
            known = re.findall(r"'([^']+)'", str(context["expected_tags"]))
            return (
                f"there is no kind {context['tag']!r}{nearest(context['tag'], known)}",
                f"use one of {', '.join(known)}",
            )
        case "union_tag_not_found":
            return "the key 'kind' is missing", "add kind = …, docs/reference/project-file.md lists the kinds"
        case "literal_error":
            known = re.findall(r"'([^']+)'", str(context["expected"]))
            return f"{given!r} is not allowed{nearest(str(given), known)}", f"use one of {', '.join(known)}"
        case "string_pattern_mismatch" if ".py" in str(context.get("pattern")):
            return f"{given!r} is not a reference to Python", 'write "file.py:function"'
        case "string_pattern_mismatch":
            return f"{given!r} is not a name", "begin with a small letter; then small letters, digits and _"
        case "value_error":
            return _message(detail), _correction(detail["loc"])
    shown = "" if isinstance(given, dict | list) else f", not {given!r}"
    return f"{_plain(detail)}{shown}", _correction(detail["loc"])


def _correction(location: Location) -> str:
    described = _described(location)
    return f"correct it{described}" if described else "correct it: docs/reference/project-file.md says what is allowed"


def _plain(detail: ErrorDetails) -> str:
    """A limit of time as one writes it in the file, where pydantic shows it as Python does."""
    return _SPAN.sub(_as_written, detail["msg"].removeprefix("Input "))


def _as_written(span: re.Match[str]) -> str:
    parts = dict(part.split("=") for part in span[1].split(", ") if "=" in part)
    return duration_text(timedelta(**{unit: int(number) for unit, number in parts.items()}))


def _message(detail: ErrorDetails) -> str:
    return detail["msg"].removeprefix("Value error, ")


def _in_document(location: Location, document: dict[str, Any]) -> Location:
    """The parts of pydantic's location that are keys of the file: it mixes in tags of unions and names of types."""
    here: Any = document
    path: list[str | int] = []
    for part in location:
        known = range(len(here)) if isinstance(here, list) else here if isinstance(here, dict) else ()
        if part in known:
            here = here[part]
            path.append(part)
    return tuple(path)


def _known_keys(location: Location) -> set[str]:
    """The keys that the innermost section on the path has."""
    section = _section(location[:-1])
    if isinstance(section, type) and issubclass(section, BaseModel):
        return {field.alias or name for name, field in section.model_fields.items()}
    return set()


def _described(location: Location) -> str:
    """The sentence under the field, to be put behind a remedy."""
    for length in range(len(location), 0, -1):
        section = _section(location[: length - 1])
        if isinstance(section, type) and issubclass(section, Section):
            names = {field.alias or name: name for name, field in section.model_fields.items()}
            sentence = sentences(section).get(names.get(str(location[length - 1]), ""))
            return f" ({' '.join(sentence.split())})" if sentence else ""
    return ""


def _section(location: Location) -> Any:
    section: Any = Project
    for part in location:
        section = _step(section, part)
        if section is None:
            return None
    return section


def _step(section: Any, part: int | str) -> Any:
    """From a type one step down: a field of a model, the values of a mapping, the member of a union by its tag."""
    if isinstance(section, type) and issubclass(section, BaseModel):
        field = section.model_fields.get(str(part))
        return field.annotation if field else None
    arguments = get_args(section)
    if get_origin(section) is dict:
        return arguments[1]
    if get_origin(section) is list:
        return arguments[0]
    members = (_member(member, str(part)) for member in arguments)
    return next((member for member in members if member is not None), None)


def _member(member: Any, tag: str) -> Any:
    """The model inside a union (possibly nested in Annotated) whose `kind` is the tag."""
    if isinstance(member, type) and issubclass(member, BaseModel):
        kind = member.model_fields.get("kind")
        return member if kind is not None and tag in get_args(kind.annotation) else None
    members = (_member(inner, tag) for inner in get_args(member))
    return next((found for found in members if found is not None), None)
