"""What is typed after `:`."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.commands import Command, Vocabulary, complete, read
from tui.failure import Usage

KNOWN = Vocabulary(
    screens={"runs": "runs", "r": "runs", "models": "models"},
    actions={"stop": "runs.cancel"},
    themes=("dark", "light"),
    objects={"run": ["12", "15"], "model": ["late"]},
)


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("runs", Command("screen", ("runs", ""))),
        ("r state=failed auc>0.7", Command("screen", ("runs", "state=failed auc>0.7"))),
        ("run 12", Command("open", ("run", "12"))),
        ("version late 2", Command("open", ("version", "late", "2"))),
        ("theme light", Command("theme", ("light",))),
        ("at 14:05", Command("at", ("14:05",))),
        ("filter", Command("filter", ())),
        ("stop", Command("action", ("runs.cancel",))),
        ("q", Command("quit")),
    ],
)
def test_a_command_is_read(text: str, command: Command) -> None:
    assert read(text, KNOWN) == command


@pytest.mark.parametrize(
    "text",
    ["run", "version late", "theme", "theme green", "frobnicate", 'run "12', "run abc", "alert x", "version late v2"],
)
def test_what_is_no_command_says_what_there_is(text: str) -> None:
    with pytest.raises(Usage) as refused:
        read(text, KNOWN)
    assert refused.value.remedy


def test_where_a_number_is_needed_a_word_is_refused_before_anything_opens() -> None:
    """A screen that was given `abc` for the number of its run ended the whole UI."""
    with pytest.raises(Usage, match="'abc' is no number of a run") as refused:
        read("run abc", KNOWN)
    assert refused.value.remedy == "for example `:run 12`"


@pytest.mark.parametrize(
    ("typed", "whole"), [("ru", "runs"), ("run 1", "run 12"), ("model ", "model late"), ("theme l", "theme light")]
)
def test_the_first_continuation_is_offered(typed: str, whole: str) -> None:
    assert complete(typed, KNOWN) == whole


@given(st.text())
def test_no_text_breaks_the_reader(text: str) -> None:
    with suppress(Usage):
        assert isinstance(read(text, KNOWN), Command)
    offered = complete(text, KNOWN)
    assert offered is None or offered.startswith(text)
