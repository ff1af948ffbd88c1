"""Versions and aliases over a real record: numbers, moves, refusals, and what is told to whom."""

from __future__ import annotations

import threading
from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import select

from store import aliases, registry, versions
from store.errors import Conflict, GateRefused, NotFound
from store.home import Home
from store.tables import Event
from store.times import to_us
from store.wire import AliasEventView
from tests.unit.registry.shelf import FAILING, START, Shelf, compared_with, facts


def test_versions_are_numbered_from_one_for_each_model(shelf: Shelf) -> None:
    assert [shelf.version(), shelf.version(), shelf.version(model="early")] == [1, 2, 1]


def test_a_run_told_twice_makes_one_version(shelf: Shelf) -> None:
    number = shelf.version()
    with shelf.record.transaction() as tx:
        assert registry.add_version(tx, facts(digest="e" * 64), 1) == number
        assert versions.get_version(tx.session, "late", number).digest == "d" * 64


def test_a_version_is_shown_with_its_intervals_verdict_and_aliases(shelf: Shelf) -> None:
    shelf.promote(shelf.version())
    with shelf.record.read() as session:
        view = versions.version_detail(session, "late", 1).version
    assert view.metrics["auc"].low == 0.76
    assert view.verdict is not None
    assert view.verdict.gates[0].limit == 0.15
    assert view.aliases == ["production"]


def test_a_version_is_shown_against_the_one_that_was_in_production_when_it_was_judged(shelf: Shelf) -> None:
    shelf.promote(shelf.version())
    shelf.version(evidence=compared_with(1))
    with shelf.record.read() as session:
        first, second = (versions.version_detail(session, "late", number).version for number in (1, 2))
    assert first.judged_against is None
    assert second.judged_against is not None
    assert (second.judged_against.version, second.judged_against.difference.low) == (1, 0.002)


def test_a_model_is_shown_with_the_version_in_production(shelf: Shelf) -> None:
    shelf.version()
    with shelf.record.read() as session:
        assert versions.model_view(session, "late").production is None
    shelf.promote(1)
    with shelf.record.read() as session:
        live = versions.model_view(session, "late").production
    assert live is not None
    assert (live.version, live.aliases) == (1, ["production"])


def test_the_list_of_versions_goes_newest_first_page_by_page(shelf: Shelf) -> None:
    for _ in range(5):
        shelf.version()
    with shelf.record.read() as session:
        first = versions.list_versions(session, "late", limit=3)
        rest = versions.list_versions(session, "late", limit=3, after=first.next)
    assert [view.version for view in first.items] == [5, 4, 3]
    assert [view.version for view in rest.items] == [2, 1]
    assert rest.next is None


def test_the_newest_version_of_each_model_is_found_at_once_with_its_aliases(shelf: Shelf) -> None:
    shelf.promote(shelf.version())
    shelf.version()
    shelf.version(model="early")
    with shelf.record.read() as session:
        pointing = aliases.parted(aliases.current(session))
        found = versions.newest(session, ["early", "never", "late"], pointing)
        (live,) = versions.newest(session, ["late"], {("late", 2): ["production"]})
        assert versions.newest(session, [], pointing) == []
    assert [(view.model, view.version, view.aliases) for view in found] == [("early", 1, []), ("late", 2, [])]
    assert live.aliases == ["production"]


def test_models_of_the_project_are_listed_before_they_have_a_version(shelf: Shelf) -> None:
    shelf.promote(shelf.version())
    with shelf.record.read() as session:
        early, late = versions.model_views(session, [("early", "binary", "auc"), ("late", "binary", "auc")])
    assert (early.versions, early.latest, early.aliases) == (0, None, {})
    assert (late.versions, late.latest, late.aliases) == (1, 1, {"production": 1})


def test_an_unknown_version_is_refused_with_the_newest_one_named(shelf: Shelf) -> None:
    with pytest.raises(NotFound, match="there is no version of late"):
        shelf.plan(1)
    shelf.version()
    with pytest.raises(NotFound, match="no version 7 of late; the newest is 1"):
        shelf.promote(7)


# ------------------------------------------------------------------------------------------------------- promote


def test_a_promotion_moves_the_alias_and_writes_who_and_why(shelf: Shelf) -> None:
    shelf.promote(shelf.version())
    moved = shelf.promote(shelf.version(), "berta", reason="better in July")
    assert (moved.from_version, moved.to_version, moved.actor, moved.reason) == (1, 2, "berta", "better in July")
    assert shelf.production() == 2
    with shelf.record.read() as session:
        line = session.exec(select(Event).where(Event.kind == "alias.promote")).all()[-1]
    assert line.message == "production of late promoted from 1 to 2 by berta: better in July"
    assert line.data["from"] == 1


def test_a_move_changes_the_revision_of_both_versions(shelf: Shelf) -> None:
    shelf.promote(shelf.version())
    shelf.version()
    before = shelf.record.revision
    shelf.promote(2)
    with shelf.record.read() as session:
        changed = versions.changed_versions(session, before, 100)
        assert [view.name for view in versions.changed_models(session, before)] == ["late"]
    assert {view.version: view.aliases for view in changed} == {1: [], 2: ["production"]}


def test_the_same_version_again_is_a_conflict_that_names_who_put_it_there(shelf: Shelf) -> None:
    shelf.promote(shelf.version(), "berta")
    with pytest.raises(Conflict, match=r"is version 1 already since 2026-01-01 14:\d\d:00 UTC, by berta"):
        shelf.promote(1)


def test_a_plan_made_before_somebody_elses_move_is_refused_naming_the_move(shelf: Shelf) -> None:
    shelf.promote(shelf.version())
    shelf.version()
    shelf.version()
    token = shelf.plan(2).token
    shelf.promote(3, "berta", reason="hotfix")
    with pytest.raises(Conflict, match=r"moved after the plan was made: berta put it at version 3 .*\(hotfix\)"):
        shelf.promote(2, token=token)
    assert shelf.production() == 3


def test_a_plan_made_before_a_new_verdict_is_refused_naming_the_verdict(shelf: Shelf) -> None:
    shelf.version()
    token = shelf.plan(1).token
    shelf.judged_again(1, {"production": None}, FAILING)
    with pytest.raises(Conflict, match="version 1 refused by gap now"):
        shelf.promote(1, token=token, override=True, reason="must")


def test_a_version_that_fails_a_gate_is_refused_with_the_gate_and_the_way_round_it(shelf: Shelf) -> None:
    with pytest.raises(GateRefused, match="gap: a gap of 40 %") as refused:
        shelf.promote(shelf.version(FAILING))
    assert '--override --reason "…"' in refused.value.remedy
    assert shelf.production() is None


def test_a_version_without_a_verdict_is_refused(shelf: Shelf) -> None:
    with pytest.raises(GateRefused, match="it was never judged"):
        shelf.promote(shelf.version({}))


def test_an_override_needs_a_reason_and_is_recorded_for_ever(shelf: Shelf) -> None:
    shelf.version(FAILING)
    with pytest.raises(GateRefused, match="needs a reason"):
        shelf.promote(1, override=True, reason="  ")
    assert shelf.promote(1, override=True, reason="the old one leaks").overridden
    with shelf.record.read() as session:
        (move,) = aliases.history(session, "late").items
        row = aliases.last_move(session, "late", "production")
        assert row is not None
        assert row.gates[0]["outcome"] == "fail"
    assert (move.overridden, move.reason) == (True, "the old one leaks")


def test_a_passing_version_is_not_marked_as_overridden_even_if_asked(shelf: Shelf) -> None:
    assert not shelf.promote(shelf.version(), override=True, reason="to be sure").overridden


def test_an_alias_of_ones_own_needs_no_verdict(shelf: Shelf) -> None:
    shelf.version(FAILING)
    plan = shelf.plan(1, "candidate")
    assert plan.allowed
    assert plan.warnings == ["gap: a gap of 40 %"]
    assert not shelf.promote(1, alias="candidate").overridden


def test_two_promotions_at_once_have_one_winner_and_the_loser_is_told_who(tmp_path: Path) -> None:
    shelf = Shelf(Home(tmp_path))
    shelf.promote(shelf.version())
    shelf.version()
    shelf.version()
    tokens = {version: shelf.plan(version).token for version in (2, 3)}
    results: dict[int, AliasEventView | Conflict] = {}
    gate = threading.Barrier(2)

    def run(version: int) -> None:
        gate.wait()
        try:
            results[version] = shelf.promote(version, f"user{version}", token=tokens[version])
        except Conflict as error:
            results[version] = error

    threads = [threading.Thread(target=run, args=(version,)) for version in tokens]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (winner,) = [version for version, result in results.items() if isinstance(result, AliasEventView)]
    (loser,) = [result for result in results.values() if isinstance(result, Conflict)]
    assert f"user{winner} put it at version {winner}" in loser.what
    assert shelf.production() == winner
    shelf.record.close()


# ------------------------------------------------------------------------------------------------------ rollback


def test_a_rollback_goes_to_the_version_before_and_another_one_undoes_it(shelf: Shelf) -> None:
    for _ in range(3):
        shelf.promote(shelf.version())
    assert shelf.rollback(reason="complaints").to_version == 2
    assert shelf.rollback().to_version == 3
    assert shelf.rollback(to=1).to_version == 1
    assert shelf.production() == 1


def test_a_rollback_needs_no_new_verdict(shelf: Shelf) -> None:
    shelf.promote(shelf.version(FAILING), override=True, reason="only one there is")
    shelf.promote(shelf.version())
    moved = shelf.rollback()
    assert (moved.to_version, moved.overridden, moved.action) == (1, False, "rollback")


def test_a_rollback_to_a_version_that_was_never_live_is_refused(shelf: Shelf) -> None:
    shelf.promote(shelf.version())
    shelf.version()
    with pytest.raises(Conflict, match="version 2 of late has never been production"):
        shelf.rollback(to=2)
    with pytest.raises(NotFound):
        shelf.rollback(to=9)


def test_there_is_nothing_to_roll_back_to_without_a_history(shelf: Shelf) -> None:
    with pytest.raises(Conflict, match="has never pointed at a version"):
        shelf.rollback()
    shelf.promote(shelf.version())
    with pytest.raises(Conflict, match="has only ever pointed at version 1"):
        shelf.rollback()
    with pytest.raises(Conflict, match="is version 1 already"):
        shelf.rollback(to=1)


def test_a_rollback_from_a_screen_that_is_out_of_date_is_refused(shelf: Shelf) -> None:
    for _ in range(3):
        shelf.promote(shelf.version(), "berta")
    with pytest.raises(Conflict, match="not at version 2 any more: berta put it at version 3"):
        shelf.rollback(expected=2)
    assert shelf.rollback(expected=3).to_version == 2


def test_what_was_live_at_a_time_and_who_put_it_there_can_be_asked(shelf: Shelf) -> None:
    first = shelf.promote(shelf.version(), "anna")
    shelf.promote(shelf.version(), "berta")
    with shelf.record.read() as session:
        (then,) = aliases.current(session, at=to_us(first.at + timedelta(seconds=30)))
        assert (then.model, then.alias, then.version, then.actor) == ("late", "production", 1, "anna")
        assert aliases.current(session, at=to_us(START)) == []
