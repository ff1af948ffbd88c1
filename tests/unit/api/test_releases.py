"""A command line that meets a daemon of another release."""

from __future__ import annotations

from pathlib import Path

import pytest

from store.wire import Wire
from tui.client import Client
from tui.failure import Failure


class Newer(Wire):
    """What a later release would want of a status."""

    project: str
    mood: str


def test_an_answer_that_cannot_be_read_says_how_to_bring_both_together(client: Client) -> None:
    with pytest.raises(Failure, match="is of another release") as refused:
        client._get(Newer, "/status")
    assert "trainshed down" in refused.value.remedy


def test_its_process_is_known_all_the_same_so_that_it_can_be_stopped(client: Client, socket_path: Path) -> None:
    assert client.pid() == client.status().pid
