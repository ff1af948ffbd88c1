"""What messages say."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.notices import LONGEST, MOST, MOST_EVIDENCE, compose, without
from store.outbox import Waiting
from store.wire import AlertView
from store.words import SEVERITIES, Told

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


def waiting(number: int = 1, what: Told = "opened", **fields: Any) -> Waiting:
    known = {"id": number, "source": "monitor:late", "kind": "drift", "subject": f"c{number}", "model": "late"}
    found = {"severity": "warning", "state": "open", "title": f"c{number} has drifted", "reason": "PSI 0.31"}
    more = {"evidence": {"psi": 0.31}, "suggestion": "trainshed drift late", "report": 7, "seen": 1, "reopened": 0}
    acknowledged = {"acknowledged_at": None, "acknowledged_by": None, "note": ""}
    resolved = {"resolved_at": None, "resolved_by": None, "why": ""}
    values = {**known, **found, **more, **acknowledged, **resolved, "opened_at": NOW, "seen_at": NOW, "rev": 1}
    return Waiting(id=number, channel="ops", what=what, alert=AlertView.model_validate({**values, **fields}))


def test_a_message_of_one_alert_says_what_since_when_and_what_to_do_in_the_zone_of_its_reader() -> None:
    body = compose("shop", [waiting()], NOW, "Europe/Berlin")
    assert body["title"] == "shop: warning, new: c1 has drifted"
    assert body["text"].splitlines() == [
        "warning, new: c1 has drifted (late)",
        "  PSI 0.31",
        "  alert 1, since 2026-03-02 13:00 CET",
        "  do: trainshed drift late",
    ]
    assert body["alerts"][0]["evidence"] == {"psi": 0.31}
    assert body["alerts"][0]["opened_at"] == "2026-03-02T12:00:00Z"


def test_an_alert_that_came_and_went_before_it_was_told_is_told_once_as_it_stands() -> None:
    over: dict[str, Any] = {
        "state": "resolved",
        "resolved_at": NOW,
        "resolved_by": "daemon",
        "why": "it is no longer found",
    }
    body = compose("shop", [waiting(**over), waiting(what="resolved", **over)], NOW, "UTC")
    (entry,) = body["alerts"]
    assert (entry["what"], entry["told"]) == ("resolved", ["opened", "resolved"])
    assert body["title"] == "shop: warning, over: c1 has drifted"
    assert "do:" not in body["text"]


def test_the_worst_comes_first_and_the_end_last() -> None:
    told = [
        waiting(1, "resolved", severity="critical", state="resolved", resolved_at=NOW, why="gone"),
        waiting(2),
        waiting(3, "escalated", severity="critical"),
    ]
    body = compose("shop", told, NOW, "UTC")
    assert [entry["id"] for entry in body["alerts"]] == [3, 2, 1]
    assert body["title"] == "shop: 3 alerts (1 critical, 1 over), first of them: c3 has drifted"
    assert body["severity"] == "critical"


TEXTS = st.text(max_size=3 * LONGEST)


@pytest.mark.slow
@given(
    st.lists(st.tuples(st.integers(1, 60), st.sampled_from(SEVERITIES), TEXTS, TEXTS), min_size=1, max_size=60),
    st.integers(0, 10_000),
)
def test_every_alert_is_told_or_counted_and_a_message_stays_small(
    found: list[tuple[int, str, str, str]], evidence: int
) -> None:
    told = [
        waiting(number, severity=severity, title=title, reason=reason, evidence={"x": "y" * evidence})
        for number, severity, title, reason in found
    ]
    told = [replace(one, id=index) for index, one in enumerate(told)]
    body = compose("shop", told, NOW, "UTC")
    assert len(body["alerts"]) + body["more"] == len({number for number, *_ in found})
    assert len(body["alerts"]) <= MOST
    assert len(json.dumps(body)) < 700_000
    assert not {"\n", "\r"} & set(body["title"])


def test_a_number_that_is_none_is_null_and_what_is_too_long_is_left_out() -> None:
    numbers = {"psi": float("nan"), "limits": [float("inf"), 0.2]}
    (entry,) = compose("shop", [waiting(evidence=numbers)], NOW, "UTC")["alerts"]
    assert entry["evidence"] == {"psi": None, "limits": [None, 0.2]}
    (entry,) = compose("shop", [waiting(evidence={"x": "y" * MOST_EVIDENCE})], NOW, "UTC")["alerts"]
    assert entry["evidence"] == {}


def test_secrets_are_blotted_out_the_longer_first() -> None:
    assert without("http://x/abc and abc", ["abc", "http://x/abc", ""]) == "… and …"
