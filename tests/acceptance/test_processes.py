"""Real runs under a real daemon: cancelled, timed out, flooding, waiting, warm."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from pipeline.process import procfs
from tests.acceptance.living import Living, crowd, until

pytestmark = pytest.mark.slow

JOBS = """
def rows_quick(cursor=None):
    yield table()

def rows_other(cursor=None):
    yield table()

def rows_stubborn(cursor=None):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    program = "import os, time; open('grandchild', 'w').write(str(os.getpid())); time.sleep(600)"
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.execv(sys.executable, [sys.executable, "-c", program])
        os._exit(0)
    time.sleep(600)
    yield table()

def rows_gentle(cursor=None):
    spool().progress(1, 2, "pages")
    open("gentle", "w").write(str(os.getpid()))
    while not os.path.exists("go"):
        time.sleep(0.02)
    yield table()

def rows_slow(cursor=None):
    time.sleep(600)
    yield table()

def rows_loud(cursor=None):
    for number in range(3000):
        sys.stdout.write(f"{number:09d}\\n" * 1000)
    yield table()

def rows_broken(cursor=None):
    raise KeyError("nobody foresaw this")

def rows_hungry(cursor=None):
    import resource
    resource.setrlimit(resource.RLIMIT_AS, (3 * 2**30, 3 * 2**30))
    bytearray(8 * 2**30)
    yield table()

def rows_leaver(cursor=None):
    os._exit(0)
    yield table()
"""

EXTRA = """
[jobs."etl:slow"]
timeout = "1s"
[jobs."etl:gentle"]
stall_timeout = "300ms"
[datasets.after]
sql = "select * from broken"
inputs = ["broken"]
"""


@pytest.fixture(scope="module")
def living(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Living]:
    """One daemon for all: its runs do not know each other."""
    settings = 'warm_workers = false\ngrace = "1s"\nlog_bytes = "1MB"\npools = {default = 4}'
    one = Living(tmp_path_factory.mktemp("living"), JOBS, daemon=settings, extra=EXTRA)
    one.start()
    yield one
    one.close()


def test_a_run_goes_from_the_queue_to_its_end(living: Living) -> None:
    detail = living.wait(living.submit("etl:quick"))
    assert detail["run"]["state"] == "succeeded"
    assert [a["exit_code"] for a in detail["attempts"]] == [0]
    assert detail["attempts"][0]["peak_rss"] > 10_000_000
    kinds = [event["kind"] for event in reversed(detail["events"])]
    assert [k for k in kinds if k.startswith("run.")] == ["run.queued", "run.starting", "run.running", "run.succeeded"]


def test_cancel_leaves_no_process_whatever_it_did_to_get_away(living: Living) -> None:
    run = living.submit("etl:stubborn")
    grandchild = int(living.file("grandchild"))
    worker = living.status(run)["worker"]
    assert procfs.session_of(grandchild) != procfs.session_of(worker)
    began = time.monotonic()
    living.post(f"/v1/runs/{run}/cancel")
    assert living.wait(run)["run"]["state"] == "cancelled"
    assert time.monotonic() - began < 1.0 + 2.0 * crowd(), "grace and two seconds"
    assert not procfs.is_alive(grandchild)
    assert not procfs.is_alive(worker)


def test_a_run_is_killed_at_its_timeout_and_says_so(living: Living) -> None:
    run = living.submit("etl:slow")
    ended = living.wait(run)
    assert ended["run"]["state"] == "failed"
    assert "timeout of 1 s" in ended["run"]["reason"]
    attempt = ended["attempts"][0]
    took = datetime.fromisoformat(attempt["ended_at"]) - datetime.fromisoformat(attempt["started_at"])
    assert 1.0 <= took.total_seconds() < 1.0 + 2.0 * crowd()
    assert attempt["exit_code"] is None or attempt["exit_code"] != 0


def test_a_flood_of_output_neither_fills_the_disk_nor_holds_up_the_run(living: Living) -> None:
    run = living.submit("etl:loud")
    assert living.wait(run)["run"]["state"] == "succeeded"
    logs = list(living.attempt(run).root.glob("stdout.log*"))
    assert sum(log.stat().st_size for log in logs) <= 1_000_000
    chunk = living.get(f"/v1/runs/{run}/logs/stdout", offset=-30)
    assert chunk["text"].endswith("000002999\n")
    assert chunk["size"] == 30_000_000
    assert chunk["dropped"] > 28_000_000


def test_a_bug_is_a_fault_with_its_last_line_and_its_traceback_is_in_stderr(living: Living) -> None:
    ended = living.wait(living.submit("etl:broken"))["run"]
    assert ended["state"] == "failed"
    assert "nobody foresaw this" in ended["fault"]["what"]
    assert "Traceback" in living.attempt(ended["id"]).stderr.read_text() or ended["fault"]["where"]


def test_a_run_out_of_memory_says_so(living: Living) -> None:
    ended = living.wait(living.submit("etl:hungry"))["run"]
    assert ended["state"] == "failed"
    assert "emory" in json.dumps(ended["fault"])


def test_a_step_that_leaves_by_the_back_door_has_not_succeeded(living: Living) -> None:
    ended = living.wait(living.submit("etl:leaver"))["run"]
    assert (ended["state"], "without saying" in ended["reason"]) == ("failed", True)


def test_what_depends_on_a_failed_run_does_not_start(living: Living) -> None:
    run = living.submit("etl:after", upstream=True)
    ended = living.wait(run)["run"]
    assert ended["state"] == "upstream_failed"
    assert "etl:broken" in ended["reason"]


def test_two_runs_of_one_table_go_one_after_another_and_the_second_says_for_whom_it_waits(living: Living) -> None:
    first = living.submit("etl:gentle")
    living.file("gentle")
    second = living.submit("etl:gentle")
    until(lambda: living.run(second)["run"]["reason"] == f"waits for etl:gentle (run {first})")
    until(lambda: living.run(first)["run"]["stalled"])
    assert living.history("run.stalled")[0]["subject"] == f"run {first}"
    (living.folder / "go").touch()
    assert living.wait(first)["run"]["state"] == "succeeded"
    assert living.wait(second)["run"]["state"] in ("succeeded", "skipped")


def test_the_run_and_the_box_are_measured(living: Living) -> None:
    (living.folder / "go").unlink(missing_ok=True)
    (living.folder / "gentle").unlink(missing_ok=True)
    run = living.submit("etl:gentle", force=True)
    living.file("gentle")
    until(lambda: any(sample["rss"] > 20_000_000 for sample in living.get(f"/v1/runs/{run}/resources")["items"]))
    assert living.get("/v1/status")["box"]["memory_total"] > 10**8
    (living.folder / "go").touch()
    living.wait(run)


def test_a_run_that_failed_is_tried_again_when_somebody_asks(living: Living) -> None:
    (living.folder / "go").unlink(missing_ok=True)
    (living.folder / "gentle").unlink(missing_ok=True)
    run = living.submit("etl:gentle", force=True)
    os.kill(int(living.file("gentle")), signal.SIGKILL)
    ended = living.wait(run)["run"]
    assert (ended["state"], ended["reason"]) == ("failed", "killed by signal 9 (SIGKILL)")
    (living.folder / "go").touch()
    living.post(f"/v1/runs/{run}/retry")
    assert living.wait(run)["run"]["state"] == "succeeded"
    assert living.run(run)["run"]["attempt"] == 2


def test_warm_runs_start_from_one_process_and_outlive_the_daemon(tmp_path: Path) -> None:
    one = Living(tmp_path, JOBS, daemon='grace = "1s"')
    one.start()
    try:
        assert one.wait(one.submit("etl:quick"))["run"]["state"] == "succeeded"
        run = one.submit("etl:gentle")
        worker = int(one.file("gentle"))
        assert "pipeline.process.warm" in Path(f"/proc/{worker}/cmdline").read_text(), "forked, not started"
        warm = procfs.parent_of(one.status(run)["pid"])
        assert warm is not None
        one.kill()
        until(lambda: not procfs.is_alive(warm))
        assert procfs.is_alive(worker), "the warm process goes with the daemon, its workers do not"
        one.start()
        (tmp_path / "go").touch()
        assert one.wait(run)["run"]["state"] == "succeeded"
    finally:
        one.close()
