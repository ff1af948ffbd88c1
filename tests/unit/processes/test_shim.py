"""The shim writes down how its worker ended, and leaves no process behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from daemon.attempts import write_order
from daemon.children import fence
from pipeline.process import procfs
from pipeline.process.spec import RunSpec
from store.home import AttemptDir

DRIVER = """
import os, sys
from pipeline.process.shim import supervise
def worker(directory):
    os.execv(sys.executable, [sys.executable, "-I", "-S", os.path.join(directory, "work.py")])
sys.exit(supervise(sys.argv[1], worker))
"""
"""A shim as the product starts it, but with `work.py` of the attempt's folder as its worker."""
ASKED_AT_ONCE = """
import os, signal, sys
from pipeline.process.shim import supervise
def worker(directory):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.kill(os.getppid(), signal.SIGTERM)
    os.execv(sys.executable, [sys.executable, "-I", "-S", os.path.join(directory, "work.py")])
sys.exit(supervise(sys.argv[1], worker))
"""
"""The same, but the shim is asked to end before it has written down that it began."""
NONCE = uuid.uuid4().hex
"""Nobody else's: tests that run beside these kill what has the nonce of their own attempts."""

GRANDCHILD = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        open("grandchild.new", "w").write(str(os.getpid()))
        os.rename("grandchild.new", "grandchild")
        time.sleep(600)
    os._exit(0)
while not os.path.exists("grandchild"):
    time.sleep(0.01)
"""
"""Hears no SIGTERM, and starts a process that left the session by a double fork and hears none either."""


@dataclass
class RunningShim:
    directory: AttemptDir
    process: subprocess.Popen[bytes]

    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.directory.status.read_bytes())
        return found

    def wait(self) -> dict[str, Any]:
        self.process.wait(20)
        return self.status()

    def grandchild(self) -> int:
        file = self.directory.root / "grandchild"
        until(file.exists)
        return int(file.read_text())


ShimStarter = Callable[..., RunningShim]


@pytest.fixture
def start_shim(tmp_path: Path) -> Iterator[ShimStarter]:
    """Starts a shim whose worker is the given program; `order` goes into spec.json."""
    running: list[subprocess.Popen[bytes]] = []

    def start(program: str, driver: str = DRIVER, **order: Any) -> RunningShim:
        directory = AttemptDir(tmp_path / "attempt")
        directory.root.mkdir(exist_ok=True)
        (directory.root / "work.py").write_text(textwrap.dedent(program))
        if order.pop("ordered", True):
            directory.spec.write_text(json.dumps({"nonce": NONCE, "project": str(directory.root), **order}))
        process = subprocess.Popen([sys.executable, "-P", "-c", driver, str(directory.root)], start_new_session=True)
        running.append(process)
        return RunningShim(directory, process)

    yield start
    for process in running:
        process.kill()
        process.wait()


def until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


def test_the_exit_status_is_written_down(start_shim: ShimStarter) -> None:
    status = start_shim("import sys; print('out'); print('err', file=sys.stderr); sys.exit(7)").wait()
    assert (status["state"], status["exit_code"], status["signal"], status["nonce"]) == ("ended", 7, None, NONCE)
    assert status["peak_rss"] > 1_000_000
    assert status["ended_at"] <= time.time()


def test_output_goes_into_two_files(start_shim: ShimStarter) -> None:
    shim = start_shim("import sys; print('out'); print('err', file=sys.stderr)")
    shim.wait()
    assert shim.directory.stdout.read_text() == "out\n"
    assert shim.directory.stderr.read_text() == "err\n"


def test_a_worker_killed_by_a_signal_is_told_from_one_that_exits(start_shim: ShimStarter) -> None:
    status = start_shim("import os, signal; os.kill(os.getpid(), signal.SIGKILL)").wait()
    assert (status["exit_code"], status["signal"]) == (None, signal.SIGKILL)


def test_what_the_worker_leaves_behind_is_killed(start_shim: ShimStarter) -> None:
    shim = start_shim(GRANDCHILD + "sys.exit(0)")
    assert shim.wait()["exit_code"] == 0
    assert not procfs.is_alive(shim.grandchild())


def test_sigterm_reaches_the_worker_which_may_save_its_work(start_shim: ShimStarter) -> None:
    shim = start_shim(
        """
        import signal, sys, time
        signal.signal(signal.SIGTERM, lambda *_: (print("saved"), sys.exit(75)))
        print("ready", flush=True)
        time.sleep(600)
        """
    )
    until(lambda: shim.directory.stdout.exists() and shim.directory.stdout.read_text() == "ready\n")
    shim.process.terminate()
    assert shim.wait()["exit_code"] == 75
    assert shim.directory.stdout.read_text() == "ready\nsaved\n"


@pytest.mark.slow
def test_after_the_grace_every_descendant_is_killed(start_shim: ShimStarter) -> None:
    shim = start_shim(GRANDCHILD + "time.sleep(600)", grace_s=0.3)
    grandchild = shim.grandchild()
    began = time.monotonic()
    shim.process.terminate()
    assert shim.wait()["signal"] == signal.SIGKILL
    assert 0.3 <= time.monotonic() - began < 2.3
    assert not procfs.is_alive(grandchild)


def test_a_second_sigterm_skips_the_grace(start_shim: ShimStarter) -> None:
    shim = start_shim(GRANDCHILD + "time.sleep(600)", grace_s=600)
    grandchild = shim.grandchild()
    shim.process.terminate()
    until(lambda: shim.status()["asked"] == 1)
    assert procfs.is_alive(grandchild)
    shim.process.terminate()
    assert shim.wait()["signal"] == signal.SIGKILL
    assert not procfs.is_alive(grandchild)


def test_a_sigterm_that_comes_while_the_status_is_written_is_written_down_too(start_shim: ShimStarter) -> None:
    """A daemon that came back did not know of it, and its own one was the second, which skips the grace."""
    shim = start_shim("import time; time.sleep(600)", ASKED_AT_ONCE, grace_s=600)
    until(lambda: shim.directory.status.exists() and shim.status()["asked"] == 1)
    assert shim.status()["state"] == "running"


def test_the_worker_dies_with_its_shim(start_shim: ShimStarter) -> None:
    shim = start_shim("import time; time.sleep(600)")
    until(lambda: shim.directory.status.exists())
    worker = shim.status()["worker"]
    shim.process.kill()
    shim.process.wait()
    until(lambda: not procfs.is_alive(worker))
    assert shim.status()["state"] == "running", "nobody wrote down how it ended"


def test_a_flood_of_output_is_capped_and_does_not_block_the_worker(start_shim: ShimStarter) -> None:
    shim = start_shim(
        """
        import sys
        for number in range(2_000):
            sys.stdout.write(f"{number:09d}\\n" * 1000)
        """,
        log_bytes=1_000_000,
    )
    status = shim.wait()
    assert status["exit_code"] == 0
    files = list(shim.directory.root.glob("stdout.log*"))
    kept = sum(file.stat().st_size for file in files)
    assert kept <= 1_000_000
    assert kept + status["dropped"]["stdout"] == 20_000_000
    assert shim.directory.stdout.read_text().endswith("000001999\n"), "the newest part is what stays"


def test_a_log_that_somebody_deletes_to_make_space_costs_no_run(start_shim: ShimStarter) -> None:
    shim = start_shim(
        """
        import os, sys, time
        print("x" * 400_000, flush=True)
        while os.path.exists("stdout.log"):
            time.sleep(0.01)
        for number in range(200):
            print(f"{number:09d}\\n" * 1000, flush=True)
        """,
        log_bytes=1_000_000,
    )
    until(lambda: shim.directory.stdout.exists() and shim.directory.stdout.stat().st_size > 400_000)
    shim.directory.stdout.unlink()
    assert shim.wait()["exit_code"] == 0
    assert shim.directory.stdout.read_text().endswith("000000199\n\n"), "what comes after it is there"


def test_an_attempt_has_one_shim(start_shim: ShimStarter) -> None:
    endless = "import time; time.sleep(600)"
    first = start_shim(endless)
    until(lambda: first.directory.status.exists())
    assert start_shim(endless).process.wait(20) == 3
    assert not fence(first.directory)
    assert procfs.is_alive(first.status()["worker"])


def test_a_shim_that_comes_after_the_fence_goes_away(start_shim: ShimStarter, tmp_path: Path) -> None:
    directory = AttemptDir(tmp_path / "attempt")
    directory.root.mkdir()
    directory.spec.write_text("{}")
    assert fence(directory)
    assert start_shim("", ordered=False).process.wait(20) == 4
    assert not directory.status.exists()


def test_a_worker_of_a_history_that_a_restore_has_ended_makes_room_for_the_attempt_with_its_number(
    start_shim: ShimStarter,
) -> None:
    old = start_shim("import time; time.sleep(600)")
    until(old.directory.status.exists)
    worker = old.status()["worker"]
    spec = RunSpec(
        run=1,
        attempt=1,
        nonce="n2",
        job="backup",
        kind="backup",
        target="",
        project=old.directory.root,
        home=old.directory.root,
    )
    write_order(old.directory, spec)
    old.process.wait(20)
    until(lambda: not procfs.is_alive(worker))
    assert [file.name for file in old.directory.root.iterdir()] == ["spec.json"]
    assert (old.directory.root.parent / "attempt.before-n2" / "work.py").exists()


def test_the_environment_names_the_attempt_for_stray_descendants(start_shim: ShimStarter) -> None:
    shim = start_shim("import os; print(os.environ['TRAINSHED_NONCE'])")
    shim.wait()
    assert shim.directory.stdout.read_text() == f"{NONCE}\n"


def test_the_shim_is_small_and_starts_without_our_libraries() -> None:
    program = (
        "import sys, pipeline.process.shim; print(sorted(m for m in sys.modules if m.partition('.')[0] not in ours))"
    )
    listing = f"ours = {{*sys.stdlib_module_names, 'pipeline', '__main__'}}; sys.path.insert(0, {os.getcwd()!r}); "
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"import sys; {listing}{program}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "[]\n"
