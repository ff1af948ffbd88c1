"""The project file as documented types: `trainshed.toml` → frozen pydantic models (design §6).

Every field has a sentence; docs/reference/project-file.md is generated from them. Nothing here imports anything
heavier than pydantic, so the daemon can read a project cheaply.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipeline.config.load import load_project
    from pipeline.config.project import Project

__all__ = ["Project", "load_project"]


def __getattr__(name: str) -> Any:
    """All sections are made when somebody reads a project: a quarter of a second of which who only needs the word for
    a duration, or the type of one section in an annotation, is spared."""
    if name == "load_project":
        from pipeline.config.load import load_project

        return load_project
    if name == "Project":
        from pipeline.config.project import Project

        return Project
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
