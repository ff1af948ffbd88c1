"""What is installed is what is in the checkout: code, migrations and everything that `trainshed init` copies."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("daemon", "tui", "pipeline", "store", "assets")


@pytest.mark.slow
def test_the_wheel_holds_every_file_of_our_packages(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    packed = set(zipfile.ZipFile(wheel).namelist())
    here = {
        str(file.relative_to(ROOT))
        for package in PACKAGES
        for file in (ROOT / package).rglob("*")
        if file.is_file() and "__pycache__" not in file.parts and not file.name.startswith(".")
    }
    assert sorted(here - packed) == []
    assert [name for name in packed if name.startswith("tests/")] == []
    assert {"assets/demo/flights/trainshed.toml", "assets/starter/trainshed.toml"} <= packed
