"""The last part of the story: the version in production meets the summer, and its monitor sees to what follows."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from rich.console import RenderableType

from store.wire import DriftReportView, RunRequest, RunView, WatchWindowView, WindowMetric
from tui.client import Client
from tui.demo.flights import FlightsApi
from tui.demo.flown import Flown, flown, read_rows
from tui.demo.show import Show
from tui.demo.steps import follow, judged
from tui.demo.traffic import Traffic
from tui.draw.alerts import alerts
from tui.failure import Failure
from tui.place import Place
from tui.render import Heads, Rows, number_column, share, table, wide_column

MODEL: Final = "late"
MONITOR: Final = "late"
BEGINS: Final = "2013-06-01"
ENDS: Final = "2013-08-01"
"""The first day that is not published yet."""
ASKED: Final = 9_000
"""Flights of these two months that are asked about, evenly over them."""
_RATE: Final = 600.0
"""Requests a second, if the machine is quick enough."""
_ASKED_SECONDS: Final = 180.0
_WRITTEN_SECONDS: Final = 6.0
"""After it, a row of the log counts for a window: those before it are written by then."""
_VIEWS: Final = {"origin_weather": True, "carrier_delays": True, "origin_delays": False, "dest_delays": False}
"""View → whether what it is made from has to be fetched first; the last three are made from the same."""
_CANDIDATE: Final = "candidate"
_CANDIDATE_SECONDS: Final = 120.0
"""For the comparison on the newest labelled window."""


def tell_summer(
    daemon: Client, api: FlightsApi, place: Place, environ: Mapping[str, str], show: Show
) -> dict[str, Any]:
    """From two more months of flights to a version that a rule had trained and that waits for the operator.

    Returns what `--json` prints of it. Raises Failure at the first step that fails.
    """
    show.chapter("Summer is published; version 1 answers for June and July, as it learned from winter and spring")
    api.publish(ENDS)
    _fetch(daemon, show)
    flights = _flights(daemon, api, place, environ)
    told = _asked(daemon, show, flights)

    show.chapter("The monitor closes windows of what was asked, and holds them against what version 1 learned from")
    follow(daemon, show, daemon.submit(RunRequest(job=f"monitor:{MONITOR}")))
    report = daemon.drift_reports(MONITOR, limit=1).items[0]
    windows = daemon.watch_windows(MONITOR, limit=10).items[::-1]
    show.say(f"  {report.state}: {report.reason}")
    show.say(_windows(windows))
    opened = daemon.alerts(model=MODEL).items
    show.say(alerts(opened, max(one.seen_at for one in opened)) if opened else "  no alert was opened")

    show.chapter("Its rule has the model trained again, on all that is known by now; the result waits for you")
    run = _retraining(daemon, report)
    show.say(f"  {report.retrain.reason if report.retrain else ''}")
    follow(daemon, show, run)
    newest = daemon.versions(MODEL, limit=1).items[0].version
    judged(daemon, show, MODEL, newest)
    _put_forward(daemon, show, newest)
    return {
        **told,
        "report": report.model_dump(mode="json"),
        "windows": [_figures(one) for one in windows],
        "alerts": [one.model_dump(mode="json") for one in opened],
        "retrained": {"run": run.id, "version": newest},
    }


def _fetch(daemon: Client, show: Show) -> None:
    """New flights and weather, and the features that follow from them; nothing is trained."""
    for view, upstream in _VIEWS.items():
        follow(daemon, show, daemon.submit(RunRequest(job=f"features:{view}", upstream=upstream)))


def _flights(daemon: Client, api: FlightsApi, place: Place, environ: Mapping[str, str]) -> list[Flown]:
    """Those that are asked about, in their order, each as it was known when it was to leave."""
    columns = [column["name"] for column in daemon.version(MODEL, 1).signature["inputs"]]
    file = place.home / "summer.parquet"
    _get(place, environ, file)
    try:
        rows = read_rows(file, columns)
    finally:
        file.unlink()
    every = max(1, len(rows) // ASKED)
    return flown(rows[::every], api.flights(rows[0]["at"]), columns)


def _get(place: Place, environ: Mapping[str, str], file: Path) -> None:
    """`trainshed features get`, as a client that prepares its questions would call it. Raises Failure."""
    command = [str(Path(sys.executable).with_name("trainshed")), "features", "get", MODEL, "--since", BEGINS]
    command += ["--until", ENDS, "--to", str(file), "--project", str(place.project)]
    done = subprocess.run(command, env=dict(environ), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Failure(f"the summer's rows were not got: {done.stderr.strip()}", remedy="run the demo again")


def _asked(daemon: Client, show: Show, flights: Sequence[Flown]) -> dict[str, Any]:
    """Asks about them all, and says how they ended. Returns when log and labels have them."""
    url = daemon.endpoints().url or ""
    with Traffic(url, MODEL, flights) as traffic:
        traffic.pace(_RATE)

        def line() -> str:
            day = time.strftime("%d %B", time.gmtime(flights[min(traffic.asked, len(flights) - 1)].leaves))
            return f"{traffic.asked:,} of {len(flights):,} flights, {len(traffic.failures)} failed · {day} 2013"

        with show.alive(line):
            traffic.await_more(len(flights), _ASKED_SECONDS)
        traffic.stop()
        failed = len(traffic.failures)
        show.say(f"  {traffic.asked:,} requests in {traffic.seconds:.0f} s, {failed} failed")
        time.sleep(_WRITTEN_SECONDS)
        daemon.predictions(MODEL, last=1)
        log = daemon.labels(MODEL)
        return {"requests": traffic.asked, "failed": failed, "labelled": log.labelled}


def _retraining(daemon: Client, report: DriftReportView) -> RunView:
    """The run that the rule has queued. Raises Failure if there is none."""
    if report.retrain is None or report.retrain.run is None:
        why = report.reason if report.retrain is None else report.retrain.reason
        raise Failure(f"nothing was trained again: {why}", remedy=f"see `trainshed monitors show {MONITOR}`")
    return daemon.run(report.retrain.run).run


def _put_forward(daemon: Client, show: Show, version: int) -> None:
    """Waits for what the rule makes of it, and says why. Raises Failure if the version does not become candidate."""
    last = time.monotonic() + _CANDIDATE_SECONDS
    while time.monotonic() < last:
        judged_by = daemon.events(subject=f"{MODEL} {version}", limit=10).items
        told = next((event for event in judged_by if event.kind == "monitor.judged"), None)
        if told is not None:
            show.say(f"  {told.message}")
            if _CANDIDATE in daemon.version(MODEL, version).version.aliases:
                return
            break
        time.sleep(0.5)
    raise Failure(f"version {version} of {MODEL} has not become candidate", remedy="see `trainshed events`")


def _windows(windows: Sequence[WatchWindowView]) -> RenderableType:
    heads: Heads = ["  window", *map(number_column, ("rows", "labelled", "auc", "estimated"))]
    rows: Rows = [
        [
            f"  {number}",
            f"{one.rows:,}",
            share(one.labelled / one.rows) if one.rows else "-",
            _value(one.performance.metrics if one.performance else ()),
            _value(one.estimate.metrics if one.estimate else ()),
            ", ".join(column.name for column in one.columns if column.reached) or "none",
        ]
        for number, one in enumerate(windows, 1)
    ]
    return table([*heads, wide_column("columns that have moved")], rows, empty="  no window is full yet")


def _value(metrics: Sequence[WindowMetric]) -> str:
    found = next((one.value for one in metrics if one.metric == "auc"), None)
    return "-" if found is None else f"{found:.3f}"


def _figures(window: WatchWindowView) -> dict[str, Any]:
    return {
        "rows": window.rows,
        "labelled": window.labelled,
        "auc": next(
            (m.value for m in (window.performance.metrics if window.performance else ()) if m.metric == "auc"), None
        ),
        "moved": [column.name for column in window.columns if column.reached],
    }
