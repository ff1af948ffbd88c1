"""Requests go before runs, on a box where endpoints answer."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.process.worker import NICENESS, RUN_NICENESS
from store.words import JobKind

ROOT = Path(__file__).parents[3]
PROGRAM = """
import os, sys
from pathlib import Path
from pipeline.process.worker import give_way
from store.home import Home
before = os.nice(0)
give_way(Home(Path(sys.argv[1])), sys.argv[2])
print(os.nice(0) - before)
group = Path("/proc/self/autogroup")
print(group.read_text().split()[-1] if group.exists() else "none")
"""


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["train", "monitor"])
@pytest.mark.parametrize("answering", [True, False])
def test_a_run_steps_back_only_while_endpoints_answer_and_a_monitor_less(
    tmp_path: Path, answering: bool, kind: JobKind
) -> None:
    if answering:
        (tmp_path / "serving").mkdir()
        (tmp_path / "serving" / "control.sock").touch()
    done = subprocess.run(
        [sys.executable, "-P", "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r})\n{PROGRAM}", str(tmp_path), kind],
        capture_output=True,
        text=True,
        check=True,
        start_new_session=True,  # as its shim has
    )
    own, group = done.stdout.split()
    wanted = {"train": RUN_NICENESS, "monitor": NICENESS["monitor"]}[kind] if answering else 0
    assert int(own) == wanted
    assert group in ("none", str(wanted)), "between sessions, that of the group decides"
