"""From findings to channels: what a receiver hears when it is well, away, at night, and when we die."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from daemon.channels import Answer
from daemon.messenger import Messenger
from daemon.retrying import next_try
from pipeline.config import Project
from pipeline.retry import GiveUp, Wait
from store import alerts, events, outbox
from store.engine import Record
from store.findings import Finding
from store.tables import Alert, Delivery
from tests.unit.alerts.conftest import HandClock
from tests.unit.alerts.receiver import Got, Receiver, receiving
from tests.webserver import Reply

DOWN = Reply(b"away", 503)


def finding(number: int = 0, **fields: Any) -> Finding:
    usual = Finding(
        kind="drift", subject=f"c{number}", severity="warning", title=f"c{number} has drifted", reason="PSI 0.3"
    )
    return replace(usual, **fields)


class Shed:
    """A record, a clock, a receiver, and a messenger between them."""

    def __init__(self, record: Record, clock: HandClock, receiver: Receiver, settings: dict[str, Any]) -> None:
        self.record, self.clock, self.receiver = record, clock, receiver
        ops = {"kind": "webhook", "url": receiver.url, "severities": ["info", "warning", "critical"]}
        channels = settings.pop("channels", {"ops": ops})
        self.project = Project.model_validate(
            {"project": {"name": "shop"}, "alerts": {"channels": channels, **settings}}
        )
        self.keys = (f"key-{number}" for number in count(1))
        self.messenger = self.made()

    def made(self) -> Messenger:
        """As a restarted daemon makes one."""
        keys = self.keys
        return Messenger(self.record, lambda: self.project, self.clock, lambda: 0.5, lambda: next(keys))

    def look(self, *findings: Finding, source: str = "monitor:late") -> None:
        with self.record.transaction() as tx:
            policy = self.project.alerts.policy
            alerts.observe(tx, source, findings, self.clock.us, covered={"drift": None}, policy=policy)

    def round(self) -> None:
        """What the thread does every second."""
        self.messenger.bind()
        for row in self.messenger.due():
            self.messenger.deliver(row)

    def pass_time(self, *, minutes: float, every: float = 10.0) -> None:
        """The thread goes on for so long, a round in each `every` seconds."""
        for _ in range(int(minutes * 60 / every)):
            self.clock.later(seconds=every)
            self.round()

    def events(self, kind: str) -> list[str]:
        with self.record.read() as session:
            return [event.message for event in reversed(events.list_events(session, kind=kind, limit=500).items)]

    def deliveries(self) -> list[Delivery]:
        with self.record.read() as session:
            return list(session.exec(select(Delivery)))

    def open_alerts(self) -> list[tuple[str, str]]:
        with self.record.read() as session:
            return [(row.title, row.severity) for row in session.exec(select(Alert)) if row.state == "open"]


@pytest.fixture
def shed(record: Record, clock: HandClock) -> Iterator[Callable[..., Shed]]:
    with receiving() as receiver:
        yield lambda **settings: Shed(record, clock, receiver, settings)


@pytest.mark.slow
def test_many_alerts_of_one_report_are_one_message(shed: Callable[..., Shed]) -> None:
    one = shed()
    one.look(*(finding(number) for number in range(200)))
    one.round()
    assert one.receiver.got == [], "it waits for others"
    one.pass_time(minutes=1)
    (got,) = one.receiver.got
    assert (len(got.body["alerts"]), got.body["more"]) == (20, 180)
    assert got.body["title"] == "shop: 200 alerts, first of them: c0 has drifted"
    assert len(str(got.body)) < 20_000
    (told,) = one.events("channel.told")
    assert told.endswith("and 180 more: 200 OK: taken")


@pytest.mark.slow
def test_a_webhook_that_is_down_for_an_hour_loses_nothing_and_doubles_nothing(shed: Callable[..., Shed]) -> None:
    one = shed()
    one.receiver.answer = lambda _: DOWN
    for minute in range(60):  # a new alert each minute, and each stays
        one.look(*(finding(number) for number in range(minute + 1)))
        one.pass_time(minutes=1)
    tries = len(one.receiver.got)
    assert tries < 25, "an hour of back-off"
    assert {got.headers["idempotency-key"] for got in one.receiver.got} == {"key-1"}
    assert ("channel ops takes no messages", "warning") in one.open_alerts()
    one.receiver.answer = lambda _: Reply(b"taken")
    one.receiver.got.clear()
    one.pass_time(minutes=10)
    first, second = one.receiver.got
    assert [entry["title"] for entry in first.body["alerts"]] == ["c0 has drifted"]
    assert (len(second.body["alerts"]) + second.body["more"], second.headers["idempotency-key"]) == (59, "key-2")
    assert [title for title, _ in one.open_alerts() if "channel" in title] == []
    assert {row.fault for row in one.deliveries()} == {""}


def test_a_process_that_dies_between_sending_and_noting_sends_the_same_again_with_the_same_key(
    shed: Callable[..., Shed],
) -> None:
    one = shed()
    one.look(finding(0))
    one.clock.later(seconds=20)
    one.messenger.bind()

    with pytest.raises(Killed):
        _send_and_die(one)
    one.look(finding(0, severity="critical"))
    one.messenger = one.made()
    one.pass_time(minutes=1)
    before, again, after = one.receiver.got
    assert before.headers["idempotency-key"] == again.headers["idempotency-key"] == "key-1"
    assert before.body == again.body, "also when the alert has changed meanwhile"
    assert after.body["alerts"][0]["told"] == ["escalated"]


class Killed(BaseException):
    """What ends a process ends whatever it does."""


class Death:
    """The time at which it comes."""

    tzinfo = UTC

    def __sub__(self, other: object) -> None:
        raise Killed


def _send_and_die(one: Shed) -> None:
    """Sends what is due, and dies in the commit that would note it."""
    (row,) = one.messenger.due()
    now = one.clock.now

    def heard(_: Got) -> Reply:
        one.clock.now = Death()  # type: ignore[assignment]
        return Reply(b"taken")

    one.receiver.answer = heard
    try:
        one.messenger.deliver(row)
    finally:
        one.clock.now = now
        one.receiver.answer = lambda _: Reply(b"taken")


def test_while_the_record_takes_no_commits_nothing_is_sent(shed: Callable[..., Shed]) -> None:
    """On a full disk one message was sent over and over: nobody could note that it had been heard."""
    one = shed()
    one.look(finding(0))
    one.clock.later(seconds=20)
    one.messenger.bind()
    (row,) = one.messenger.due()
    with one.record.transaction(), pytest.raises(RuntimeError):  # the next cannot begin
        one.messenger.deliver(row)
    assert one.receiver.got == []
    one.round()
    assert len(one.receiver.got) == 1


@pytest.mark.slow
def test_what_comes_up_in_quiet_hours_is_one_digest_afterwards_and_critical_passes(shed: Callable[..., Shed]) -> None:
    one = shed(quiet="12:00-18:00")  # it is noon
    for hour in range(5):
        one.look(*(finding(number) for number in range(hour + 1)))
        one.pass_time(minutes=60, every=60)
    assert one.receiver.got == []
    one.look(*(finding(number) for number in range(5)), finding(9, severity="critical"))
    one.pass_time(minutes=5)
    assert one.receiver.alerts == [("c9 has drifted", ["opened"])]
    one.look(finding(1), finding(9, severity="critical"))
    one.pass_time(minutes=120, every=60)
    digest = one.receiver.got[1].body
    assert [(entry["title"], entry["state"]) for entry in digest["alerts"]] == [
        ("c1 has drifted", "open"),
        *[(f"c{number} has drifted", "resolved") for number in (0, 2, 3, 4)],
    ]
    assert digest["title"] == "shop: 5 alerts (4 over), first of them: c1 has drifted"


@pytest.mark.slow
def test_a_finding_that_comes_and_goes_for_two_days_is_told_three_times(shed: Callable[..., Shed]) -> None:
    one = shed()
    for hour in range(49):
        one.look(*([finding(0)] if hour % 2 == 0 else []))
        one.pass_time(minutes=60, every=300)
    assert one.receiver.alerts == [("c0 has drifted", ["opened"]), *[("c0 has drifted", ["again"])] * 2]


@pytest.mark.slow
def test_an_end_is_told_to_those_who_were_told_of_the_beginning(shed: Callable[..., Shed]) -> None:
    one = shed()
    one.look(finding(0))
    one.pass_time(minutes=1)
    one.look()
    one.pass_time(minutes=100, every=60)
    assert len(one.receiver.got) == 1, "it may come back"
    one.pass_time(minutes=30, every=60)
    assert one.receiver.alerts == [("c0 has drifted", ["opened"]), ("c0 has drifted", ["resolved"])]
    assert "over since" in one.receiver.got[1].body["text"]


@pytest.mark.slow
def test_a_message_that_cannot_be_sent_is_given_up_after_its_time_and_that_is_an_alert(
    shed: Callable[..., Shed],
) -> None:
    one = shed(give_up="1h")
    one.receiver.answer = lambda _: DOWN
    one.look(finding(0))
    one.pass_time(minutes=70)
    (row,) = one.deliveries()
    assert row.gave_up_at is not None
    assert row.fault == "503 Service Unavailable: away"
    assert ("channel ops was not told of alert 1", "critical") in one.open_alerts()
    assert len(one.events("channel.gave_up")) == 1
    one.receiver.answer = lambda _: Reply()
    one.look(finding(0), finding(1))
    one.pass_time(minutes=1)
    assert [title for title, _ in one.open_alerts()] == [
        "c0 has drifted",
        "channel ops was not told of alert 1",
        "c1 has drifted",
    ], "that it takes messages again does not tell what was lost"


@pytest.mark.slow
def test_a_message_that_a_receiver_does_not_take_does_not_keep_others_from_being_sent(
    shed: Callable[..., Shed],
) -> None:
    one = shed()

    def fussy(got: Got) -> Reply:
        return Reply(b"too odd", 422) if got.body["alerts"][0]["title"] == "odd" else Reply()

    one.receiver.answer = fussy
    one.look(finding(0, title="odd"))
    one.pass_time(minutes=1)
    one.look(finding(0, title="odd"), finding(1))
    one.pass_time(minutes=10)
    assert one.receiver.alerts[-1] == ("c1 has drifted", ["opened"])
    assert ("channel ops was not told of alert 1", "critical") in one.open_alerts()


@pytest.mark.slow
def test_what_waits_for_a_channel_that_was_taken_out_is_told_to_nobody(shed: Callable[..., Shed]) -> None:
    one = shed()
    one.receiver.answer = lambda _: DOWN
    one.look(finding(0))
    one.pass_time(minutes=1)
    one.look(finding(0), finding(1))
    one.project = Project.model_validate({"project": {"name": "shop"}})
    one.pass_time(minutes=1)
    (row,) = one.deliveries()
    assert row.fault == "the channel is no longer in the project file"
    with one.record.read() as session:
        assert not outbox.has_others(session, [])


def test_a_test_tells_what_was_answered(shed: Callable[..., Shed]) -> None:
    one = shed(quiet="12:00-18:00")
    done = one.messenger.test("ops", "ada")
    assert done is not None
    assert (done.sent, done.answer) == (True, "200 OK: taken")
    assert "ada tries whether alerts arrive here" in one.receiver.got[0].body["text"]
    one.receiver.answer = lambda _: DOWN
    failed = one.messenger.test("ops", "ada")
    assert failed is not None
    assert (failed.sent, failed.answer) == (False, "503 Service Unavailable: away")
    assert one.messenger.test("nope", "ada") is None


def test_tries_come_ever_later_and_chance_spreads_them() -> None:
    no = Answer(ok=False, text="")
    waits = [next_try(tries, 0.0, 1e9, no, 1.0) for tries in range(1, 9)]
    assert waits == [Wait(5.0), Wait(10.0), Wait(20.0), Wait(40.0), Wait(80.0), Wait(160.0), Wait(300.0), Wait(300.0)]
    assert next_try(1, 0.0, 1e9, no, 0.0) == Wait(2.5)
    assert next_try(1, 0.0, 1e9, Answer(ok=False, text="", after_s=90.0), 0.0) == Wait(90.0)
    assert next_try(1, 0.0, 1e9, Answer(ok=False, text="", after_s=1e9), 0.0) == Wait(3600.0)
    assert isinstance(next_try(9, 100.0, 100.0, no, 0.0), GiveUp)


def test_a_command_channel_is_told_too(record: Record, clock: HandClock, tmp_path: Path) -> None:
    with receiving() as receiver:
        one = Shed(record, clock, receiver, {"channels": {"pager": {"kind": "command", "command": ["true"]}}})
        one.look(finding(0))
        one.pass_time(minutes=1)
        assert [row.sent_at is not None for row in one.deliveries()] == [True]


def _over(one: Shed, number: int) -> None:
    """An alert that came, was told, and is over and told so."""
    one.look(finding(number))
    one.pass_time(minutes=1)
    one.look()
    one.pass_time(minutes=130, every=60)


def _told(one: Shed, number: int) -> list[str]:
    """What is known of the messages about the alert of finding `number`."""
    with one.record.read() as session:
        alert = session.exec(select(Alert.id).where(Alert.subject == f"c{number}")).one()
        return [told.what for told in outbox.told(session, alert or 0)]


@pytest.mark.slow
def test_messages_about_what_is_long_over_go_and_the_alert_and_its_history_stay(shed: Callable[..., Shed]) -> None:
    one = shed(repeat="off")
    _over(one, 0)
    _over(one, 1)
    assert [_told(one, 0), _told(one, 1)] == [["opened", "resolved"]] * 2
    one.clock.later(days=89)
    one.messenger.tidy()
    assert len(one.deliveries()) == 4
    one.clock.later(days=1)
    _over(one, 2)
    one.messenger.tidy()
    assert [_told(one, number) for number in range(3)] == [[], [], ["opened", "resolved"]]
    assert len(one.events("channel.told")) == 6
    assert [row.state for row in _alerts(one)] == ["resolved"] * 3


def _alerts(one: Shed) -> list[Alert]:
    with one.record.read() as session:
        return list(session.exec(select(Alert)))


@pytest.mark.slow
def test_no_message_goes_that_tells_of_what_is_not_over_or_that_waits(shed: Callable[..., Shed]) -> None:
    one = shed(repeat="off", give_up="365d")
    one.look(finding(0), finding(1))  # told by one message
    one.pass_time(minutes=1)
    one.look(finding(0))
    one.pass_time(minutes=130, every=60)
    one.receiver.answer = lambda _: DOWN
    one.look(finding(0), finding(2))
    one.pass_time(minutes=1)
    one.look(finding(0))
    one.clock.later(days=300)
    one.messenger.tidy()
    assert _told(one, 0) == ["opened"]
    assert _told(one, 1) == ["opened", "resolved"], "its end is the last message that was taken"
    assert "opened" in _told(one, 2)


@pytest.mark.slow
def test_the_last_message_that_a_channel_took_stays_and_says_when_that_was(shed: Callable[..., Shed]) -> None:
    one = shed(repeat="off")
    _over(one, 0)
    with one.record.read() as session:
        taken = outbox.channel_facts(session, "ops").sent_at
    one.clock.later(days=400)
    one.messenger.tidy()
    with one.record.read() as session:
        assert outbox.channel_facts(session, "ops").sent_at == taken
    assert _told(one, 0) == ["resolved"]


@pytest.mark.slow
def test_nothing_goes_where_that_is_off(shed: Callable[..., Shed]) -> None:
    one = shed(repeat="off", keep_messages="off")
    _over(one, 0)
    one.clock.later(days=4_000)
    one.messenger.tidy()
    assert len(one.deliveries()) == 2


@pytest.mark.slow
def test_an_hour_passes_between_two_looks_for_old_messages(shed: Callable[..., Shed]) -> None:
    one = shed(repeat="off", keep_messages="1d")
    _over(one, 0)
    one.clock.later(hours=21, minutes=30)  # it was over two hours and ten minutes before
    one.messenger.tidy()
    one.clock.later(minutes=30)
    one.messenger.tidy()
    assert len(one.deliveries()) == 2
    one.clock.later(minutes=30)
    one.messenger.tidy()
    assert len(one.deliveries()) == 1


def test_whoever_follows_the_record_hears_which_alerts_a_message_was_about(shed: Callable[..., Shed]) -> None:
    one = shed()
    one.look(finding(0), finding(1))
    heard: list[list[int]] = []

    def hear() -> None:
        since = one.record.revision
        one.clock.later(seconds=60)
        one.round()
        with one.record.read() as session:
            heard.append(outbox.changed(session, since))

    one.receiver.answer = lambda _: DOWN
    hear()  # made, and tried in vain
    hear()  # tried again
    one.receiver.answer = lambda _: Reply(b"taken")
    hear()
    hear()
    assert heard == [[1, 2], [1, 2], [1, 2], []]
