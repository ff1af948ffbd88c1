"""Reading `trainshed.toml`: every fault as file, key, what is wrong and what would be right."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from pipeline.config.project import Project
from pipeline.config.references import nearest
from store.errors import ProjectError

PROJECT_FILE = "trainshed.toml"


def find_project(start: Path) -> Path:
    """The nearest folder from `start` upwards that holds a trainshed.toml. Raises ProjectError."""
    for folder in (start.resolve(), *start.resolve().parents):
        if (folder / PROJECT_FILE).is_file():
            return folder
    raise ProjectError(
        f"no {PROJECT_FILE} here or in any folder above",
        where=str(start),
        remedy="go to a project, name one with --project DIR, or make one with `trainshed init DIR`",
    )


def load_project(folder: Path) -> Project:
    """The project in `folder`. Raises ProjectError naming file, key and remedy of the first fault."""
    file = folder / PROJECT_FILE
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
        return Project.model_validate(document).placed_in(folder)
    except FileNotFoundError:
        raise ProjectError(
            "there is no such file", where=str(file), remedy="make a project with `trainshed init DIR`"
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ProjectError(
            f"this is not TOML: {error}", where=str(file), remedy="mend the syntax at the place named"
        ) from None
    except ValidationError as error:
        faults = list(_faults(error))
        first, rest = faults[0], len(faults) - 1
        more = f" ({rest} more: run `trainshed check`)" if rest else ""
        raise ProjectError(first.what + more, where=f"{file}: {first.where}", remedy=first.remedy) from None


def project_faults(folder: Path) -> list[ProjectError]:
    """All faults of the project file, not only the first; empty when it loads."""
    try:
        Project.model_validate(tomllib.loads((folder / PROJECT_FILE).read_text(encoding="utf-8")))
    except ValidationError as error:
        return list(_faults(error))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        try:
            load_project(folder)
        except ProjectError as fault:
            return [fault]
    return []


def _faults(error: ValidationError) -> Iterator[ProjectError]:
    for detail in error.errors(include_url=False):
        if detail["type"] == "value_error" and not detail["loc"]:
            for sentence in detail["msg"].removeprefix("Value error, ").split("; "):
                where, _, what = sentence.partition(": ")
                yield ProjectError(what, where=where, remedy="define it, or correct the name")
        else:
            yield _fault(detail)


def _fault(detail: ErrorDetails) -> ProjectError:
    tags = {"http", "file", "sql", "python", "mlp", "tabm"}
    path = [str(part) for part in detail["loc"]]
    # A tagged union puts its tag into the path; the file has no such key.
    key = ".".join(p for i, p in enumerate(path) if not (i == 2 and p in tags and path[0] in {"sources"}))
    if detail["type"] == "extra_forbidden":
        known = _known_keys(detail["loc"])
        return ProjectError(
            f"unknown key {path[-1]!r}{nearest(path[-1], known)}", where=key, remedy="remove or correct it"
        )
    if detail["type"] == "missing":
        return ProjectError(f"the key {path[-1]!r} is missing", where=key, remedy=f"add {path[-1]} = …")
    shown = "" if isinstance(detail["input"], dict | list) else f" (it says {detail['input']!r})"
    message = detail["msg"].removeprefix("Value error, ")
    return ProjectError(f"{message}{shown}", where=key, remedy="docs/reference/project-file.md lists what is allowed")


def _known_keys(location: tuple[int | str, ...]) -> set[str]:
    """The keys that the innermost section on the path has."""
    section: Any = Project
    for part in location[:-1]:
        section = _step(section, part)
        if section is None:
            return set()
    if isinstance(section, type) and issubclass(section, BaseModel):
        return {field.alias or name for name, field in section.model_fields.items()}
    return set()


def _step(section: Any, part: int | str) -> Any:
    """From a type one step down: a field of a model, the values of a mapping, the member of a union by its tag."""
    from typing import get_args, get_origin

    if isinstance(section, type) and issubclass(section, BaseModel):
        field = section.model_fields.get(str(part))
        return field.annotation if field else None
    arguments = get_args(section)
    if get_origin(section) is dict:
        return arguments[1]
    if get_origin(section) is list:
        return arguments[0]
    for member in arguments:
        found = _member(member, str(part))
        if found is not None:
            return found
    return None


def _member(member: Any, tag: str) -> Any:
    """The model inside a union (possibly nested in Annotated) whose `kind` is the tag."""
    from typing import get_args

    if isinstance(member, type) and issubclass(member, BaseModel):
        kind = member.model_fields.get("kind")
        return member if kind is not None and tag in get_args(kind.annotation) else None
    for inner in get_args(member):
        found = _member(inner, tag)
        if found is not None:
            return found
    return None
