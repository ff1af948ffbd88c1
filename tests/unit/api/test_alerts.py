"""Alerts over the API, as the command line asks for them."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from daemon.core import Daemon
from daemon.daemonalerts import NEEDS
from store import alerts
from store.findings import Finding
from store.times import to_us
from tests.unit.alerts.receiver import receiving
from tui.client import Client
from tui.failure import ClientError


def observed(daemon: Daemon, *findings: Finding, source: str = "monitor:late") -> None:
    with daemon.record.transaction() as tx:
        at = to_us(daemon.clock())
        alerts.observe(tx, source, findings, at, covered={"drift": None}, policy=daemon.alert_policy)


def finding(subject: str = "distance", **fields: str) -> Finding:
    values = {"severity": "warning", "title": f"{subject} has drifted", "reason": "PSI 0.31", "model": "late"} | fields
    return Finding(kind="drift", subject=subject, **values)  # type: ignore[arg-type]  # plain words


def test_an_open_alert_needs_a_person_until_somebody_knows_of_it(client: Client, daemon: Daemon) -> None:
    observed(daemon, finding(), finding("carrier", severity="critical"))
    needs = [(need.severity, need.message, need.command) for need in client.status().needs_you]
    assert needs[:2] == [
        ("fail", "carrier has drifted: PSI 0.31", "trainshed alerts ack 2"),
        ("warn", "distance has drifted: PSI 0.31", "trainshed alerts ack 1"),
    ]
    view = client.acknowledge(1, note="the new route")
    assert (view.state, view.note) == ("acknowledged", "the new route")
    assert view.acknowledged_by
    assert [need.target.number for need in client.status().needs_you if need.target.kind == "alert"] == [2]


def test_what_the_overview_says_anyway_is_not_said_twice(client: Client, daemon: Daemon) -> None:
    observed(daemon, finding(), source=NEEDS)
    assert [need for need in client.status().needs_you if need.target.kind == "alert"] == []
    assert [view.source for view in client.alerts().items] == [NEEDS]


def test_alerts_are_listed_by_state_and_model_in_pages(client: Client, daemon: Daemon) -> None:
    observed(daemon, *(finding(f"c{number}") for number in range(5)))
    client.resolve_alert(2, why="mended")
    assert [view.id for view in client.alerts().items] == [5, 4, 3, 1]
    assert [view.id for view in client.alerts(state="resolved").items] == [2]
    first = client.alerts(state="any", limit=3)
    assert [view.id for view in client.alerts(state="any", limit=3, after=first.next).items] == [2, 1]
    assert client.alerts(model="other").items == []


def test_one_alert_is_shown_with_its_evidence_and_who_was_told(client: Client, daemon: Daemon) -> None:
    observed(daemon, finding())
    detail = client.alert(1)
    assert (detail.alert.title, detail.told) == ("distance has drifted", [])
    with pytest.raises(ClientError, match="no alert 9"):
        client.alert(9)
    client.resolve_alert(1)
    with pytest.raises(ClientError, match="was resolved at"):
        client.acknowledge(1)
    with pytest.raises(ClientError, match="was resolved at"):
        client.resolve_alert(1)


def test_an_alert_of_the_past_is_in_the_overview_of_that_time(client: Client, daemon: Daemon) -> None:
    observed(daemon, finding())
    between = daemon.clock()
    client.resolve_alert(1, why="mended")
    then = [need.message for need in client.moment(between).needs_you if need.target.kind == "alert"]
    assert then == ["distance has drifted: PSI 0.31"]
    now = [need for need in client.moment(daemon.clock()).needs_you if need.target.kind == "alert"]
    assert now == []


def test_a_channel_is_tried_and_told_of(client: Client, daemon: Daemon, project: Path) -> None:
    with receiving() as receiver:
        with (project / "trainshed.toml").open("a") as file:
            file.write(f'\n[alerts.channels.ops]\nkind = "webhook"\nurl = "{receiver.url}"\n')
        client.reload()
        done = client.test_channel("ops")
        assert (done.sent, done.answer) == (True, "200 OK: taken")
        assert len(receiver.got) == 1
    (channel,) = client.channels()
    assert (channel.name, channel.kind, channel.severities) == ("ops", "webhook", ["warning", "critical"])
    observed(daemon, finding())
    assert client.channels()[0].waiting == 1
    assert [(told.channel, told.what, told.sent_at) for told in client.alert(1).told] == [("ops", "opened", None)]
    with pytest.raises(ClientError, match="known: ops"):
        client.test_channel("nope")


def test_a_state_that_there_is_not_and_a_note_without_end_are_refused(http: httpx.Client) -> None:
    assert http.get("/v1/alerts", params={"state": "loud"}).status_code == 422
    assert http.post("/v1/alerts/1/ack", json={"note": "x" * 5000}).status_code == 422
    assert http.post("/v1/alerts/1/ack", json={}).status_code == 404
