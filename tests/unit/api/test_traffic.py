"""Traffic over the API while nothing is served: plans are shown, and nothing is begun that nobody would answer."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from daemon.api.needs import Facts, needs
from daemon.core import Daemon
from daemon.numbers import Facts as Numbers
from daemon.shadows import ShadowWatch
from daemon.traffic import Asked, change
from daemon.trafficview import comparison_view
from store import comparisons
from store.wire import PromoteRequest, TrafficChange, TrafficRequest
from tests.unit.api.test_endpoints import shelve
from tui.client import Client
from tui.failure import ClientError


@pytest.fixture
def live(client: Client, daemon: Daemon) -> Client:
    """Two versions, of which 1 is in production."""
    shelve(daemon.record)
    shelve(daemon.record)
    client.promote("late", PromoteRequest(version=1, override=True, reason="the first"))
    return client


def test_a_plan_shows_shares_gates_stages_and_the_way_back_and_changes_nothing(live: Client) -> None:
    plan = live.traffic_plan("late", TrafficChange(do="canary", version=2))
    assert [(arm.version, arm.share) for arm in plan.before] == [(1, 1.0)]
    assert [(arm.version, arm.share) for arm in plan.after] == [(1, 0.99), (2, 0.01)]
    assert [gate.gate for gate in plan.gates[2]] == ["gap"]
    assert "0.01 of the units for 10m at least, and 100 requests" in plan.effects
    assert plan.effects[-2] == "then it waits to be promoted"
    assert plan.undo == "trainshed canary late --stop"
    assert live.comparisons("late") == []


def test_what_is_not_served_has_no_traffic_to_part(live: Client) -> None:
    for asked in (TrafficChange(do="weights", shares={2: 0.1}), TrafficChange(do="shadow", version=2)):
        with pytest.raises(ClientError, match="late is not served, so it has no traffic to part"):
            live.change_traffic("late", TrafficRequest(change=asked))
    assert live.traffic("late").comparison is None
    assert live.traffic("late").shadow is None


def test_a_plan_of_before_is_refused(live: Client, daemon: Daemon) -> None:
    plan = live.traffic_plan("late", TrafficChange(do="canary", version=2))
    begin(daemon, TrafficChange(do="weights", shares={2: 0.1}))
    with pytest.raises(ClientError, match="the traffic of late has changed since the plan was made"):
        live.change_traffic("late", TrafficRequest(change=TrafficChange(do="canary", version=2), token=plan.token))


def test_the_end_of_a_comparison_waits_for_no_serving_process(live: Client, daemon: Daemon) -> None:
    begin(daemon, TrafficChange(do="weights", shares={2: 0.1}, reason="try"))
    running = live.traffic("late").comparison
    assert running is not None
    assert (running.status, running.kind, running.treatments[0].share, running.reason) == (
        "running",
        "weights",
        0.1,
        "try",
    )
    ended = live.change_traffic("late", TrafficRequest(change=TrafficChange(do="stop", kind="weights"))).comparison
    assert ended is not None
    assert (ended.status, ended.id) == ("stopped", running.id)
    with pytest.raises(ClientError, match="nothing of late is compared"):
        live.change_traffic("late", TrafficRequest(change=TrafficChange(do="stop")))


def test_a_canary_that_was_taken_back_wants_a_person_until_somebody_has_seen_it(live: Client, daemon: Daemon) -> None:
    begin(daemon, TrafficChange(do="canary", version=2))
    with daemon.record.transaction() as tx:
        row = comparisons.running(tx.session, "late")
        assert row is not None
        comparisons.end(tx, row, "rolled back", "daemon", "errors: 9 of 9 are the canary's")
    facts = Facts(now=datetime.now(UTC), compared=[comparison_view(row)])
    (need,) = needs(facts)
    assert (need.severity, need.command) == ("fail", "trainshed endpoints")
    assert need.message == "the canary of late 2 was taken back: errors: 9 of 9 are the canary's"
    seen = live.change_traffic("late", TrafficRequest(change=TrafficChange(do="stop", kind="canary"))).comparison
    assert seen is not None
    assert (seen.status, bool(seen.seen_by)) == ("rolled back", True)
    assert needs(Facts(now=datetime.now(UTC), compared=[seen])) == []


def test_a_shadow_that_workers_cannot_load_is_told_once_and_once_more_when_it_runs_again(
    live: Client, daemon: Daemon
) -> None:
    begin(daemon, TrafficChange(do="shadow", version=2))
    lacking = {"missing": {"late 2": "golden.npz has changed"}, "waiting": [["late", "1", 0]]}
    whole = {"missing": {}, "waiting": [["late", "1", 0], ["late", "2", 0]]}
    loading: Numbers = {"missing": {}, "waiting": []}

    def look(*workers: Numbers) -> list[str]:
        ShadowWatch(daemon.record).look(workers)  # a new daemon's, each time
        return [one.message for one in live.events(subject="late 2").items if one.kind.startswith("shadow.")]

    assert len(look(loading)) == len(look(whole)) == 1  # that it was begun
    told = look(whole, lacking)[0]
    assert told == "the shadow late 2 does not run, and gets no copies: golden.npz has changed"
    assert len(look(lacking)) == len(look(loading)) == 2
    (need,) = [one for one in live.status().needs_you if "shadow" in one.message]
    assert (need.severity, need.command) == ("warn", "trainshed shadow late")
    assert look(whole)[0] == "the shadow late 2 runs: it is given its copies again"
    assert len(look(whole)) == 3
    live.change_traffic("late", TrafficRequest(change=TrafficChange(do="lift")))
    assert len(look(lacking)) == 4  # its end is the last word


def begin(daemon: Daemon, asked: TrafficChange) -> None:
    """As if it had been begun while endpoints were there."""
    with daemon.record.transaction() as tx:
        change(Asked(model="late", change=asked, actor="anna", section=daemon.project.serving))(tx)
