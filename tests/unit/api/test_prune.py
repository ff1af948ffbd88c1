"""Old runs over the API and the command line: what would go, having it done, and what is said of what is gone."""

from __future__ import annotations

import time
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from daemon.core import Daemon
from store.times import to_us
from store.wire import PruneView
from tests.unit.record.old import end, queued
from tui.cli import app
from tui.client import Client
from tui.failure import ClientError

TWO_YEARS_US = 2 * 365 * 86_400_000_000


@pytest.fixture
def old(daemon: Daemon, project: Path) -> list[int]:
    """Four failed runs of two years ago, of which three go; the daemon's thread that removes them is on its way."""
    file = project / "trainshed.toml"
    file.write_text(file.read_text() + "\n[daemon]\nkeep_newest = 1\n")
    daemon.reload("ann")
    runs = [end(daemon.record, queued(daemon.record, "train:late")[0], "failed") for _ in range(4)]
    with daemon.record.transaction() as tx:
        at = to_us(daemon.clock()) - TWO_YEARS_US
        tx.connection.execute(text("UPDATE run SET created_at = :at, ended_at = :at"), {"at": at})
    daemon.home.attempt(runs[0], 1).root.mkdir(parents=True)
    daemon.home.attempt(runs[0], 1).stdout.write_text("epoch 1\n")
    return runs


def until_gone(client: Client, run: int) -> ClientError:
    for _ in range(200):
        try:
            client.run(run)
        except ClientError as error:
            return error
        time.sleep(0.05)
    raise AssertionError(f"run {run} is still there")


def test_what_would_go_is_shown_and_nothing_is_changed(client: Client, old: list[int]) -> None:
    view = client.prune_plan()
    assert (view.keep, view.keep_newest, view.runs, view.staying) == ("365d", 1, 3, 1)
    assert view.bytes > 0
    assert client.run(old[0]).run.id == old[0]


def test_a_run_that_is_gone_says_when_it_was_removed_wherever_it_is_asked_for(
    client: Client, http: httpx.Client, daemon: Daemon, old: list[int]
) -> None:
    daemon.retention.start()
    try:
        assert client.prune().message.startswith("old runs are being removed")
        error = until_gone(client, old[0])
        for _ in range(200):
            if client.events(subject="runs").items:
                break
            time.sleep(0.05)
    finally:
        daemon.retention.stop()
    assert error.what.startswith(f"run {old[0]} (train:late, failed on ")
    assert error.what.endswith("by retention")
    for path in ("", "/logs/stdout", "/logs/stderr/search?text=epoch", "/metrics", "/resources"):
        answer = http.get(f"/v1/runs/{old[0]}{path}")
        assert (answer.status_code, answer.json()["code"]) == (410, "Removed"), path
    for verb in ("retry", "cancel"):
        assert http.post(f"/v1/runs/{old[0]}/{verb}").status_code == 410
    (event,) = client.events(subject="runs").items
    assert (event.kind, event.data["runs"]) == ("runs.removed", 3)
    assert not daemon.home.attempt(old[0], 1).root.exists()


def test_nothing_is_begun_where_nothing_can_be_old(http: httpx.Client, daemon: Daemon, project: Path) -> None:
    file = project / "trainshed.toml"
    file.write_text(file.read_text() + '\n[daemon]\nkeep_runs = "off"\n')
    daemon.reload("ann")
    refused = http.post("/v1/prune")
    assert (refused.status_code, refused.json()["code"]) == (409, "Refused")
    assert http.get("/v1/prune").json()["keep"] == "off"


def test_the_command_line_shows_them_with_the_reasons_and_removes_nothing_unasked(
    client: Client, old: list[int], project: Path
) -> None:
    runner = CliRunner()
    shown = runner.invoke(app, ["prune", "--dry-run", "--project", str(project)])
    assert shown.exit_code == 0, shown.output
    assert "3 runs go, 4.1 KB: runs stay for 365d after their end, and the newest 1 of each job" in shown.output
    assert "it is one of the newest 1 of train:late" in shown.output
    as_json = runner.invoke(app, ["prune", "--dry-run", "--json", "--project", str(project)])
    assert PruneView.model_validate_json(as_json.output).runs == 3
    nobody = runner.invoke(app, ["prune", "--project", str(project)])
    assert nobody.exit_code == 2
    assert "nobody is here to confirm the removal of 3 runs" in nobody.output
    assert client.run(old[0]).run.id == old[0]
    assert runner.invoke(app, ["prune", "--yes", "--project", str(project)]).exit_code == 0
