"""An export where only its requirements are installed: a new environment with these distributions and no others."""

from __future__ import annotations

import re
import venv
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement


def environment_of(requirements: Path, folder: Path) -> Path:
    """Its Python. What the requirements name is what this environment has, by a test: so it is linked, not fetched."""
    venv.create(folder, with_pip=False, symlinks=True)
    (site,) = folder.glob("lib/python3*/site-packages")
    for name in named(requirements):
        found = distribution(name)
        for top in {file.parts[0] for file in found.files or () if file.parts[0] not in ("..", "__pycache__")}:
            link = site / top
            if not link.exists():
                link.symlink_to(Path(str(found.locate_file(top))))
    return folder / "bin" / "python"


def named(requirements: Path) -> list[str]:
    """The distributions that are for this Python. Raises AssertionError for one of another version than is here."""
    names = []
    for line in requirements.read_text(encoding="utf-8").splitlines():
        if "==" not in line or line.startswith((" ", "#")):
            continue
        wanted = Requirement(line.removesuffix("\\").strip())
        if wanted.marker is None or wanted.marker.evaluate():
            assert distribution(wanted.name).version in wanted.specifier, wanted
            names.append(wanted.name)
    return names


def containerfile(folder: Path) -> tuple[dict[str, str], list[str]]:
    """(environment, command) as its Containerfile has them."""
    text = (folder / "Containerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    (variables,) = re.findall(r"^ENV (.+)$", text, re.M)
    (command,) = re.findall(r"^CMD \[(.+)\]$", text, re.M)
    environment = dict(pair.split("=", 1) for pair in variables.split())
    return environment, [part.strip().strip('"') for part in command.split(",")]
