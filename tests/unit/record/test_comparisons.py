"""The record of comparisons: at most one of a model, against production, and what is served follows from it."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy.exc import IntegrityError

from daemon.routes import wanted_routes
from daemon.traffic import Asked, change
from pipeline.config.serving import ServingSection
from pipeline.serving.arms import split_of
from pipeline.traffic.route import assigned
from store import comparisons, events, shadows
from store.errors import Conflict, GateRefused, Refused
from store.home import Home
from store.routing import Route
from store.tables import Comparison
from store.wire import TrafficChange
from tests.unit.registry.shelf import FAILING, Shelf

SECTION = ServingSection()
UNITS = [f"u{number}" for number in range(200)]


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    """Versions 1 to 3, of which 1 is in production, and 4, which fails its gates."""
    made = Shelf(Home(tmp_path))
    for digest in "abc":
        made.version(digest=digest * 64)
    made.version(digest="d" * 64, verdict=FAILING)
    made.promote(1)
    return made


def do(shelf: Shelf, **asked: object) -> None:
    wanted = Asked(model="late", change=TrafficChange(**asked), actor="anna", section=SECTION)
    with shelf.record.transaction() as tx:
        change(wanted)(tx)


def route(shelf: Shelf) -> Route:
    with shelf.record.read() as session:
        return wanted_routes(session, SECTION)["late"]


def running(shelf: Shelf) -> Comparison | None:
    with shelf.record.read() as session:
        return comparisons.running(session, "late")


def kinds(shelf: Shelf) -> list[str]:
    with shelf.record.read() as session:
        return [one.kind for one in events.list_events(session, limit=500).items]


def test_weights_begin_grow_and_end_and_what_is_served_follows(shelf: Shelf) -> None:
    do(shelf, do="weights", shares={2: 0.2}, reason="try")
    assert [(arm.version, arm.weight, arm.high) for arm in route(shelf).arms] == [(1, 0.8, 1.0), (2, 0.2, 0.2)]
    do(shelf, do="weights", shares={2: 0.5})
    assert (route(shelf).stage, route(shelf).arms[1].weight) == (1, 0.5)
    with pytest.raises(
        Conflict, match="some would be moved back to control\n  → `trainshed weights late --stop`, then"
    ):
        do(shelf, do="weights", shares={2: 0.4})
    do(shelf, do="stop", kind="weights")
    assert [arm.version for arm in route(shelf).arms] == [1]
    assert route(shelf).comparison is None
    assert [kind for kind in kinds(shelf) if kind.startswith("comparison")] == [
        "comparison.stopped",
        "comparison.ramped",
        "comparison.began",
    ]


def test_one_comparison_at_a_time_also_for_whoever_writes_past_the_functions(shelf: Shelf) -> None:
    do(shelf, do="canary", version=2)
    with pytest.raises(
        Conflict, match="one comparison of a model at a time: end it with `trainshed canary late --stop`"
    ):
        do(shelf, do="weights", shares={3: 0.1})
    with shelf.record.transaction() as tx:
        tx.session.add(Comparison(model="late", kind="weights", control=1, actor="x", began_at=tx.now))
        with pytest.raises(IntegrityError):
            tx.session.flush()
        tx.session.rollback()


def test_who_fails_the_gates_answers_nobody_without_a_name_and_a_reason_but_may_be_a_shadow(shelf: Shelf) -> None:
    for asked in ({"do": "canary", "version": 4}, {"do": "weights", "shares": {4: 0.1}, "override": True}):
        with pytest.raises(GateRefused, match="version 4 of late may not answer: gap: a gap of 40 %"):
            do(shelf, **asked)
    do(shelf, do="shadow", version=4, share=0.5)
    shadow = route(shelf).shadow
    assert shadow is not None
    assert (shadow.version, shadow.weight) == (4, 0.5)
    do(shelf, do="canary", version=4, override=True, reason="I know why")
    assert route(shelf).arms[1].version == 4
    assert route(shelf).shadow is None  # it answers, so it needs no copies


def test_shares_without_sense_are_refused(shelf: Shelf) -> None:
    for shares in ({}, {2: 0.0}, {2: 1.5}, {2: 0.6, 3: 0.6}):
        with pytest.raises(Refused, match="shares lie above 0 and are 1 at most"):
            do(shelf, do="weights", shares=shares)
    with pytest.raises(Conflict, match="version 1 of late is in production"):
        do(shelf, do="weights", shares={1: 0.5})


@pytest.mark.parametrize(("to", "status"), [(2, "finished"), (3, "stopped")])
def test_production_that_moves_ends_what_was_compared_with_it_in_the_same_transaction(
    shelf: Shelf, to: int, status: str
) -> None:
    do(shelf, do="canary", version=2)
    do(shelf, do="shadow", version=3)
    moved = shelf.promote(to, override=True, reason="now")
    with shelf.record.read() as session:
        (row,) = comparisons.of_model(session, "late")
        assert (row.status, row.reason, row.ended_by) == (status, f"version {to} was promoted, by anna", "anna")
        assert comparisons.of_model(session, "late")[0].ended_at == row.ended_at
        assert (shadows.current(session, "late") is None) == (to == 3)
    assert row.ended_at is not None
    assert moved.at.timestamp() * 1e6 == pytest.approx(row.ended_at)
    assert [arm.version for arm in route(shelf).arms] == [to]


class Traffic(RuleBasedStateMachine):
    """Whatever operators do in whatever order."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        self.treated: tuple[int | None, set[str]] = (None, set())

    @initialize()
    def shelve(self) -> None:
        self.shelf = Shelf(Home(Path(self._folder.name)))
        for digest in "abc":
            self.shelf.version(digest=digest * 64)
        self.shelf.promote(1)

    def teardown(self) -> None:
        self.shelf.record.close()
        self._folder.cleanup()

    def attempt(self, **asked: object) -> None:
        try:
            do(self.shelf, **asked)
        except (Conflict, Refused, GateRefused):
            return

    @rule(version=st.integers(1, 3), share=st.sampled_from([0.01, 0.1, 0.5, 1.0]))
    def weigh(self, version: int, share: float) -> None:
        self.attempt(do="weights", shares={version: share}, override=True, reason="t")

    @rule(version=st.integers(1, 3))
    def canary(self, version: int) -> None:
        self.attempt(do="canary", version=version, override=True, reason="t")

    @rule(version=st.integers(1, 3))
    def shadow(self, version: int) -> None:
        self.attempt(do="shadow", version=version)

    @rule(what=st.sampled_from(["stop", "lift"]))
    def end(self, what: str) -> None:
        self.attempt(do=what)

    @rule(version=st.integers(1, 3))
    def promote(self, version: int) -> None:
        try:
            self.shelf.promote(version, override=True, reason="t")
        except Conflict:
            return

    @precondition(lambda self: hasattr(self, "shelf"))
    @invariant()
    def what_is_served_is_what_the_record_says_and_nobody_lost_a_treatment(self) -> None:
        row, found = running(self.shelf), route(self.shelf)
        assert found.arms[0].version == self.shelf.production()
        assert found.comparison == (row.id if row is not None else None)
        if row is not None:
            assert row.control == self.shelf.production()
        if found.shadow is not None:
            assert found.shadow.version not in {arm.version for arm in found.arms}
        assert sum(arm.weight for arm in found.arms) == pytest.approx(1.0)
        split = split_of(found)
        treated = {unit for unit in UNITS if assigned(split, unit) != split.control}
        if self.treated[0] == found.comparison:
            assert self.treated[1] <= treated
        self.treated = found.comparison, treated


TestTraffic = pytest.mark.slow(Traffic.TestCase)
TestTraffic.settings = settings(max_examples=15, stateful_step_count=12, deadline=None)
