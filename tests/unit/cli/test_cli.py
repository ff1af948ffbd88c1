from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from tui.cli import app

VERBS = {
    *("init", "check", "demo", "doctor", "up", "down", "reload", "status", "run", "jobs", "runs", "models", "versions"),
    *("plan", "promote", "rollback", "schedules", "events", "data", "features", "backup", "restore", "watch"),
    *("queue", "system", "lineage", "endpoints", "predict", "predictions", "canary", "weights", "shadow", "labels"),
    *("keys", "export", "experiment", "drift", "metrics", "alerts", "monitors", "prune"),
}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to be in, and no project named by the environment."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TRAINSHED_PROJECT", raising=False)
    monkeypatch.delenv("TRAINSHED_HOME", raising=False)
    return tmp_path


def say(*words: str) -> tuple[int, str, str]:
    """Exit code, standard output, standard error."""
    result = CliRunner().invoke(app, words, prog_name="trainshed")
    return result.exit_code, result.stdout, result.stderr


def leaves(command: object, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    inner = getattr(command, "commands", None)
    if inner is None:
        yield path
        return
    for name, child in inner.items():
        yield from leaves(child, (*path, name))


@pytest.mark.slow
def test_the_verbs_are_those_of_the_design() -> None:
    assert {path[0] for path in leaves(typer.main.get_command(app))} == VERBS


@pytest.mark.slow
def test_every_verb_has_help_with_an_example_and_answers_as_json() -> None:
    for path in leaves(typer.main.get_command(app)):
        code, out, _ = say(*path, "--help")
        assert code == 0, path
        text = " ".join(out.split())
        assert f"Example: trainshed {path[0]}" in text, path
        assert "--json" in text, path
        assert "--project" in text, path


def test_outside_of_a_project_a_verb_is_wrong_usage(here: Path) -> None:
    code, _, err = say("status")
    assert code == 2
    assert "no trainshed.toml here or in any folder above" in err
    assert "→" in err


def test_without_a_daemon_the_exit_code_is_three_and_says_how_to_start_one(here: Path) -> None:
    (here / "trainshed.toml").write_text("")
    code, _, err = say("jobs")
    assert code == 3
    assert "trainshed up --detach" in err


def test_alone_it_asks_for_the_status(here: Path) -> None:
    (here / "trainshed.toml").write_text("")
    assert say()[0] == 3


@pytest.mark.parametrize("words", [("status", "--json"), ("--json", "status"), ("--json",)])
def test_a_failure_is_a_json_document_too(here: Path, words: tuple[str, ...]) -> None:
    code, out, err = say(*words)
    assert (code, err) == (2, "")
    assert json.loads(out)["code"] == "Usage"


def test_a_project_may_be_named_before_or_after_the_verb(here: Path) -> None:
    (here / "p").mkdir()
    (here / "p" / "trainshed.toml").write_text("")
    assert say("--project", "p", "jobs")[0] == 3
    assert say("jobs", "--project", "p")[0] == 3
    assert say("runs", "list", "--project", "p")[0] == 3


@pytest.mark.parametrize(
    "words",
    [
        ("nothing",),
        ("run",),
        ("runs", "show", "twelve"),
        ("runs", "compare", "1"),
        ("run", "backup", "--set", "nonsense"),
        ("versions", "late", "hide", "3"),
        ("events", "--at", "yesterday"),
        ("init", "x", "--example", "nothing"),
    ],
)
def test_what_is_not_understood_is_wrong_usage(here: Path, words: tuple[str, ...]) -> None:
    (here / "trainshed.toml").write_text("")
    (here / ".trainshed").mkdir()
    assert say(*words)[0] == 2
    code, out, err = say(*words, "--json")
    assert (code, err) == (2, "")
    problem = json.loads(out)
    assert problem["code"] == "Usage"
    assert problem["detail"]
    assert problem["remedy"]


def test_a_word_that_no_verb_knows_is_told_by_the_parser_or_as_a_problem(here: Path) -> None:
    code, out, err = say("runs", "show", "twelve")
    assert (code, out) == (2, "")
    assert "Usage: trainshed runs show" in err
    problem = json.loads(say("--json", "runs", "show", "twelve")[1])
    assert "valid integer" in problem["detail"]
    assert problem["where"] == "trainshed runs show"
    assert problem["remedy"] == "see `trainshed runs show --help`"
    assert json.loads(say("--json", "--nonsense")[1])["code"] == "Usage"


def test_init_writes_a_project_once(here: Path) -> None:
    code, out, _ = say("init", "new")
    assert code == 0
    assert "trainshed up" in out
    assert (here / "new" / "trainshed.toml").is_file()
    (here / "new" / "trainshed.toml").write_text("mine")
    code, _, err = say("init", "new")
    assert code == 1
    assert "overwrites nothing" in err
    assert (here / "new" / "trainshed.toml").read_text() == "mine"


def test_init_copies_the_example_whole(here: Path) -> None:
    code, out, _ = say("init", "demo", "--example", "flights", "--json")
    assert code == 0
    told = json.loads(out)
    written = {str(path.relative_to(here / "demo")) for path in (here / "demo").rglob("*") if path.is_file()}
    assert set(told["files"]) == written
    assert "trainshed.toml" in written
    assert not any("__pycache__" in name for name in written)


def test_the_version_is_told() -> None:
    assert say("--version")[1].startswith("trainshed 0.")
