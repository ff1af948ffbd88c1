"""Commands of ours that run as programs of their own, because they need what the command line does not import."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence

import typer

from tui.verbs.frame import Shell


def program(module: str, *arguments: str) -> list[str]:
    """`python -P -m module …`: -P, so that a file of the user's in the current folder is never taken for ours."""
    return [sys.executable, "-P", "-m", module, *arguments]


def run_program(shell: Shell, module: str, arguments: Sequence[str]) -> None:
    """Runs it on our own standard streams; anything but success ends the verb with 1."""
    flags = ["--json"] if shell.as_json else []
    sys.stdout.flush()
    done = subprocess.run(program(module, *arguments, *flags), env=dict(shell.environ), cwd=shell.folder)
    if done.returncode != 0:
        raise typer.Exit(done.returncode if done.returncode in (1, 2, 3) else 1)
