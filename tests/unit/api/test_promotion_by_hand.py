"""`promote` and `rollback` as a person meets them: the plan, the question, the answer."""

from __future__ import annotations

import json
import os
import pty
import select
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from daemon.core import Daemon
from store import registry
from store.facts import VersionFacts
from store.wire import RunRequest
from tui.cli import app
from tui.client import Client


@pytest.fixture
def versions(daemon: Daemon, client: Client) -> None:
    """Version 1 passes its gates, version 2 does not."""
    for passed in (True, False):
        run = client.submit(RunRequest(job="train:late")).id
        outcome = "pass" if passed else "fail"
        gate = {"gate": "beats_baseline", "outcome": outcome, "reason": "0.7 and 0.8", "value": 0.7, "limit": 0.8}
        facts = VersionFacts(
            model="late",
            digest=f"d{run}",
            path="versions/x",
            task="binary",
            objective="auc",
            metrics={"auc": {"value": 0.7, "low": 0.6, "high": 0.8, "level": 0.95}},
            baseline={},
            evidence={},
            signature={"inputs": []},
            lineage={},
            verdict={"passed": passed, "gates": [gate]},
            training_set="s",
            fingerprint="f",
        )
        with daemon.record.transaction() as tx:
            registry.add_version(tx, facts, run)


def say(project: Path, *words: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, ["--project", str(project), *words])
    return done.exit_code, done.stdout, done.stderr


def typed(project: Path, answer: str, *words: str) -> tuple[int, str]:
    """Exit code and screen, when a person at a terminal types `answer`."""
    trainshed = str(Path(sys.executable).with_name("trainshed"))
    terminal, end = pty.openpty()
    person = subprocess.Popen([trainshed, "--project", str(project), *words], stdin=end, stdout=end, stderr=end)
    os.close(end)
    screen, answered = b"", False
    while select.select([terminal], [], [], 30)[0]:
        try:
            screen += os.read(terminal, 65_536)
        except OSError:
            break
        if b"to go on" in screen and not answered:
            os.write(terminal, answer.encode() + b"\n")
            answered = True
    os.close(terminal)
    return person.wait(), screen.decode()


@pytest.mark.usefixtures("versions")
def test_where_nobody_can_be_asked_nothing_moves_without_yes(project: Path, client: Client) -> None:
    code, _, err = say(project, "promote", "late", "1")
    assert code == 2
    assert "--yes" in err
    assert client.alias_history("late") == []


@pytest.mark.slow
@pytest.mark.usefixtures("versions")
def test_yes_moves_it_and_the_reason_stays(project: Path, client: Client) -> None:
    code, out, _ = say(project, "promote", "late", "1", "--yes", "--reason", "the first one", "--json")
    assert code == 0
    assert json.loads(out)["to_version"] == 1
    assert client.alias_history("late")[0].reason == "the first one"
    assert say(project, "promote", "late", "1", "--yes")[0] == 1


@pytest.mark.usefixtures("versions")
def test_against_the_gates_it_takes_an_override_with_a_reason(project: Path, client: Client) -> None:
    code, _, err = say(project, "promote", "late", "2", "--yes")
    assert code == 1
    assert "beats_baseline" in err
    assert say(project, "promote", "late", "2", "--yes", "--override")[0] == 1
    code, out, _ = say(project, "promote", "late", "2", "--yes", "--override", "--reason", "known")
    assert code == 0
    assert "against the gates" in out
    assert client.alias_history("late")[0].overridden


@pytest.mark.usefixtures("versions")
def test_a_rollback_goes_to_the_one_before_and_can_be_undone(project: Path, client: Client) -> None:
    say(project, "promote", "late", "1", "--yes")
    say(project, "promote", "late", "2", "--yes", "--override", "--reason", "x")
    code, out, _ = say(project, "rollback", "late", "--yes", "--reason", "slow")
    assert code == 0
    assert "production v2 → v1" in out
    assert say(project, "rollback", "late", "--yes", "--to", "2")[0] == 0
    assert [move.to_version for move in client.alias_history("late")] == [2, 1, 2, 1]


@pytest.mark.slow
@pytest.mark.usefixtures("versions")
def test_a_person_sees_the_plan_and_types_the_name_of_the_model(project: Path, client: Client) -> None:
    code, screen = typed(project, "yes", "promote", "late", "1")
    assert code == 1
    assert "nothing was changed" in screen
    assert client.alias_history("late") == []
    code, screen = typed(project, "late", "promote", "late", "1")
    assert code == 0
    for words in ("beats_baseline", "nothing → v1", "undo"):
        assert words in screen
    assert client.alias_history("late")[0].to_version == 1
