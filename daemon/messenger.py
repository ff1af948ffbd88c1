"""From the outbox to the channels: notifications become messages, messages are tried, and what came of it is noted.

At most one message of a channel is under way. What comes up meanwhile waits and is one message after it, so a receiver
that was away for an hour hears of everything, in two messages.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Final

from daemon import notices
from daemon.channels import Answer, Message, send
from daemon.retrying import next_try
from pipeline.config import Project
from pipeline.retry import GiveUp
from store import alerts, alive, events, outbox
from store.engine import Record, Transaction
from store.findings import Finding
from store.outbox import Waiting
from store.tables import Delivery
from store.times import SECOND, Clock, to_us, us
from store.wire import ChannelTest

log = logging.getLogger(__name__)
TIDY_US: Final = 3_600 * SECOND
"""Between two looks for old messages."""
SILENT_S: Final = 600.0
"""A channel that has taken nothing for so long is an alert."""


class Messenger:
    """Its methods may be called from any thread, but of one channel only one message at a time may be under way."""

    def __init__(
        self,
        record: Record,
        project: Callable[[], Project],
        clock: Clock,
        chance: Callable[[], float],
        new_key: Callable[[], str],
    ) -> None:
        """`chance`: a number from 0 up to 1; `new_key`: a text that never comes twice."""
        self._record = record
        self._project = project
        self._clock = clock
        self._chance = chance
        self._new_key = new_key
        self._tidied_at: int | None = None

    def bind(self) -> None:
        """Makes messages of what is due and not held back, for channels that have none under way."""
        with self._record.read() as session:
            some = outbox.waiting(session, to_us(self._clock()))
            gone = outbox.has_others(session, self._project().alerts.channels)
        if gone:
            self._forget()
        if self._ready(some):
            with self._record.transaction() as tx:
                busy = {row.channel for row in outbox.unsent(tx.session)}
                for channel, told in self._ready(outbox.waiting(tx.session, tx.now)).items():
                    if channel not in busy:
                        self._bind(tx, channel, told)

    def _ready(self, waiting: Sequence[Waiting]) -> dict[str, list[Waiting]]:
        """Channel → what it may be told now."""
        settings, now = self._project().alerts, self._clock()
        ready: dict[str, list[Waiting]] = {}
        for one in waiting:
            if one.channel in settings.channels and not settings.held_back(one.alert.severity, one.what, now):
                ready.setdefault(one.channel, []).append(one)
        return ready

    def _bind(self, tx: Transaction, channel: str, told: Sequence[Waiting]) -> None:
        project = self._project()
        body = notices.compose(project.project.name, told, self._clock(), project.alerts.timezone)
        outbox.bind(tx, [one.id for one in told], channel, self._new_key(), body)

    def _forget(self) -> None:
        with self._record.transaction() as tx:
            outbox.forget_others(tx, self._project().alerts.channels)

    def tidy(self) -> None:
        """Forgets old messages about what is over, now and then. A look that finds it again is told as for the first
        time then, so none goes before its alert has settled."""
        settings, now = self._project().alerts, to_us(self._clock())
        if settings.keep_messages is None or (self._tidied_at is not None and now - self._tidied_at < TIDY_US):
            return
        self._tidied_at = now
        before = now - us(max(settings.keep_messages, settings.settle))
        with self._record.read() as session:
            some = outbox.has_old(session, before)
        if some:
            with self._record.transaction() as tx:
                outbox.forget_old(tx, before)

    def due(self) -> list[Delivery]:
        """Messages whose next try is due."""
        now = to_us(self._clock())
        with self._record.read() as session:
            return [row for row in outbox.unsent(session) if row.due_at <= now]

    def deliver(self, row: Delivery) -> Answer:
        """One try, and its outcome noted. A process that dies in between tries again, with the same key.

        Raises StorageError, RecordBusy: before anything is sent, while the record takes no commits; who cannot note
        that he was heard would say it again and again.
        """
        project = self._project()
        channel = project.alerts.channels.get(row.channel)
        if channel is None:  # taken out of the project file at this moment
            return Answer(ok=False, text="the channel is no longer in the project file")
        with self._record.transaction() as tx:
            alive.mark(tx)
        answer = send(channel, Message(key=row.key, body=row.body), project.root, self._clock())
        with self._record.transaction() as tx:
            if answer.ok:
                self._note_sent(tx, row, answer)
            else:
                self._note_failed(tx, row, answer)
        return answer

    def test(self, name: str, actor: str) -> ChannelTest | None:
        """Sends a message that says that it is none; None if there is no such channel."""
        project, began = self._project(), self._clock()
        channel = project.alerts.channels.get(name)
        if channel is None:
            return None
        body = notices.trial(project.project.name, name, actor, began)
        answer = send(channel, Message(key=self._new_key(), body=body), project.root, began)
        with self._record.transaction() as tx:
            what = f"{actor} tried channel {name}: {'it was taken' if answer.ok else 'it failed'}, {answer.text}"
            events.append(tx, actor=actor, kind="channel.tested", subject=f"channel {name}", message=what)
            if answer.ok:
                self._observe(tx, name, [])
        seconds = (self._clock() - began).total_seconds()
        return ChannelTest(channel=name, kind=channel.kind, sent=answer.ok, answer=answer.text, seconds=seconds)

    # ---------------------------------------------------------------------------------------------- what came of it

    def _note_sent(self, tx: Transaction, row: Delivery, answer: Answer) -> None:
        outbox.sent(tx, row.id or 0)
        which = _alerts_of(row)
        what = f"channel {row.channel} was told of {which}: {answer.text}"
        data = {"key": row.key, "tries": row.tries + 1}
        events.append(
            tx, actor="daemon", kind="channel.told", subject=f"channel {row.channel}", message=what, data=data
        )
        self._observe(tx, row.channel, [])

    def _note_failed(self, tx: Transaction, row: Delivery, answer: Answer) -> None:
        give_up_s = self._project().alerts.give_up.total_seconds()
        waited_s, tries = (tx.now - row.made_at) / SECOND, row.tries + 1
        decision = next_try(tries, waited_s, give_up_s, answer, self._chance())
        log.warning("channel %s: try %d failed: %s", row.channel, tries, answer.text, extra={"action": "notify_failed"})
        if isinstance(decision, GiveUp):
            outbox.gave_up(tx, row.id or 0, answer.text)
            what = f"{_alerts_of(row)} is not told to channel {row.channel}: {decision.reason}; last: {answer.text}"
            events.append(tx, actor="daemon", kind="channel.gave_up", subject=f"channel {row.channel}", message=what)
            self._observe(tx, row.channel, [_given_up(row, what)])
            return
        outbox.failed(tx, row.id or 0, answer.text, tx.now + int(decision.seconds * SECOND))
        if waited_s >= SILENT_S:
            self._observe(tx, row.channel, [_silent(row, tries, waited_s, answer)])

    def _observe(self, tx: Transaction, channel: str, found: Sequence[Finding]) -> None:
        """Of a channel that takes messages nothing is found; what was given up stays, until somebody has seen it."""
        covered = {} if found else {"daemon": [_subject(channel)]}
        policy = self._project().alerts.policy
        alerts.observe(tx, f"channel:{channel}", found, tx.now, covered=covered, policy=policy)  # type: ignore[arg-type]


def _subject(channel: str) -> str:
    return f"channel {channel}"


def _silent(row: Delivery, tries: int, waited_s: float, answer: Answer) -> Finding:
    return Finding(
        kind="daemon",
        subject=_subject(row.channel),
        severity="warning",
        title=f"channel {row.channel} takes no messages",
        reason=f"{tries} tries in {waited_s / 60:.0f} minutes failed, the last: {answer.text}",
        evidence={"tries": tries, "waited_s": round(waited_s)},
        suggestion=f"trainshed alerts test {row.channel}",
    )


def _given_up(row: Delivery, what: str) -> Finding:
    return Finding(
        kind="daemon",
        subject=f"given up by channel {row.channel}",
        severity="critical",
        title=f"channel {row.channel} was not told of {_alerts_of(row)}",
        reason=what,
        suggestion=f"trainshed alerts; then trainshed alerts test {row.channel}",
    )


def _alerts_of(row: Delivery) -> str:
    """`alert 3`, `alert 3, 4, 5 and 20 more`."""
    numbers = ", ".join(str(entry["id"]) for entry in row.body["alerts"])
    more = row.body["more"]
    return f"alert {numbers}" + (f" and {more} more" if more else "")
