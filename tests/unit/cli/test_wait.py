"""What a waiting `run` says when nobody looks at a terminal: each new state, and each new cause of waiting."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from store.wire import RunView
from tui.verbs.wait import Board

PLAIN: dict[str, Any] = {
    "id": 1,
    "job": "etl:flights",
    "kind": "etl",
    "target": "flights",
    "state": "queued",
    "trigger": "manual",
    "actor": "ann",
    "created_at": datetime(2026, 3, 1, tzinfo=UTC),
}


def _run(**facts: Any) -> RunView:
    missing = {name: None for name in RunView.model_fields if name not in PLAIN}
    return RunView.model_construct(**{**missing, **PLAIN, **facts})


def test_a_run_that_waits_says_for_what_as_soon_as_it_is_known() -> None:
    board = Board(_run(reason=""))
    told = [
        [view.reason for view in board.news([_run(**change)])]
        for change in ({"reason": ""}, {"reason": "the disk is too full"}, {"reason": "the disk is too full"})
    ]
    assert told == [[""], ["the disk is too full"], []]


def test_progress_within_a_state_is_not_a_new_line() -> None:
    board = Board(_run(reason=""))
    told = [len(board.news([_run(state="running", reason="", done=done)])) for done in (1.0, 2.0, 3.0)]
    assert told == [1, 0, 0]
