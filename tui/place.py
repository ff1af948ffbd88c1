"""Where the project and its home are (design §5, §7). The standard library only: this runs before anything else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tui.failure import Usage

PROJECT_FILE = "trainshed.toml"


@dataclass(frozen=True)
class Place:
    project: Path
    home: Path

    @property
    def socket(self) -> Path:
        return self.home / "trainshed.sock"

    @property
    def serving_socket(self) -> Path:
        """There while endpoints answer."""
        return self.home / "serving" / "control.sock"

    @property
    def daemon_log(self) -> Path:
        return self.home / "daemon.log"


def find_place(named: str | None, start: Path, environ: Mapping[str, str]) -> Place:
    """The project `named` by --project, else by $TRAINSHED_PROJECT, else the nearest one from `start` upwards.

    Raises Usage when there is none.
    """
    asked = named or environ.get("TRAINSHED_PROJECT")
    return place_of(_named(asked) if asked else _nearest(start), environ)


def place_of(project: Path, environ: Mapping[str, str]) -> Place:
    """The project's home is $TRAINSHED_HOME, else `.trainshed` in the project."""
    home = environ.get("TRAINSHED_HOME")
    return Place(project, Path(home).expanduser().resolve() if home else project / ".trainshed")


def _named(folder: str) -> Path:
    project = Path(folder).expanduser().resolve()
    if not (project / PROJECT_FILE).is_file():
        raise Usage(
            f"there is no {PROJECT_FILE} in this folder",
            where=str(project),
            remedy=f"name a project's folder, or make one with `trainshed init {folder}`",
        )
    return project


def _nearest(start: Path) -> Path:
    for folder in (start.resolve(), *start.resolve().parents):
        if (folder / PROJECT_FILE).is_file():
            return folder
    raise Usage(
        f"no {PROJECT_FILE} here or in any folder above",
        where=str(start),
        remedy="go to a project, name one with --project DIR, or make one with `trainshed init DIR`",
    )
