"""`init`, `check`, `demo`, `doctor`: before there is a daemon."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tui.failure import Failure, Usage
from tui.verbs.child import run_program
from tui.verbs.frame import Shell, verb

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable


def add_to(app: typer.Typer) -> None:
    verb(app, "init", example="trainshed init taxi")(init)
    verb(app, "check", example="trainshed check --project taxi")(check)
    verb(app, "demo", example="trainshed demo --dir /tmp/demo --headless")(demo)
    verb(app, "doctor", example="trainshed doctor --json")(doctor)


def init(
    shell: Shell,
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", help="Where; made if it is not there.")] = Path(),
    example: Annotated[
        str | None, typer.Option(metavar="NAME", help="A whole example instead of the small start: flights.")
    ] = None,
) -> None:
    """Write a new project: a small commented one, or an example. Never overwrites a file."""
    files = _files(_template(example))
    target = (shell.folder / folder).resolve()
    taken = [name for name in files if (target / name).exists()]
    if taken:
        raise Failure(
            f"{', '.join(taken)} is there already, and init overwrites nothing",
            where=str(target),
            remedy="name a new folder: `trainshed init DIR`",
        )
    for name, content in files.items():
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    told = {"project": str(target), "files": sorted(files)}
    shell.say(told, f"{len(files)} files in {target}\n  → cd {folder} && trainshed check && trainshed up --detach")


def check(shell: Shell) -> None:
    """Read the project, compile its SQL, resolve every reference, print its jobs as a tree. Exit 1 on any fault."""
    run_program(shell, "pipeline.check", ["--project", str(shell.place.project)])


def demo(
    shell: Shell,
    folder: Annotated[
        Path | None, typer.Option("--dir", metavar="DIR", help="Where; else a new temporary folder.")
    ] = None,
    headless: Annotated[
        bool, typer.Option("--headless", help="Stop the daemon at the end and print a summary.")
    ] = False,
    short: Annotated[
        bool, typer.Option("--short", help="Two minutes instead of four: without the summer and its drift.")
    ] = False,
) -> None:
    """The whole main job on real data: flights that left New York in 2013, from January to July."""
    from tui.demo import run_demo

    run_demo(shell, folder=folder, headless=headless, short=short)


def doctor(shell: Shell) -> None:
    """Look at everything that work depends on, here and now; works without a project too."""
    try:
        place = ["--project", str(shell.place.project)]
    except Usage:
        place = []
    run_program(shell, "daemon.doctor", place)


def _template(example: str | None) -> Traversable:
    from importlib.resources import files

    if example is None:
        return files("assets") / "starter"
    folder = files("assets") / "demo"
    known = sorted(item.name for item in folder.iterdir() if item.is_dir() and not item.name.startswith("_"))
    if example not in known:
        raise Usage(f"there is no example {example!r}", remedy=f"the examples are: {', '.join(known)}")
    return folder / example


def _files(folder: Traversable, prefix: str = "") -> dict[str, bytes]:
    """Relative path → content of everything in a template."""
    found: dict[str, bytes] = {}
    for item in sorted(folder.iterdir(), key=lambda each: each.name):
        if item.name == "__pycache__":
            continue
        if item.is_dir():
            found |= _files(item, f"{prefix}{item.name}/")
        else:
            found[prefix + item.name] = item.read_bytes()
    return found
