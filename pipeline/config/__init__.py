"""The project file as documented types: `trainshed.toml` → frozen pydantic models (design §6).

Every field has a sentence; docs/reference/project-file.md is generated from them. Nothing here imports anything
heavier than pydantic, so the daemon can read a project cheaply.
"""

from pipeline.config.load import load_project
from pipeline.config.project import Project

__all__ = ["Project", "load_project"]
