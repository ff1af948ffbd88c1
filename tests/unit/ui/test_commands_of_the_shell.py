"""Commands that are offered to be copied do what is asked for, and nothing else; and what verbs print harms nobody."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from store import events
from store.wire import PromoteRequest, RollbackRequest
from tests.unit.ui import alarming
from tests.unit.ui.conftest import Served
from tui.cli import app
from tui.client import Client


def say(shed: Served, *words: str) -> tuple[int, str, str]:
    """Exit code, standard output, standard error; nobody is there to be asked."""
    result = CliRunner().invoke(app, [*words, "--project", str(shed.socket.parents[1])], prog_name="trainshed")
    return result.exit_code, result.stdout, result.stderr


@pytest.mark.parametrize(
    ("words", "command"),
    [
        ("promote late 2 --alias candidate", "trainshed promote late 2 --alias candidate --yes"),
        ("promote late 2 --override", "trainshed promote late 2 --override --yes"),
        ("canary late 2 --override", "trainshed canary late 2 --override --yes"),
        ("weights late 2=12.34567%", "trainshed weights late 2=12.34567% --yes"),
        ("shadow late 2 --share 50%", "trainshed shadow late 2 --share 50% --yes"),
        (
            "experiment start late 2 --metric correct --share 20% --window 2d --guardrail errors=0.01",
            "trainshed experiment start late 2 --guardrail errors=0.01 --share 20% --metric correct --window 2d --yes",
        ),
    ],
)
def test_what_cannot_be_confirmed_names_the_command_with_all_that_was_said(
    shed: Served, words: str, command: str
) -> None:
    """Without its --alias, the command that was to be copied moved production; without its settings, it began another
    experiment than was asked for."""
    code, _, told = say(shed, *words.split())
    assert code == 2
    assert command in told


def test_a_rollback_that_cannot_be_confirmed_names_its_version_and_alias(shed: Served, client: Client) -> None:
    client.promote("late", PromoteRequest(version=1, alias="candidate"))
    code, _, told = say(shed, "rollback", "late", "--alias", "candidate", "--to", "2")
    assert code == 2
    assert "trainshed rollback late --to 2 --alias candidate --yes" in told


def test_what_undoes_the_move_of_another_alias_does_not_move_production(shed: Served, client: Client) -> None:
    code, said, _ = say(shed, "promote", "late", "1", "--alias", "candidate", "--yes")
    assert code == 0
    assert "undo: trainshed rollback late --to 2 --alias candidate" in said
    client.rollback("late", RollbackRequest(alias="candidate", to=2))
    assert client.models()[0].aliases["production"] == 1


def test_of_alerts_that_were_acknowledged_before_one_was_refused_it_is_said(shed: Served, client: Client) -> None:
    alarming.write(shed)
    number = alarming.number(shed, alarming.AUC)
    code, _, told = say(shed, "alerts", "ack", str(number), "999")
    assert code == 1
    assert f"{number} is acknowledged already" in told
    assert client.alert(number).alert.state == "acknowledged"


def test_what_an_event_says_does_not_command_the_terminal(shed: Served) -> None:
    from tui.draw.schedules import event_line

    with shed.record.transaction() as tx:
        events.append(tx, actor="ann", kind="note", subject="daemon", message="\x1b[2J\x1b]52;c;cHduZWQ=\x07 gone")
    with Client(shed.socket) as daemon:
        newest = daemon.events(limit=1).items[0]
    assert "gone" in event_line(newest)
    assert event_line(newest).isprintable()


def test_a_name_that_was_asked_for_does_not_command_the_terminal(shed: Served) -> None:
    _, _, told = say(shed, "data", "show", "\x1b]0;owned\x07")
    assert told.replace("\n", "").isprintable()


def test_a_log_that_is_followed_as_json_is_one_object_a_line(shed: Served) -> None:
    folder = shed.home.attempt(11, 1)
    folder.root.mkdir(parents=True)
    folder.stdout.write_text("one\ntwo\n")
    code, said, _ = say(shed, "runs", "logs", "11", "-f", "--json")
    assert code == 0
    assert [json.loads(piece)["text"] for piece in said.splitlines()] == ["one\ntwo\n"]
