"""An export as its Containerfile builds it, with nothing installed but its requirements, without a container engine."""

from __future__ import annotations

import json
import shutil
import subprocess
import venv
from dataclasses import dataclass, field
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


@dataclass
class Image:
    """What a Containerfile builds, in a folder of this machine instead of an engine."""

    root: Path
    """Where `/` of the image is."""
    workdir: str
    environment: dict[str, str] = field(default_factory=dict)
    command: list[str] = field(default_factory=list)
    health: list[str] = field(default_factory=list)

    @property
    def folder(self) -> Path:
        return self.root / self.workdir.lstrip("/")

    def here(self, text: str) -> str:
        """A path of the image as it is on this machine; other text as it is."""
        return text.replace("/srv/", f"{self.root}/srv/")

    @property
    def variables(self) -> dict[str, str]:
        return {name: self.here(value) for name, value in self.environment.items()}


_WORKDIRS = {"python": "/", "amazon/aws-lambda-python": "/var/task"}
"""Of the base images."""
_NOT_HERE = ("python -m pip install ", "useradd ")
"""The environment has what pip would install, and this machine's users stay as they are."""


def built(folder: Path, root: Path, python: Path) -> Image:
    """The Containerfile of an export, obeyed line by line. Raises AssertionError for what this does not know."""
    text = (folder / "Containerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line.split(maxsplit=1) for line in text.splitlines() if line.strip() and not line.startswith("#")]
    (_, base), *rest = lines
    image = Image(root, _WORKDIRS[base.split(":")[0]])
    image.folder.mkdir(parents=True, exist_ok=True)
    for word, said in rest:
        match word:
            case "WORKDIR":
                image.workdir = said
                image.folder.mkdir(parents=True)
            case "COPY":
                *sources, target = said.split()
                for source in sources:
                    _copy(folder / source, image.folder / target)
            case "ENV":
                image.environment |= dict(pair.split("=", 1) for pair in said.split())
            case "RUN" if not said.startswith(_NOT_HERE):
                subprocess.run([str(python), *said.split()[1:]], cwd=image.folder, check=True)
            case "CMD":
                image.command = json.loads(said)
            case "HEALTHCHECK":
                image.health = json.loads(said.partition("CMD")[2])
            case _:
                assert word in ("RUN", "USER", "EXPOSE", "STOPSIGNAL"), word
    return image


def _copy(source: Path, target: Path) -> None:
    """As COPY does: of a folder what is in it."""
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True)
    else:
        shutil.copy(source, target / source.name)
