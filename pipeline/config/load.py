"""Reading `trainshed.toml`: a project, or every fault as file, line, key, what is wrong and what would be right."""

from __future__ import annotations

import tomllib
from pathlib import Path

from pydantic import ValidationError

from pipeline.config.faults import explain
from pipeline.config.project import Project
from store.errors import ProjectError

PROJECT_FILE = "trainshed.toml"


def load_project(folder: Path) -> Project:
    """The project in `folder`. Raises ProjectError naming file, line, key and remedy of the first fault."""
    project, faults = read_project(folder)
    if project is not None:
        return project
    first, rest = faults[0], len(faults) - 1
    more = f" ({rest} more: run `trainshed check`)" if rest else ""
    raise ProjectError(first.what + more, where=first.where, remedy=first.remedy)


def read_project(folder: Path) -> tuple[Project | None, list[ProjectError]]:
    """The project and no fault, or None and all faults of the file."""
    file = folder / PROJECT_FILE
    try:
        text = file.read_text(encoding="utf-8")
        document = tomllib.loads(text)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        return None, [_unreadable(file, error)]
    try:
        return Project.model_validate(document).placed_in(folder), []
    except ValidationError as error:
        return None, explain(error, file, text, document)


def _unreadable(file: Path, error: Exception) -> ProjectError:
    match error:
        case FileNotFoundError():
            return ProjectError(
                "there is no such file", where=str(file), remedy="make a project with `trainshed init DIR`"
            )
        case OSError():
            return ProjectError(f"it cannot be read: {error.strerror}", where=str(file), remedy="give yourself access")
        case UnicodeDecodeError():
            return ProjectError("this is not UTF-8 text", where=str(file), remedy="save it as UTF-8")
    return ProjectError(f"this is not TOML: {error}", where=str(file), remedy="mend the syntax at the place named")
