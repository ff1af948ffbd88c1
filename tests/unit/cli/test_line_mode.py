"""`trainshed` in a pipe, and `watch`: lines that say by themselves what they are about."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from store.wire import ChangesView
from tests.unit.ui.conftest import Served, empty_shed, shed, written  # noqa: F401  # fixtures
from tests.unit.ui.history import LIVING
from tui.client import Client
from tui.draw import plain
from tui.verbs.watch import Watch

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
TRAINSHED = [sys.executable, "-P", "-c", "from tui.start import main; main()"]


def run(served: Served, *words: str) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "TRAINSHED_PROJECT": str(served.home.root.parent)}
    environ.pop("TRAINSHED_HOME", None)
    return subprocess.run([*TRAINSHED, *words], env=environ, capture_output=True, text=True, stdin=subprocess.DEVNULL)


@pytest.mark.slow
def test_in_a_pipe_the_overview_is_plain_lines(shed: Served) -> None:  # noqa: F811
    done = run(shed)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert any(line.startswith("needs you: version 2 waits") for line in lines)
    assert any(line.startswith("in production: late version 1, auc 0.7521") for line in lines)
    assert any(
        line.startswith(f"running: run {LIVING} of train:late is running, 1,400 of 2,000 steps") for line in lines
    )
    assert not set("─│┌┐└┘▏█") & set(done.stdout)
    assert run(shed, "--plain").stdout.splitlines()[1:-1] == lines[1:-1]


@pytest.mark.slow
def test_with_json_it_is_the_status(shed: Served) -> None:  # noqa: F811
    assert json.loads(run(shed, "--json").stdout)["project"] == "shop"


@pytest.mark.slow
def test_a_theme_that_does_not_exist_is_wrong_usage_only_where_there_is_a_ui(shed: Served) -> None:  # noqa: F811
    assert run(shed, "--theme", "green").returncode == 0  # in a pipe nothing is drawn


@pytest.mark.slow
@pytest.mark.parametrize("as_json", [False, True])
def test_watch_says_each_event_once_and_in_order(
    shed: Served,  # noqa: F811
    capsys: pytest.CaptureFixture[str],
    as_json: bool,
) -> None:
    with Client(shed.socket) as client:
        since = client.status().rev
        client.pause("nightly", reason="news")
        client.resume("nightly")
        changes, watch = client.changes(since), Watch(as_json)
        watch.tell(client, changes)
        watch.tell(client, changes)
    said = capsys.readouterr().out.splitlines()
    kinds = [json.loads(line)["event"]["kind"] for line in said] if as_json else said
    assert len(kinds) == 2
    assert ["paused" in kinds[0], "paused" in kinds[1]] == [True, False]


def test_watch_says_how_far_a_run_is_now_and_then_but_not_each_time(
    shed: Served,  # noqa: F811
    capsys: pytest.CaptureFixture[str],
) -> None:
    with Client(shed.socket) as client:
        changes, watch = ChangesView(rev=1, runs=[client.run(LIVING).run]), Watch(True)
        watch.tell(client, changes)
        watch.tell(client, changes)
    (line,) = capsys.readouterr().out.splitlines()
    found = json.loads(line)
    assert found["run"]["id"] == LIVING
    assert "train/loss" in found["metrics"]


def test_a_run_and_its_metrics_are_one_line(shed: Served) -> None:  # noqa: F811
    with Client(shed.socket) as client:
        found = client.run(LIVING)
    line = plain.progress(found.run, found.metrics, NOW)
    assert line.startswith("2026-06-15 12:00:00Z run 13 of train:late is running, 1,400 of 2,000 steps")
    assert "train/loss" in line
    assert "\n" not in line


@pytest.mark.slow
def test_a_pipe_without_a_daemon_says_so(tmp_path: Path) -> None:
    (tmp_path / "trainshed.toml").write_text('[project]\nname = "shop"\n')
    environ = {**os.environ, "TRAINSHED_PROJECT": str(tmp_path)}
    environ.pop("TRAINSHED_HOME", None)
    done = subprocess.run(TRAINSHED, env=environ, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 3
    assert "trainshed up --detach" in done.stderr
