"""Experiments over the API: defined or made up, planned, looked at on real logs, and decided."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from daemon.api.needs import Facts, needs
from daemon.core import Daemon
from daemon.traffic import Asked, change
from daemon.trafficview import comparison_view
from pipeline.labels.record import read_label
from pipeline.predictions.record import Prediction, to_line
from pipeline.predictions.segments import Segment
from store import comparisons
from store.tables import Comparison
from store.times import to_us
from store.wire import PromoteRequest, TrafficChange, TrafficRequest
from tests.unit.api.test_endpoints import shelve
from tui.client import Client
from tui.failure import ClientError

DEFINED = """
[experiments.fresh_model]
model = "late"
version = 2
metric = "revenue"
window = "2d"
guardrails = [{ metric = "errors", margin = 0.01 }]
longest = "4w"
"""
SETTINGS = {"metric": "revenue", "window": "1ms", "least_units": 100, "least_time": "0s"}


@pytest.fixture
def project(project: Path) -> Path:
    file = project / "trainshed.toml"
    file.write_text(file.read_text() + DEFINED)
    return project


@pytest.fixture
def live(client: Client, daemon: Daemon) -> Iterator[Client]:
    """Two versions, of which 1 is in production; the reader of logs runs."""
    shelve(daemon.record)
    shelve(daemon.record)
    client.promote("late", PromoteRequest(version=1, override=True, reason="the first"))
    daemon.predictions.start()
    yield client
    daemon.predictions.stop()


def begin(daemon: Daemon, **asked: Any) -> None:
    """As if it had been begun while endpoints were there."""
    project = daemon.project
    wanted = TrafficChange(do="experiment", **asked)
    with daemon.record.transaction() as tx:
        change(
            Asked(model="late", change=wanted, actor="anna", section=project.serving, experiments=project.experiments)
        )(tx)


def running(daemon: Daemon) -> Comparison:
    with daemon.record.read() as session:
        row = comparisons.running(session, "late")
    assert row is not None
    return row


def answer(daemon: Daemon, units: range, rewards: dict[int, float], segment: str = "w.1", status: int = 200) -> None:
    """Each unit asks once, odd ones version 2, and brings what its version brings."""
    began = running(daemon).began_at
    at = max(to_us(datetime.now(UTC)) - 5000, began)
    lines = [
        Prediction(f"r{n}", at, "late", 1 + n % 2, "assigned", f"u{n}", 5, 1000, status if n % 2 else 200, None, None)
        for n in units
    ]
    written = Segment(daemon.home.serving.predictions("late"), segment)
    written.append(b"".join(map(to_line, lines)))
    written.close()
    said = [{"request": f"r{n}", "name": "revenue", "value": rewards[1 + n % 2] + n % 5} for n in units]
    daemon.labels.put("late", [read_label(one, arrived_us=at) for one in said])
    time.sleep(0.01)  # the window is over


def test_a_plan_says_what_decides_and_what_the_daemon_will_do_and_begins_nothing(live: Client) -> None:
    plan = live.traffic_plan("late", TrafficChange(do="experiment", name="fresh_model"))
    assert [(arm.version, arm.share) for arm in plan.after] == [(1, 0.5), (2, 0.5)]
    assert "revenue decides, higher is better; a unit counts 2d after it first met its version" in plan.effects
    assert "errors more than 0.01 worse (lower is better) takes it back at once" in plan.effects
    assert "after 28d without a win it is taken back" in plan.effects
    assert plan.undo == "trainshed experiment stop fresh_model"
    (listed,) = live.experiments()
    assert (listed.name, listed.defined, listed.comparison, listed.asked.share) == ("fresh_model", True, None, 0.5)
    assert live.experiment("fresh_model") == listed


def test_words_of_ones_own_go_before_the_project_file_and_nonsense_is_refused(live: Client) -> None:
    own = {"share": 0.2, "longest": None}
    plan = live.traffic_plan("late", TrafficChange(do="experiment", name="fresh_model", settings=own))
    assert [arm.share for arm in plan.after] == [0.8, 0.2]
    assert not [one for one in plan.effects if "without a win" in one]
    for asked, what in (
        ({"version": 2, "settings": {"metric": "correct", "window": "soon"}}, "'soon' is not a duration"),
        ({"version": 2}, "metric: Field required"),
        ({"version": 2, "settings": {"metric": "label"}}, "a label by itself says nothing of an answer"),
        ({"version": 9, "settings": SETTINGS}, "late has no version 9|there is no version 9"),
        ({"version": 1, "settings": SETTINGS}, "version 1 of late is in production"),
        ({"name": "unheard_of"}, "the project file has no experiment 'unheard_of'"),
        ({"settings": {**SETTINGS, "alias": "candidate"}}, "the alias candidate of late points at no version"),
        ({"version": 2, "settings": {**SETTINGS, "speed": 1}}, "speed: Extra inputs are not permitted"),
    ):
        with pytest.raises(ClientError, match=what):
            live.traffic_plan("late", TrafficChange(do="experiment", **asked))


@pytest.mark.slow
def test_a_winner_waits_for_a_person_and_is_told_once(live: Client, daemon: Daemon) -> None:
    begin(daemon, version=2, settings=SETTINGS, name="late_2")
    assert live.experiment("late_2").report is None
    answer(daemon, range(600), {1: 1.0, 2: 3.0})
    view = live.look_at_experiment("late_2")
    assert view.report is not None
    assert (view.report.decision.action, view.problem) == ("promote", "")
    assert [(arm.version, arm.exposed, arm.units, arm.mean) for arm in view.report.arms] == [
        (1, 300, 300, 3.0),
        (2, 300, 300, 5.0),
    ]
    again = live.look_at_experiment("late_2")
    assert len(again.looks) == 1  # nothing new was said
    events = [event.kind for event in live.events().items if event.kind.startswith("comparison")]
    assert events == ["comparison.decided", "comparison.began"]
    comparison = again.comparison
    assert comparison is not None
    assert (comparison.status, comparison.passed) == ("running", True)
    assert comparison.waits.startswith("revenue +2, between +")
    (need,) = needs(Facts(now=datetime.now(UTC), compared=[comparison]))
    assert (need.severity, need.command) == ("note", "trainshed plan late 2")
    assert need.message == "experiment late_2 of late is decided: version 2 has won and waits to be promoted"
    live.promote("late", PromoteRequest(version=2, override=True, reason="it has won"))
    ended = live.look_at_experiment("late_2")
    assert ended.comparison is not None
    assert ended.comparison.status == "finished"
    assert ended.report == again.report


@pytest.mark.slow
def test_a_version_that_brings_less_is_taken_back_until_somebody_has_seen_it(live: Client, daemon: Daemon) -> None:
    begin(daemon, name="fresh_model", settings=SETTINGS)
    answer(daemon, range(600), {1: 3.0, 2: 1.0})
    view = live.look_at_experiment("fresh_model").comparison
    assert view is not None
    assert (view.status, view.ended_by) == ("rolled back", "daemon")
    assert view.reason.startswith("revenue -2, between -")
    (need,) = needs(Facts(now=datetime.now(UTC), compared=[view]))
    assert (need.severity, need.command) == ("fail", "trainshed experiment show fresh_model")
    assert need.message.startswith("experiment fresh_model of late has taken version 2 back: revenue -2")
    stop = TrafficChange(do="stop", kind="experiment", name="fresh_model")
    seen = live.change_traffic("late", TrafficRequest(change=stop)).comparison
    assert seen is not None
    assert seen.seen_by
    assert needs(Facts(now=datetime.now(UTC), compared=[seen])) == []


@pytest.mark.slow
def test_sizes_that_were_not_planned_end_it_as_invalid(live: Client, daemon: Daemon) -> None:
    begin(daemon, version=2, settings={**SETTINGS, "share": 0.2}, name="late_2")
    answer(daemon, range(600), {1: 1.0, 2: 3.0})
    view = live.look_at_experiment("late_2").comparison
    assert view is not None
    assert view.status == "invalid"
    (need,) = needs(Facts(now=datetime.now(UTC), compared=[view]))
    assert need.message.startswith("experiment late_2 of late was ended as invalid: the arms have 300 (control)")
    assert live.events().items[0].message.startswith("experiment late_2 of late was ended as invalid, by daemon")


@pytest.mark.slow
def test_a_harmed_guardrail_goes_before_a_win(live: Client, daemon: Daemon) -> None:
    begin(daemon, name="fresh_model", settings=SETTINGS)
    answer(daemon, range(600), {1: 1.0, 2: 3.0}, status=503)
    view = live.look_at_experiment("fresh_model")
    assert view.comparison is not None
    assert view.comparison.status == "rolled back"
    assert view.comparison.reason.startswith("errors 1 worse")


@pytest.mark.slow
def test_the_intervals_over_time_are_kept_look_by_look(live: Client, daemon: Daemon) -> None:
    begin(daemon, version=2, settings={**SETTINGS, "least_time": "7d"}, name="late_2")
    for turn in range(3):
        answer(daemon, range(turn * 400, turn * 400 + 400), {1: 1.0, 2: 1.0}, f"w.{turn}")
        live.look_at_experiment("late_2")
    looks = live.experiment("late_2").looks
    assert [one.units for one in looks] == [400, 800, 1200]
    widths = [one.difference.high - one.difference.low for one in looks if one.difference.high and one.difference.low]
    assert widths == sorted(widths, reverse=True)
    assert {one.action for one in looks} == {"go on"}
    assert live.experiments()[0].looks == []


def test_one_is_ended_by_its_name_and_no_other(live: Client, daemon: Daemon) -> None:
    begin(daemon, version=2, settings=SETTINGS, name="late_2")
    with pytest.raises(ClientError, match="experiment late_2 of late runs, and no experiment other"):
        live.change_traffic("late", TrafficRequest(change=TrafficChange(do="stop", kind="experiment", name="other")))
    with pytest.raises(ClientError, match="experiment late_2 of late runs since") as refused:
        live.traffic_plan("late", TrafficChange(do="canary", version=2))
    assert "`trainshed experiment stop late_2`" in str(refused.value)
    live.change_traffic("late", TrafficRequest(change=TrafficChange(do="stop", kind="experiment", name="late_2")))
    assert live.experiment("late_2").comparison.status == "stopped"  # type: ignore[union-attr]


@pytest.mark.slow
def test_a_look_that_fails_says_why_and_ends_nothing(live: Client, daemon: Daemon) -> None:
    begin(daemon, version=2, settings=SETTINGS, name="late_2")
    (daemon.home.predictions("late") / "_delta_log").mkdir(parents=True)
    (daemon.home.predictions("late") / "_delta_log" / "00000000000000000000.json").write_text("no commit")
    view = live.look_at_experiment("late_2")
    assert view.problem
    assert view.comparison is not None
    assert view.comparison.status == "running"


def test_an_unknown_name_is_refused_with_the_way_to_the_known_ones(live: Client) -> None:
    with pytest.raises(ClientError, match="there is no experiment 'nobody'"):
        live.experiment("nobody")


@pytest.mark.slow
def test_the_thread_looks_by_itself(live: Client, daemon: Daemon) -> None:
    begin(daemon, version=2, settings=SETTINGS, name="late_2")
    answer(daemon, range(600), {1: 1.0, 2: 3.0})
    daemon.experiments.start()
    try:
        deadline = time.monotonic() + 90
        while (view := live.experiment("late_2")).report is None:
            assert time.monotonic() < deadline
            time.sleep(0.1)
    finally:
        daemon.experiments.stop()
    assert view.report is not None
    assert view.report.decision.action == "promote"


def test_before_a_look_a_running_one_waits_for_nothing(live: Client, daemon: Daemon) -> None:
    begin(daemon, version=2, settings=SETTINGS, name="late_2")
    view = comparison_view(running(daemon))
    assert (view.waits, view.findings, view.passed, view.name) == ("", [], False, "late_2")
