"""Alerts of a living daemon: killed while it tells one, and heard of when it died."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.living import Living, until
from tests.unit.alerts.receiver import Got, Receiver, receiving
from tests.webserver import Reply

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
SETTINGS = """
[alerts]
gather = "100ms"
[alerts.channels.ops]
kind = "webhook"
url = "env:ALERTS_HOOK"
[alerts.heartbeat]
url = "env:ALERTS_BEAT"
every = "1s"
"""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as one:
        yield one


@pytest.fixture
def living(tmp_path: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> Iterator[Living]:
    monkeypatch.setenv("ALERTS_HOOK", f"{receiver.url}/hook")
    monkeypatch.setenv("ALERTS_BEAT", f"{receiver.url}/beat")
    shed = Living(tmp_path, "", extra=SETTINGS)
    try:
        shed.start()
        yield shed
    finally:
        shed.close()


def messages(receiver: Receiver) -> list[Got]:
    return [got for got in receiver.got if got.method == "POST"]


def test_a_daemon_that_is_killed_before_it_notes_what_it_sent_sends_the_same_again(
    living: Living, receiver: Receiver
) -> None:
    until(lambda: [got for got in receiver.got if got.path == "/beat"])
    living.kill()

    def deadly(got: Got) -> Reply:
        """Has the message, and the daemon dies before it hears so."""
        if got.method == "POST" and len(messages(receiver)) == 1:
            assert living.process is not None
            os.kill(living.process.pid, signal.SIGKILL)
        return Reply(b"taken")

    receiver.answer = deadly
    living.launch()  # it finds that the one before had died, and tells it
    assert living.process is not None
    living.process.wait(60)
    (first,) = messages(receiver)
    assert first.body["alerts"][0]["title"] == "the daemon had died"

    living.start()
    until(lambda: len(messages(receiver)) > 1)
    again = messages(receiver)[1]
    assert again.headers["idempotency-key"] == first.headers["idempotency-key"]
    assert again.body == first.body
    until(lambda: len(messages(receiver)) > 2)
    assert messages(receiver)[2].body["alerts"][0]["told"] == ["escalated"]
    until(lambda: all(told["sent_at"] for told in living.get("/v1/alerts/1")["told"]))
    (alert,) = living.get("/v1/alerts")["items"]
    assert (alert["title"], alert["seen"], alert["severity"]) == ("the daemon had died again", 2, "critical")
    assert len(messages(receiver)) == 3


def test_no_address_and_no_secret_is_in_what_a_daemon_keeps(living: Living, receiver: Receiver) -> None:
    receiver.answer = lambda got: Reply(got.path.encode(), 500)
    living.kill()
    living.start()
    until(lambda: messages(receiver) and living.get("/v1/alerts/1")["told"][0]["tries"])
    living.kill()
    kept = [*living.home.root.glob("trainshed.db*"), living.home.daemon_log]
    assert all(receiver.url.encode() not in file.read_bytes() for file in kept)
