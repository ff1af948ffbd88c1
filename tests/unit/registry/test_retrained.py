"""What becomes of a version that a rule has trained, in a real record; only the comparison is told by the test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from daemon.retrained import KIND, Retrained, Waiting
from pipeline.config import Project
from store import aliases, events, registry, results
from store.errors import NotServed
from store.home import Home
from store.tables import Comparison, Run, WatchWindow
from store.times import to_us
from tests.unit.registry.shelf import FAILING, PASSING, START, Shelf, facts

HOUR = 3_600_000_000


def difference(low: float) -> dict[str, Any]:
    interval = {"value": low + 0.01, "low": low, "high": low + 0.02}
    told = {"metric": "auc", "difference": interval, "p_value": 0.01, "test": "DeLong", "rows": 800}
    return {"version": 0, "metrics": {"auc": 0.7}, "differences": [told]}


class Compared(Retrained):
    """Answers as the program would, instead of starting it."""

    def __init__(self, shelf: Shelf, project: Project, says: dict[str, Any], *, served: bool = True) -> None:
        super().__init__(shelf.record, lambda: project, self._traffic)
        self.shelf, self.says, self.served = shelf, says, served
        self.compared: list[Waiting] = []

    def _compare(self, one: Waiting) -> dict[str, Any]:
        self.compared.append(one)
        return self.says

    def _traffic(self, model: str, change: Any) -> None:
        if not self.served:
            raise NotServed(f"{model} is not served", where=model, remedy="`trainshed endpoints start`")
        with self.shelf.record.transaction() as tx:
            change(tx)


BETTER = {"since": 0, "until": HOUR, "rows": 800, "objective": "auc", "comparison": difference(0.004)}
WORSE = {**BETTER, "comparison": difference(-0.002)}


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    made = Shelf(Home(tmp_path))
    made.promote(made.version())
    yield made
    made.record.close()


def project(then: str = "candidate") -> Project:
    return Project.model_validate(
        {
            "project": {"name": "shop"},
            "serving": {"enabled": True},
            "sources": {"raw": {"kind": "file", "path": "*.csv", "format": "csv"}},
            "datasets": {"flights": {"source": "raw"}},
            "models": {
                "late": {"task": "binary", "dataset": "flights", "label": "late", "key": ["id"], "numeric": ["hour"]}
            },
            "monitors": {"watch": {"model": "late", "retrain": {"then": then}}},
        }
    )


def retrained(shelf: Shelf, verdict: dict[str, Any] = PASSING, trigger: str = "rule") -> int:
    """A version that the rule of `watch` has trained after report 7."""
    with shelf.record.transaction() as tx:
        known: dict[str, Any] = {"kind": "train", "target": "late", "trigger": trigger, "actor": "monitor:watch"}
        run = Run(job="train:late", created_at=tx.now, **known)
        tx.session.add(run)
        tx.session.flush()
        results.put_params(tx, run.id or 0, {"report": 7})
        return registry.add_version(tx, facts(verdict=verdict), run.id or 0)


def window(shelf: Shelf, hour: int, labelled: int = 600) -> None:
    live = shelf.production() or 0
    start = to_us(START) + hour * HOUR
    with shelf.record.transaction() as tx:
        row = WatchWindow(
            monitor="watch", version=live, start_us=start, end_us=start + HOUR, rows=900, labelled=labelled, rev=tx.rev
        )
        tx.session.add(row)


def candidate(shelf: Shelf) -> int | None:
    with shelf.record.read() as session:
        move = aliases.last_move(session, "late", "candidate")
        return None if move is None else move.to_version


def told(shelf: Shelf) -> list[str]:
    with shelf.record.read() as session:
        return [event.message for event in events.list_events(session, kind=KIND).items]


def test_one_that_is_better_becomes_candidate_once_with_the_reason_and_production_stays(shelf: Shelf) -> None:
    number = retrained(shelf)
    window(shelf, 1)
    thread = Compared(shelf, project(), BETTER)
    thread.look()
    thread.look()
    assert (candidate(shelf), shelf.production(), len(thread.compared)) == (number, number - 1, 1)
    (message,) = told(shelf)
    assert message.startswith(
        f"version {number} of late, trained by report 7: it becomes candidate: auc 0.0140 better than version 0"
    )
    with shelf.record.read() as session:
        move = aliases.last_move(session, "late", "candidate")
    assert move is not None
    assert (move.actor, move.reason.split(":")[0]) == ("monitor:watch", "trained by report 7 of monitor watch")


def test_one_that_is_not_better_is_not_put_forward_and_is_not_compared_again(shelf: Shelf) -> None:
    number = retrained(shelf)
    window(shelf, 1)
    thread = Compared(shelf, project(), WORSE)
    thread.look()
    window(shelf, 2)
    thread.look()
    assert (candidate(shelf), len(thread.compared)) == (None, 1)
    assert told(shelf)[0].startswith(
        f"version {number} of late, trained by report 7: it is not put forward: auc 0.0080"
    )


def test_a_canary_begins_where_that_is_wanted_and_where_none_can_it_becomes_candidate(shelf: Shelf) -> None:
    number = retrained(shelf)
    window(shelf, 1)
    Compared(shelf, project("canary"), BETTER).look()
    with shelf.record.read() as session:
        (row,) = session.exec(select(Comparison)).all()
    assert (row.kind, row.actor, row.status) == ("canary", "monitor:watch", "running")
    assert row.split["treatments"][0]["version"] == number
    assert "its canary begins" in told(shelf)[0]
    assert (candidate(shelf), shelf.production()) == (None, number - 1)

    second = retrained(shelf)
    window(shelf, 3)
    thread = Compared(shelf, project("canary"), BETTER, served=False)
    thread.look()
    assert candidate(shelf) == second
    assert "it becomes candidate, since no canary can begin: late is not served" in told(shelf)[0]


def test_it_waits_for_a_window_and_is_asked_about_again_when_there_is_a_new_one(shelf: Shelf) -> None:
    retrained(shelf)
    thread = Compared(shelf, project(), {"why_not": "no window lies after what it has learned from"})
    thread.look()
    assert thread.compared == [], "there is none yet"
    window(shelf, 1, labelled=499)
    thread.look()
    assert thread.compared == [], "labels are too few"
    window(shelf, 2)
    thread.look()
    thread.look()
    assert len(thread.compared) == 1
    window(shelf, 3)
    thread.look()
    assert len(thread.compared) == 2
    assert [one.windows[0][0] for one in thread.compared] == [to_us(START) + hour * HOUR for hour in (2, 3)]
    assert told(shelf) == []


@pytest.mark.parametrize("what", ["gates failed", "by hand", "no rule"])
def test_what_no_rule_has_trained_or_what_its_gates_refuse_is_left_alone(shelf: Shelf, what: str) -> None:
    retrained(shelf, FAILING if what == "gates failed" else PASSING, "manual" if what == "by hand" else "rule")
    window(shelf, 1)
    made = project()
    if what == "no rule":
        made = made.model_copy(update={"monitors": {}})
    thread = Compared(shelf, made, BETTER)
    thread.look()
    assert thread.compared == []


def test_a_decision_that_is_made_meanwhile_is_not_made_twice(shelf: Shelf) -> None:
    retrained(shelf)
    window(shelf, 1)
    first, second = Compared(shelf, project(), BETTER), Compared(shelf, project(), WORSE)

    def overtaken(one: Waiting) -> dict[str, Any]:
        first.look()
        return second.says

    second._compare = overtaken  # type: ignore[method-assign]
    second.look()
    assert len(told(shelf)) == 1
