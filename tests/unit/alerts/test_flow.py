"""What holds of alerts whatever is found, and whenever."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.alertflow import Change, Known, transition
from store.findings import HOUR_US, Finding, Policy
from store.words import SEVERITIES, AlertSeverity

POLICY = Policy(channels={"ops": SEVERITIES})


def finding(severity: AlertSeverity, subject: str = "a") -> Finding:
    return Finding(kind="drift", subject=subject, severity=severity, title=subject, reason="because")


class Story:
    """Alerts as a record would keep them, one look after another."""

    def __init__(self) -> None:
        self.alerts: dict[int, Known] = {}

    def look(self, findings: list[Finding], at: int) -> list[Change]:
        made = transition(self.alerts.values(), findings, {"drift": None}, at, POLICY)
        for change in made:
            number = change.known.id if change.known else len(self.alerts) + 1
            ended = change.state == "resolved"
            before = self.alerts.get(number)
            told = change.tell is not None and not ended
            subject = change.finding.subject if change.finding else change.known.subject if change.known else ""
            self.alerts[number] = Known(
                id=number,
                kind="drift",
                subject=subject,
                severity=change.severity,
                state=change.state,
                acknowledged=False,
                by_hand=False,
                resolved_at=at if ended else None,
                told_at=at if told or before is None else before.told_at,
            )
        return made


LOOKS = st.lists(
    st.tuples(st.integers(1, 30 * 60), st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(SEVERITIES)))),
    max_size=40,
)
"""Minutes since the look before, and what it finds."""


@pytest.mark.slow
@given(LOOKS)
def test_of_one_thing_there_is_one_alert_at_a_time_and_it_is_there_exactly_while_it_is_found(
    looks: list[tuple[int, list[tuple[str, AlertSeverity]]]],
) -> None:
    story, at = Story(), 0
    for minutes, found in looks:
        at += minutes * 60_000_000
        story.look([finding(severity, subject) for subject, severity in found], at)
        there = [one.subject for one in story.alerts.values() if one.state != "resolved"]
        assert sorted(there) == sorted({subject for subject, _ in found})


@pytest.mark.slow
@given(LOOKS)
def test_whatever_comes_and_goes_tells_of_one_thing_as_often_as_it_is_new_or_worse_and_once_in_each_repeat(
    looks: list[tuple[int, list[tuple[str, AlertSeverity]]]],
) -> None:
    story, at, told = Story(), 0, dict[int, list[tuple[str, int]]]()
    for minutes, found in looks:
        at += minutes * 60_000_000
        for change in story.look([finding(severity, subject) for subject, severity in found], at):
            number = change.known.id if change.known else len(story.alerts)
            if change.tell is not None and change.tell != "resolved" and change.known is not None:
                told.setdefault(number, []).append((change.tell, at))
    for messages in told.values():
        assert sum(what == "escalated" for what, _ in messages) <= 2, "severity rises twice at most"
        again = [when for what, when in messages if what == "again"]
        assert all(later - earlier >= 24 * HOUR_US for earlier, later in pairwise(again))


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from(SEVERITIES)), min_size=1))
def test_of_several_findings_about_one_thing_the_worst_counts(found: list[tuple[str, AlertSeverity]]) -> None:
    made = transition([], [finding(severity, subject) for subject, severity in found], {}, 0, POLICY)
    for change in made:
        assert change.finding is not None
        rank = max(SEVERITIES.index(severity) for subject, severity in found if subject == change.finding.subject)
        assert change.severity == SEVERITIES[rank]
    assert len(made) == len({subject for subject, _ in found})


def test_an_alert_keeps_its_worst_severity_so_that_going_up_and_down_is_no_storm() -> None:
    story = Story()
    severities: list[AlertSeverity] = ["warning", "critical", "warning", "critical", "info"]
    moves = [story.look([finding(severity)], hour * HOUR_US)[0].move for hour, severity in enumerate(severities)]
    assert moves == ["opened", "escalated", "seen", "seen", "seen"]
    assert story.alerts[1].severity == "critical"


def test_a_covered_subject_alone_is_over() -> None:
    alerts = [
        Known(
            id=number,
            kind="drift",
            subject=subject,
            severity="warning",
            state="open",
            acknowledged=False,
            by_hand=False,
            resolved_at=None,
            told_at=0,
        )
        for number, subject in enumerate("ab")
    ]
    (over,) = transition(alerts, [], {"drift": ["a"]}, HOUR_US, POLICY)
    assert (over.move, over.known) == ("resolved", alerts[0])
    assert transition([replace(alerts[0], state="resolved", resolved_at=0)], [], {"drift": None}, 1, POLICY) == []
