"""`/v1/monitors`: what is watched, its windows and reports, and how often it would have alarmed."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from rich.console import Console

from daemon import definitions
from daemon.core import Daemon
from daemon.ingest import Place, ingest
from daemon.reports import Reports
from daemon.watchfacts import watch_facts
from pipeline.process.context import RunContext
from pipeline.process.spec import RecordFacts, RunSpec
from pipeline.process.spool import Spool
from pipeline.watching.run import run_monitor
from store import lake, lifecycle, queue
from store.times import system_clock
from tests.unit.api.conftest import PROJECT
from tests.unit.watching.monitored import HOUR, START, flights
from tui.client import Client
from tui.draw.monitors import backtested, monitor, monitor_table
from tui.failure import ClientError
from tui.render import PIPE_WIDTH

MONITORS = """
[serving]
enabled = true
port = 0

[monitors.orders_hourly]
dataset = "orders"
time = "at"
window = "1h"
least_rows = 300
owner = "ann"
description = "orders, hour by hour"
"""


@pytest.fixture
def project(project: Path) -> Path:
    (project / "trainshed.toml").write_text(PROJECT + MONITORS)
    return project


def look(daemon: Daemon, hours: int = 9, shifted: int = 3) -> None:
    """Rows for so many hours, the last of them shifted, and one run of the monitor, stored as the daemon does."""
    path = daemon.home.dataset("orders")
    parts = [flights(START + h * HOUR, 400, seed=h, shift=90.0 * (h >= hours - shifted)) for h in range(hours)]
    rows = pa.concat_tables(parts)
    batches = pa.RecordBatchReader.from_batches(rows.schema, rows.to_batches())
    before = lake.latest(path)
    lake.commit(path, batches, mode="replace", metadata={}, expected=before.version if before else None)
    new = queue.NewRun(
        job="monitor:orders_hourly", kind="monitor", target="orders_hourly", trigger="manual", actor="ann"
    )
    with daemon.record.transaction() as tx:
        run = queue.submit(tx, [new])[0]
        lifecycle.start_attempt(tx, run, "n1")
    with daemon.record.read() as session:
        facts = RecordFacts(monitor=watch_facts(session, "orders_hourly", daemon.project))
    directory = daemon.home.attempt(run, 1)
    directory.root.mkdir(parents=True)
    spec = RunSpec(
        run=run,
        attempt=1,
        nonce="n1",
        job=new.job,
        kind="monitor",
        target="orders_hourly",
        project=daemon.project.root,
        home=daemon.home.root,
        context=facts,
    )
    now = START + hours * HOUR + timedelta(minutes=1)
    spool = Spool(directory.events, now.timestamp)
    run_monitor(RunContext(spec=spec, project=daemon.project, home=daemon.home, spool=spool, now=lambda: now))
    stored(daemon, run)


def stored(daemon: Daemon, run: int) -> None:
    place = Place(run=run, attempt=1, nonce="n1", offset=0, sequence=0)
    reports = Reports(lambda: daemon.project, lambda: daemon.jobs)
    ingest(daemon.record, daemon.home.attempt(run, 1), place, reports.take)
    with daemon.record.transaction() as tx:
        definitions.sync(tx, daemon.project, daemon.jobs)


def drawn(made: Any) -> str:
    shown = Console(width=PIPE_WIDTH, no_color=True)
    with shown.capture() as text:
        shown.print(made)
    return text.get()


@pytest.mark.slow
def test_monitors_of_the_file_come_first_and_served_models_have_one_of_their_own(
    client: Client, daemon: Daemon
) -> None:
    look(daemon)
    mine, implied = client.monitors()
    assert (mine.name, mine.dataset, mine.implied, mine.owner) == ("orders_hourly", "orders", False, "ann")
    assert (mine.state, mine.reference, mine.stored) == ("drifted", "trailing", 8)
    assert (implied.name, implied.model, implied.implied, implied.state) == ("late", "late", True, None)
    assert (mine.schedule, mine.paused) == ("monitor_orders_hourly", False)
    assert mine.next_at is not None
    text = drawn(monitor_table([mine, implied], system_clock()))
    assert "! drifted" in text
    assert "nobody has looked yet" in text


@pytest.mark.slow
def test_the_derived_schedule_is_paused_as_any_and_the_monitor_says_so(client: Client, daemon: Daemon) -> None:
    look(daemon)
    client.pause("monitor_orders_hourly")
    view = client.monitor("orders_hourly")
    assert (view.paused, view.next_at) == (True, None)
    assert "looks paused" in drawn(monitor(view, None, [], system_clock(), column=None))


@pytest.mark.slow
def test_windows_and_reports_tell_what_the_run_found(client: Client, daemon: Daemon) -> None:
    look(daemon)
    windows = client.watch_windows("orders_hourly", limit=3)
    assert [one.start.hour for one in windows.items] == [7, 6, 5]
    assert windows.items[0].columns[0].name == "distance"
    assert windows.items[0].columns[0].reached
    assert [one.start.hour for one in client.watch_windows("orders_hourly", after=windows.next).items] == [
        4,
        3,
        2,
        1,
        0,
    ]
    only = client.watch_windows("orders_hourly", column="carrier", since=START + 7 * HOUR).items
    assert [[column.name for column in one.columns] for one in only] == [["carrier"]]
    (report,) = client.drift_reports("orders_hourly").items
    assert (report.state, report.windows) == ("drifted", 3)
    assert [(one.kind, one.subject) for one in report.findings] == [("drift", "distance")]
    text = drawn(monitor(client.monitor("orders_hourly"), report, windows.items, system_clock(), column=None))
    assert "warning: distance has drifted: " in text
    assert "orders, hour by hour" in text


@pytest.mark.slow
def test_a_backtest_says_when_it_would_have_alarmed_and_with_other_limits_it_would_not(
    client: Client, daemon: Daemon
) -> None:
    look(daemon)
    found = client.backtest("orders_hourly")
    assert (found.windows, found.judged, found.alarmed, len(found.alarms)) == (8, 6, 1, 1)
    assert (found.alarms[0].columns, found.alarms[0].at) == (["distance"], START + 8 * HOUR)
    assert found.sentence == "it would have alarmed once, over 1 of the 6 windows that could be judged"
    wide = ["limits.psi=9", "limits.ks=0.9", "limits.wasserstein=9"]
    calm = client.backtest("orders_hourly", settings=wide)
    assert (calm.alarms, calm.settings["limits"]["psi"]) == ([], 9.0)
    assert calm.sentence == "it would not have alarmed: 6 of 8 windows could be judged"
    assert client.backtest("orders_hourly", since=START + 4 * HOUR).windows == 4
    assert "distance" in drawn(backtested(found))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("setting", "what"),
    [
        ("limits.pso=1", "no setting 'limits.pso'"),
        ("window=2h", "cannot have another 'window'"),
        ("needed=9", "9 of 3"),
    ],
)
def test_a_backtest_refuses_settings_that_are_none(client: Client, daemon: Daemon, setting: str, what: str) -> None:
    look(daemon)
    with pytest.raises(ClientError, match=what):
        client.backtest("orders_hourly", settings=[setting])


def test_a_monitor_that_is_not_there_is_refused_with_the_nearest(client: Client) -> None:
    with pytest.raises(ClientError, match="did you mean 'orders_hourly'"):
        client.monitor("order_hourly")


@pytest.mark.slow
def test_a_monitor_that_the_file_has_no_more_is_not_looked_at_and_the_remedy_is_to_reload(
    client: Client, daemon: Daemon, project: Path
) -> None:
    look(daemon)
    (project / "trainshed.toml").write_text(PROJECT)
    with pytest.raises(ClientError, match="no monitor 'orders_hourly' any more"):
        client.backtest("orders_hourly")
    client.reload()


@pytest.mark.slow
def test_what_a_monitor_has_found_is_over_when_the_project_has_it_no_more(
    daemon: Daemon, client: Client, project: Path
) -> None:
    look(daemon)
    client.reload()
    (opened,) = client.alerts().items
    assert (opened.source, opened.state) == ("monitor:orders_hourly", "open")
    (project / "trainshed.toml").write_text(PROJECT)
    client.reload()
    ended = client.alert(opened.id).alert
    assert (ended.state, ended.resolved_by) == ("resolved", "daemon")
    assert ended.why == "the project has no monitor orders_hourly any more"
