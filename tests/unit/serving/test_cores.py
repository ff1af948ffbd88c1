"""Cores that serving has to itself: which are refused, what is left for runs, and that every thread keeps to them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.serving.cores import available, left_for_runs, require_cores
from store.errors import ProjectError

ROOT = Path(__file__).parents[3]
PROGRAM = """
import os, threading
from pathlib import Path
from pipeline.serving.cores import pin
rest, seen = threading.Event(), []
threading.Thread(target=rest.wait, daemon=True).start()
pin([%d])
threading.Thread(target=rest.wait, daemon=True).start()
for thread in Path("/proc/self/task").iterdir():
    print(*os.sched_getaffinity(int(thread.name)))
rest.set()
"""


def test_a_core_that_is_not_there_is_refused_with_those_that_are() -> None:
    require_cores([], {0, 1})
    require_cores([1], {0, 1})
    with pytest.raises(ProjectError) as refused:
        require_cores([1, 4, 9], {0, 1, 2, 3})
    assert (refused.value.what, refused.value.where) == (
        "there is no core 4, 9 here; there are 0 to 3",
        "serving.cores",
    )
    assert refused.value.remedy == "name some of 0 to 3, or leave it out: then nothing is pinned"
    with pytest.raises(ProjectError, match="there are 0, 2"):  # a container may have any of them
        require_cores([1], {0, 2})


def test_runs_have_the_other_cores_and_all_where_there_are_no_others() -> None:
    assert left_for_runs([0], {0, 1, 2}) == {1, 2}
    assert left_for_runs([0, 1], {0, 1}) == {0, 1}
    assert left_for_runs([7], {0, 1}) == {0, 1}


def test_threads_that_are_there_and_those_that_come_keep_to_the_cores() -> None:
    core = max(available())
    program = f"import sys; sys.path.insert(0, {str(ROOT)!r})\n{PROGRAM % core}"
    done = subprocess.run([sys.executable, "-P", "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(core)] * 3
    assert os.sched_getaffinity(0) == available()
