"""The reference says what the code says, and nothing of the product is missing from it."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path

import pytest
import typer.main

from pipeline.config.base import Section
from pipeline.config.sentences import sentences
from store import errors
from tui.cli import app

ROOT = Path(__file__).parents[3]
REFERENCE = ROOT / "docs" / "reference"


@pytest.mark.slow
def test_the_reference_is_what_the_code_says() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "docs" / "generate.py"), "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def sections(base: type[Section] = Section) -> list[type[Section]]:
    return [found for below in base.__subclasses__() for found in (below, *sections(below))]


@pytest.mark.parametrize("section", sections(), ids=lambda section: section.__name__)
def test_every_key_of_the_project_file_has_a_sentence(section: type[Section]) -> None:
    told = sentences(section)
    silent = [name for name in section.model_fields if not told.get(name) and name != "kind"]
    assert silent == [] or section.__name__ == "Project"


def commands(command: object, path: str) -> list[tuple[str, object]]:
    inner = getattr(command, "commands", {})
    return [(path, command), *(found for name, c in inner.items() for found in commands(c, f"{path} {name}"))]


COMMANDS = commands(typer.main.get_command(app), "trainshed")


@pytest.mark.parametrize(("path", "command"), COMMANDS, ids=[path for path, _ in COMMANDS])
def test_every_command_has_help_and_an_example_that_begins_with_it(path: str, command: object) -> None:
    assert getattr(command, "help", "")
    example = str(getattr(command, "epilog", "") or "").removeprefix("Example: ")
    assert example.startswith(path)
    assert f"## `{path}`" in (REFERENCE / "commands.md").read_text(encoding="utf-8")


ERRORS = [
    kind.__name__ for kind in vars(errors).values() if inspect.isclass(kind) and issubclass(kind, errors.TrainshedError)
]


@pytest.mark.parametrize("name", ERRORS)
def test_every_error_stands_in_the_tree_and_in_the_table(name: str) -> None:
    page = (REFERENCE / "errors.md").read_text(encoding="utf-8")
    assert page.count(name) >= 2


def test_every_dependency_has_its_line() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = [*project["project"]["dependencies"]]
    wanted += [one for extra in project["project"]["optional-dependencies"].values() for one in extra]
    wanted += [one for group in project["dependency-groups"].values() for one in group]
    page = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    names = {one.partition("[")[0].partition(">")[0].partition("=")[0].partition("<")[0].strip() for one in wanted}
    assert [name for name in sorted(names) if f"**{name}**" not in page] == []
