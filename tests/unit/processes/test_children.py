"""Processes as the daemon knows them: by identity, never by pid alone."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from daemon.children import Child, ShimId, Status, fence, start_cold, sweep
from daemon.resources import Followed
from pipeline.process import procfs, warm
from pipeline.process.shim import NONCE_VARIABLE
from store.home import AttemptDir

SLEEP = [sys.executable, "-I", "-S", "-c", "import time; time.sleep(600)"]


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(SLEEP, env={**os.environ, NONCE_VARIABLE: "stray"}, start_new_session=True)
    yield process
    process.kill()
    process.wait()


def identity(process: subprocess.Popen[bytes]) -> ShimId:
    found = ShimId.of_pid(process.pid)
    assert found is not None
    return found


def test_a_death_is_seen_at_the_pidfd_of_a_process_that_is_no_child_of_the_watcher(
    sleeper: subprocess.Popen[bytes],
) -> None:
    child = Child.hold(identity(sleeper))
    assert child is not None
    assert select.select([child.descriptor], [], [], 0)[0] == []
    child.ask_to_end()
    assert select.select([child.descriptor], [], [], 10)[0] == [child.descriptor]
    child.close()


def test_a_pid_that_was_used_again_is_not_taken_for_the_old_process(sleeper: subprocess.Popen[bytes]) -> None:
    mine = identity(sleeper)
    assert mine.is_alive()
    for other in (replace(mine, created=mine.created - 1), replace(mine, boot_id="another boot")):
        assert not other.is_alive()
        assert Child.hold(other) is None


def test_a_dead_process_cannot_be_held(sleeper: subprocess.Popen[bytes]) -> None:
    mine = identity(sleeper)
    sleeper.kill()
    sleeper.wait()
    assert not mine.is_alive()
    assert Child.hold(mine) is None
    assert ShimId.of_pid(sleeper.pid) is None


def test_a_zombie_is_not_alive() -> None:
    process = subprocess.Popen([sys.executable, "-I", "-S", "-c", ""])
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert procfs.start_ticks(process.pid) is not None
    assert not procfs.is_alive(process.pid)
    process.wait()


def test_strays_are_found_by_the_nonce_in_their_environment(sleeper: subprocess.Popen[bytes]) -> None:
    assert sweep("another", session=None) == []
    assert sweep("stray", session=None) == [sleeper.pid]
    assert sleeper.wait(10) == -signal.SIGKILL


def test_strays_are_found_by_their_session(sleeper: subprocess.Popen[bytes]) -> None:
    assert sweep("another", session=identity(sleeper)) == [sleeper.pid]


def test_a_session_whose_number_was_used_again_is_left_alone(sleeper: subprocess.Popen[bytes]) -> None:
    """On a full disk the end of a run is tried again for hours; meanwhile its shim's pid may be a stranger's."""
    mine = identity(sleeper)
    assert sweep("another", session=replace(mine, created=mine.created - 1)) == []
    assert sleeper.poll() is None


def test_a_cold_start_without_an_order_ends_at_once(tmp_path: Path) -> None:
    started, process = start_cold(AttemptDir(tmp_path))
    assert started.pid == process.pid
    assert process.wait(10) == 4


def test_the_fence_is_the_lock_of_the_attempt(tmp_path: Path) -> None:
    directory = AttemptDir(tmp_path)
    directory.spec.write_text("{}")
    assert fence(directory)
    assert not directory.spec.exists()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"state": "ended"}'])
def test_what_is_no_status_is_none(tmp_path: Path, text: str) -> None:
    AttemptDir(tmp_path).status.write_text(text)
    assert Status.read(AttemptDir(tmp_path)) is None


@pytest.mark.slow
def test_the_processes_of_a_run_are_measured_together() -> None:
    busy = "import os, time\nif os.fork(): time.sleep(600)\nwhile True: pass"
    process = subprocess.Popen([sys.executable, "-I", "-S", "-c", busy], start_new_session=True)
    try:
        run = Followed(process.pid)
        time.sleep(0.5)
        first = run.measure(7, {})
        assert first is not None
        assert first.cpu_percent < 150.0, "at first, since the process began"
        time.sleep(0.5)
        sample = run.measure(7, {})
        assert sample is not None
        assert sample.run == 7
        assert 5.0 < sample.cpu_percent < 150.0, "one of the two is busy"
        assert sample.rss > 5_000_000
        assert sample.gpu_memory is None
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert run.measure(7, {}) is None


def test_a_process_with_a_thread_of_its_own_must_not_be_forked() -> None:
    program = (
        "import threading, time; from pipeline.process.warm import unsound\n"
        "before = unsound(); threading.Thread(target=time.sleep, args=(600,), daemon=True).start()\n"
        "print(before, '|', unsound())"
    )
    done = subprocess.run([sys.executable, "-P", "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("None | threads are running")


def test_changed_code_has_another_fingerprint(tmp_path: Path) -> None:
    first = warm.fingerprint([str(tmp_path)])
    assert warm.fingerprint([str(tmp_path)]) == first
    (tmp_path / "jax-0.11.dist-info").mkdir()
    assert warm.fingerprint([str(tmp_path)]) != first
