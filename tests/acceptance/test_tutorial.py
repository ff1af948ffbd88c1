"""The tutorial works: its blocks, typed in their order; in make test its trainings take six epochs and one."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.thorough import THOROUGH

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

PAGE = Path(__file__).parents[2] / "docs" / "tutorial.md"
FIRST = "trainshed run train:wet --upstream"
SECOND = "trainshed run train:wet --set network.members=16"
BLOCKS = re.findall(r"```(sh|toml)\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


def in_few_epochs(block: str) -> str:
    """Enough for the first version to pass its gates."""
    few = block.replace(FIRST, f"{FIRST} --set training.epochs=6")
    return few.replace(SECOND, f"{SECOND} --set training.epochs=1")


def typed(command: str, folder: Path) -> str:
    """What a shell in `folder` answers; fails when any of the commands does."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environ = {name: value for name, value in os.environ.items() if not name.startswith("TRAINSHED")}
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command],
        cwd=folder,
        env={**environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_every_block_of_the_tutorial_does_what_the_page_says(tmp_path: Path) -> None:
    folder, answers = tmp_path, []
    try:
        for kind, block in BLOCKS:
            if kind == "sh":
                answers.append(typed(block if THOROUGH else in_few_epochs(block), folder))
                if "cd rain" in block:
                    folder = tmp_path / "rain"
            else:
                appended = "appended" in block.partition("\n")[0]
                with (folder / "trainshed.toml").open("a" if appended else "w", encoding="utf-8") as file:
                    file.write(block)
    finally:
        if (folder / ".trainshed" / "trainshed.sock").exists():
            typed("trainshed down", folder)
    for training in (FIRST, SECOND):
        assert any(training in block for _, block in BLOCKS)
    whole = "\n".join(answers)
    assert "1 of 26,115 rows have a wind_speed that is not 150 or less" in whole
    assert "weather@0 is up to date" in whole
    assert "wet: production nothing → v1" in whole
    assert "T02:30:00-0" in whole
