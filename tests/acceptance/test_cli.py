"""The command line against a real daemon: every verb, its JSON, its exit code."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from store.wire import (
    CompareView,
    DatasetDetail,
    DatasetView,
    FeatureViewView,
    JobView,
    LogChunk,
    ModelView,
    Page,
    RunDetail,
    RunView,
    SchedulePreview,
    ScheduleView,
    StatusView,
)
from tui.cli import app

pytestmark = pytest.mark.slow
TRAINSHED = str(Path(sys.executable).with_name("trainshed"))
PROJECT = """
[project]
name = "shop"

[daemon]
min_free = "1MB"
warm_workers = false

[sources.orders]
kind = "file"
path = "orders.csv"
format = "csv"

[datasets.orders]
source = "orders"
key = ["id"]
time = "at"

[[datasets.orders.checks]]
kind = "unique"
columns = ["id"]

[sources.slow]
kind = "python"
function = "work.py:rows_slow"

[datasets.slow]
source = "slow"

[features.habits]
inputs = ["orders"]
entity = ["customer"]
time = "at"

[models.late]
task = "binary"
dataset = "orders"
label = "late"
key = ["id"]
time = "at"
numeric = ["amount"]

[schedules.nightly]
job = "etl:orders"
cron = "30 2 * * *"
timezone = "Europe/Berlin"
"""
WORK = """
import sys, time
import pyarrow as pa

def rows_slow():
    number = 0
    while number < int(open("seconds").read()) * 10:
        print(f"line {number}", flush=True)
        time.sleep(0.1)
        number += 1
    return pa.table({"a": [1]})
"""


class Shop:
    """A project and the command line in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        (folder / "trainshed.toml").write_text(PROJECT)
        (folder / "work.py").write_text(WORK)
        self.slow_takes(1)
        rows = "".join(f"{n},2026-01-0{n}T00:00:00Z,a,{n}.5,{n % 2}\n" for n in range(1, 6))
        (folder / "orders.csv").write_text("id,at,customer,amount,late\n" + rows)
        self.environ = {name: value for name, value in os.environ.items() if not name.startswith("TRAINSHED")}
        self.environ["TRAINSHED_HOME"] = str(folder / ".trainshed")

    def slow_takes(self, seconds: int) -> None:
        """How long etl:slow takes, which looks at that with each of its lines, also when it is under way."""
        (self.folder / "seconds.new").write_text(str(seconds))
        (self.folder / "seconds.new").replace(self.folder / "seconds")

    def say(self, *words: str, code: int = 0) -> tuple[str, str]:
        """Standard output and standard error of a verb that has to end with `code`. The verb runs in this process."""
        done = CliRunner().invoke(app, ["--project", str(self.folder), *words], env=dict(self.environ))
        assert done.exit_code == code, (words, done.output, done.exception)
        return done.stdout, done.stderr

    def program(self, *words: str, code: int = 0) -> tuple[str, str]:
        """The same as a program of its own, as from a shell."""
        done = subprocess.run(
            [TRAINSHED, *words], cwd=self.folder, env=self.environ, capture_output=True, text=True, timeout=90
        )
        assert done.returncode == code, (words, done.stdout, done.stderr)
        return done.stdout, done.stderr

    def json(self, *words: str, code: int = 0) -> Any:
        """The one document that a verb prints with --json."""
        return json.loads(self.say(*words, "--json", code=code)[0])

    def until(self, run: int | str, *states: str) -> None:
        while self.json("runs", "show", str(run))["run"]["state"] not in states:
            time.sleep(0.1)

    def pid(self) -> int:
        return int(self.json("status")["pid"])


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A shop whose daemon runs through all tests of this file that share it; its orders are in the lake."""
    shop = Shop(tmp_path_factory.mktemp("cli") / "shop")
    shop.say("up", "--detach")
    shop.say("run", "etl:orders", "--wait")
    yield shop
    shop.say("down")


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[Shop]:
    """A shop without a daemon; whichever the test starts is ended."""
    shop = Shop(tmp_path / "shop")
    yield shop
    subprocess.run([TRAINSHED, "down"], cwd=shop.folder, env=shop.environ, capture_output=True, timeout=60)


# --------------------------------------------------------------------------------------------- a daemon's life


def test_up_and_down_and_what_is_said_when_it_is_so_already(alone: Shop) -> None:
    told = alone.json("up", "--detach")
    assert told["pid"] == alone.pid()
    _, err = alone.say("up", "--detach", code=3)
    assert f"already has its daemon: pid {told['pid']}" in err
    assert f"pid {told['pid']}" in alone.program("up", code=3)[1]
    alone.say("down")
    assert not Path(told["socket"]).exists()
    assert "trainshed up" in alone.say("down", code=3)[1]


def test_a_broken_project_is_told_with_place_and_remedy_and_nothing_starts(alone: Shop) -> None:
    (alone.folder / "trainshed.toml").write_text('[project]\nname = "shop"\ncolour = "red"\n')
    _, err = alone.say("up", "--detach", code=1)
    assert "project.colour: unknown key 'colour'" in err
    assert alone.json("up", "--detach", code=1)["code"] == "ProjectError"
    assert not (alone.folder / ".trainshed" / "trainshed.sock").exists()
    alone.program("up", code=78)


def test_a_stale_socket_is_no_obstacle_and_no_daemon(alone: Shop) -> None:
    alone.say("up", "--detach")
    os.kill(alone.pid(), signal.SIGKILL)
    time.sleep(0.2)
    assert (alone.folder / ".trainshed" / "trainshed.sock").exists()
    assert "no daemon is running here" in alone.program("status", code=3)[1]  # httpx leaves a refused socket open
    alone.program("up", "--detach")
    assert alone.json("status")["project"] == "shop"


def test_down_leaves_runs_alone_and_drain_waits_for_them(alone: Shop) -> None:
    alone.slow_takes(600)
    alone.say("up", "--detach")
    run = alone.json("run", "etl:slow")["id"]
    alone.until(run, "running")
    alone.say("down")
    alone.say("up", "--detach")
    assert alone.json("runs", "show", str(run))["run"]["state"] == "running"
    with draining(alone) as process:
        assert process.poll() is None, "it waits"
        alone.slow_takes(0)
        assert process.wait(30) == 0
    alone.say("up", "--detach")
    assert alone.json("runs", "show", str(run))["run"]["state"] == "succeeded"


def test_a_drain_is_cut_short_by_a_signal(alone: Shop) -> None:
    alone.slow_takes(600)
    alone.say("up", "--detach")
    pid = alone.pid()
    alone.say("run", "etl:slow")
    with draining(alone) as process:
        os.kill(pid, signal.SIGTERM)
        assert process.wait(5) == 0
    alone.say("up", "--detach")
    alone.say("runs", "cancel", "1")


@contextmanager
def draining(shop: Shop) -> Iterator[subprocess.Popen[bytes]]:
    """`trainshed down --drain`, of which the daemon knows."""
    command = [TRAINSHED, "down", "--drain"]
    with subprocess.Popen(command, cwd=shop.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            while not shop.json("status")["degraded"]:
                time.sleep(0.1)
            yield process
        finally:
            process.kill()


def test_a_home_deeper_than_a_socket_address_can_say(alone: Shop) -> None:
    alone.environ["TRAINSHED_HOME"] = str(alone.folder / ("deep" * 15) / ("deeper" * 15))
    alone.say("up", "--detach")
    assert alone.json("status")["home"] == alone.environ["TRAINSHED_HOME"]
    alone.say("down")


def test_over_tcp_the_token_opens(alone: Shop) -> None:
    token = alone.folder / "token"
    token.write_text("0123456789abcdef0123456789abcdef\n")
    token.chmod(0o644)
    alone.program("up", "--listen", "127.0.0.1:0", code=2)
    _, err = alone.say("up", "--detach", "--listen", "127.0.0.1:0", "--token-file", str(token), code=1)
    assert "chmod 600" in err
    token.chmod(0o600)
    alone.say("up", "--detach", "--listen", "127.0.0.1:0", "--token-file", str(token))


def test_the_foreground_daemon_ends_by_ctrl_c_with_zero(alone: Shop) -> None:
    daemon = subprocess.Popen([TRAINSHED, "up"], cwd=alone.folder, env=alone.environ, stdout=subprocess.PIPE, text=True)
    with daemon:
        assert daemon.stdout is not None
        assert f"the daemon is up: pid {daemon.pid}" in daemon.stdout.readline()
        daemon.send_signal(signal.SIGINT)
        assert daemon.wait(5) == 0


# ------------------------------------------------------------------------------------------------------- looking


def test_alone_in_a_pipe_it_prints_the_overview_as_lines(shop: Shop) -> None:
    assert "in production: " in shop.say()[0]


def test_every_view_has_its_wire_model_as_json(shop: Shop) -> None:
    StatusView.model_validate(shop.json("status"))
    Page[RunView].model_validate(shop.json("runs"))
    Page[RunView].model_validate(shop.json("runs", "list", "--job", "etl:orders", "--limit", "1"))
    RunDetail.model_validate(shop.json("runs", "show", "1"))
    LogChunk.model_validate(shop.json("runs", "logs", "1"))
    DatasetDetail.model_validate(shop.json("data", "show", "orders"))
    SchedulePreview.model_validate(shop.json("schedules", "next", "nightly"))
    lists: list[tuple[Any, tuple[str, ...]]] = [
        (JobView, ("jobs",)),
        (DatasetView, ("data",)),
        (FeatureViewView, ("features",)),
        (ModelView, ("models",)),
        (ScheduleView, ("schedules",)),
    ]
    for view, words in lists:
        found = shop.json(*words)
        assert found
        for item in found:
            view.model_validate(item)
    assert shop.json("versions", "late") == {"items": [], "next": None}
    assert shop.json("data", "history", "orders")["items"][0]["rows"] == 5
    assert [check["check"] for check in shop.json("data", "checks", "orders")]
    assert shop.json("events", "--limit", "3")["items"]


def test_every_view_is_drawn_for_people_without_colour_in_a_pipe(shop: Shop) -> None:
    for words in (
        ("status",),
        ("jobs",),
        ("runs",),
        ("runs", "show", "1"),
        ("data",),
        ("data", "show", "orders"),
        ("data", "history", "orders"),
        ("data", "checks", "orders"),
        ("features",),
        ("models",),
        ("versions", "late"),
        ("schedules",),
        ("schedules", "next", "nightly"),
        ("events",),
    ):
        out, _ = shop.say(*words)
        assert out.strip(), words
        assert "\x1b" not in out, words


def test_what_is_not_there_is_refused_with_a_remedy(shop: Shop) -> None:
    for words in (("runs", "show", "999"), ("data", "show", "nothing"), ("plan", "late", "9"), ("run", "etl:nothing")):
        _, err = shop.say(*words, code=1)
        assert "→" in err
        assert shop.json(*words, code=1)["remedy"]


# --------------------------------------------------------------------------------------------------------- acting


def test_run_wait_tells_each_state_and_ends_by_it(shop: Shop) -> None:
    out, err = shop.say("run", "etl:orders", "--wait", "--force")
    assert "succeeded after" in out
    assert "▶ running" in err
    assert "skipped after" in shop.say("run", "etl:orders", "--wait")[0]


def test_a_run_that_fails_ends_with_one_and_says_where_and_what_to_do(shop: Shop) -> None:
    (shop.folder / "seconds").unlink()
    out, err = shop.say("run", "etl:slow", "--wait", code=1)
    shop.slow_takes(1)
    assert "failed after" in out
    assert "→" in err
    assert shop.json("status")["needs_you"][0]["command"].startswith("trainshed runs show")


def test_logs_are_followed_to_the_end(shop: Shop) -> None:
    run = str(shop.json("run", "etl:slow")["id"])
    out, _ = shop.say("runs", "logs", run, "-f")
    assert [line for line in out.splitlines() if line.startswith("line")] == [f"line {n}" for n in range(10)]


def test_cancel_and_retry_and_compare(shop: Shop) -> None:
    shop.slow_takes(20)
    run = str(shop.json("run", "etl:slow")["id"])
    shop.say("runs", "cancel", run)
    shop.until(run, "cancelled")
    shop.slow_takes(1)
    assert shop.json("runs", "retry", run)["state"] == "queued"
    CompareView.model_validate(shop.json("runs", "compare", "1", run))
    shop.until(run, "succeeded", "skipped")  # of one table one run goes after another: the next test's would wait


HEARING_CTRL_C = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execv(sys.argv[1], sys.argv[1:])
"""
"""A shell without job control has what it starts in the background ignore Ctrl-C, and children inherit that."""


def test_ctrl_c_while_waiting_leaves_the_run_and_says_how_to_end_it(shop: Shop) -> None:
    shop.slow_takes(15)
    waiting = subprocess.Popen(
        [sys.executable, "-c", HEARING_CTRL_C, TRAINSHED, "run", "etl:slow", "--wait"],
        cwd=shop.folder,
        stderr=subprocess.PIPE,
        text=True,
    )
    with waiting:
        assert waiting.stderr is not None
        while "running" not in (line := waiting.stderr.readline()):
            assert line
        waiting.send_signal(signal.SIGINT)
        said = waiting.stderr.read()
        assert waiting.wait(10) == 130, said
    match = re.search(r"trainshed runs cancel (\d+)", said)
    assert match, said
    assert shop.json("runs", "show", match[1])["run"]["state"] == "running"
    shop.say("runs", "cancel", match[1])
    shop.slow_takes(1)


def test_a_schedule_is_paused_and_resumed(shop: Shop) -> None:
    shop.say("schedules", "pause", "nightly", "--reason", "the source moves house")
    assert "the source moves house" in shop.say("schedules")[0]
    assert "paused already" in shop.say("schedules", "pause", "nightly", code=1)[1]
    shop.say("schedules", "resume", "nightly")


def test_a_promotion_without_anybody_to_ask_is_wrong_usage(shop: Shop) -> None:
    """The plan comes first, so a version that is not there is refused even then."""
    assert shop.say("promote", "late", "1", code=1)[1]
    assert shop.say("rollback", "late", code=1)[1]


def test_a_backup_is_made_and_put_back(alone: Shop) -> None:
    alone.say("up", "--detach")
    alone.say("run", "etl:orders", "--wait")
    alone.say("backup", "--wait")
    (backup,) = (alone.folder / ".trainshed" / "backups").iterdir()
    alone.say("run", "etl:orders", "--wait", "--force")
    alone.program("restore", str(backup), code=3)
    alone.say("down")
    alone.program("restore", str(backup))
    alone.say("up", "--detach")
    assert [run["job"] for run in alone.json("runs")["items"]] == ["backup", "etl:orders"]


def test_check_and_doctor_work_beside_the_daemon(shop: Shop) -> None:
    assert "etl:orders" in shop.program("check")[0]
    found = {
        finding["about"]: finding["verdict"] for finding in json.loads(shop.program("doctor", "--json")[0])["findings"]
    }
    assert found["daemon"] == "ok"
    assert found["record"] == "ok"


def test_names_are_completed_from_the_daemon(shop: Shop) -> None:
    environ = {
        **shop.environ,
        "_TRAINSHED_COMPLETE": "complete_bash",
        "COMP_WORDS": "trainshed run etl",
        "COMP_CWORD": "2",
    }
    done = subprocess.run([TRAINSHED], cwd=shop.folder, env=environ, capture_output=True, text=True, timeout=30)
    assert set(done.stdout.split()) == {"etl:orders", "etl:slow"}


# ------------------------------------------------------------------------------------------------- on a terminal


def on_a_terminal(shop: Shop, *words: str, **environ: str) -> str:
    """What a terminal of 100 columns sees."""
    terminal, end = pty.openpty()
    fcntl.ioctl(end, termios.TIOCSWINSZ, struct.pack("4H", 30, 100, 0, 0))
    told = {**shop.environ, "TERM": "xterm-256color", **environ}
    child = subprocess.Popen([TRAINSHED, *words], cwd=shop.folder, env=told, stdin=end, stdout=end, stderr=end)
    os.close(end)
    seen = b""
    while select.select([terminal], [], [], 30)[0]:
        try:
            seen += os.read(terminal, 65_536)
        except OSError:
            break
    os.close(terminal)
    child.wait()
    return seen.decode()


def test_a_terminal_gets_colour_unless_it_asks_for_none(shop: Shop) -> None:
    assert "\x1b[32m" in on_a_terminal(shop, "status")
    assert "\x1b[32m" not in on_a_terminal(shop, "status", NO_COLOR="1")


def test_no_line_is_wider_than_the_terminal(shop: Shop) -> None:
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", on_a_terminal(shop, "runs"))
    assert max(len(line) for line in plain.splitlines()) <= 100


def test_progress_is_drawn_in_place_on_a_terminal(shop: Shop) -> None:
    seen = on_a_terminal(shop, "run", "etl:slow", "--wait")
    assert "running" in seen
    assert "slow" in seen.splitlines()[-1]
