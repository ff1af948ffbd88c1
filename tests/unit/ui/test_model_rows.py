"""How versions, evidence, gates, plans and lineage read, without a terminal."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from store.wire import AliasEventView, GateView, Interval, JudgedAgainst, ModelView, PlanView, VerdictView, VersionView
from store.wire.lineage import LineageNode, LineageView, NodeKind
from tui.rows import evidence, models, moves, plans, versions
from tui.rows.gates import gates, verdict
from tui.rows.lineage import Origin, branches, made_with, origins
from tui.rows.measures import chance, decimals, difference, interval, judged
from tui.rows.signature import signature
from tui.table import Frame
from tui.text import plain

T0 = datetime(2026, 6, 1, 12, tzinfo=UTC)
FRAME = Frame(T0 + timedelta(days=1), UTC)
WIDTH = Interval(value=0.0164, low=0.0123, high=0.0205)


def gate(outcome: Any = "pass", name: str = "gap", reason: str = "a gap of 1 %") -> GateView:
    return GateView(gate=name, outcome=outcome, reason=reason, value=0.01, limit=0.15)


def version(number: int = 1, *, judged_at: datetime = T0, outcome: Any = "pass", **fields: Any) -> VersionView:
    plain_fields: dict[str, Any] = {
        "model": "late",
        "version": number,
        "run": 10 + number,
        "digest": "d" * 64,
        "created_at": T0 + timedelta(hours=number),
        "objective": "auc",
        "metrics": {"auc": Interval(value=0.77, low=0.76, high=0.78)},
        "baseline": {"auc": 0.75},
        "verdict": VerdictView(passed=outcome != "fail", gates=[gate(outcome)], at=judged_at),
        "aliases": [],
        "rev": 1,
    }
    return VersionView(**{**plain_fields, **fields})


def move(id: int, to: int, before: int | None, hours: int, alias: str = "production", **fields: Any) -> AliasEventView:
    known: dict[str, Any] = {"action": "promote", "actor": "ann", "reason": "", "overridden": False}
    return AliasEventView(
        id=id,
        model="late",
        alias=alias,
        from_version=before,
        to_version=to,
        at=T0 + timedelta(hours=hours),
        **{**known, **fields},
    )


def plan(**fields: Any) -> PlanView:
    known: dict[str, Any] = {
        "model": "late",
        "alias": "production",
        "from_version": 1,
        "to_version": 2,
        "allowed": True,
        "needs_override": False,
        "gates": [gate()],
        "differences": [],
        "signature_changes": [],
        "effects": [],
        "warnings": [],
        "undo": "trainshed rollback late --to 1",
        "token": "t",
    }
    return PlanView(**{**known, **fields})


@pytest.mark.parametrize(
    ("width", "digits"), [(0.0166, 4), (0.5, 4), (0.00002, 6), (12.0, 1), (4_000.0, 0), (0.0, 4), (float("nan"), 4)]
)
def test_an_interval_decides_how_many_digits_its_value_deserves(width: float, digits: int) -> None:
    assert decimals(width) == digits


def test_an_interval_is_written_with_its_value() -> None:
    assert interval(Interval(value=0.7744, low=0.7655, high=0.783)) == "0.7744 [0.7655, 0.7830]"
    assert interval(None) == "-"
    assert difference(WIDTH) == "+0.0164 [+0.0123, +0.0205]"


@pytest.mark.parametrize(
    ("metric", "low", "high", "word"),
    [
        ("auc", 0.01, 0.02, "▲ better"),
        ("auc", -0.02, -0.01, "▼ worse"),
        ("auc", -0.01, 0.02, "≈ same"),
        ("log_loss", -0.02, -0.01, "▲ better"),
        ("rmse", 1.0, 2.0, "▼ worse"),
    ],
)
def test_a_difference_counts_only_when_its_whole_interval_is_on_one_side(
    metric: str, low: float, high: float, word: str
) -> None:
    assert judged(metric, Interval(value=(low + high) / 2, low=low, high=high)).text == word


def test_a_chance_is_written_as_people_read_it() -> None:
    assert [chance(None), chance(6e-15), chance(0.138)] == ["", "p < 0.0001", "p = 0.14"]


def test_a_verdict_names_what_failed_and_counts_what_warned() -> None:
    assert verdict(version()).text == "✔ pass"
    assert verdict(version(outcome="warn")).text == "✔ pass, 1 warn"
    assert verdict(version(outcome="fail")) == ("✘ gap", "bad")
    assert verdict(version(verdict=None)).text == "? not judged"


def test_gates_are_listed_the_worst_first_with_number_limit_and_reason() -> None:
    text = plain(gates([gate(), gate("fail", "slices", "origin = LGA is worse")])).splitlines()
    assert text[0].split() == ["✘", "fail", "slices", "0.01,", "limit", "0.15"]
    assert text[1].strip() == "origin = LGA is worse"


def test_production_is_told_by_glyph_and_word() -> None:
    assert versions.aliases(version(aliases=["champion", "production"])).text == "● live, champion"
    assert versions.aliases(version(aliases=["candidate"])).text == "candidate"


def test_a_version_stands_against_what_was_live_when_it_was_judged() -> None:
    found = version(2, judged_against=JudgedAgainst(version=1, difference=WIDTH, p_value=0.001))
    assert versions.against(found) == ("▲ +0.0164 [+0.0123, +0.0205]", "good")
    assert "auc against v1, live when it was judged" in plain(versions.facts(found, FRAME))
    assert versions.against(version()).text == "-"


def test_aliases_pointed_where_the_last_move_before_a_moment_put_them() -> None:
    history = [move(3, 1, 2, 6, action="rollback"), move(2, 2, 1, 4), move(1, 1, None, 2)]
    assert moves.pointing(history, None) == {"production": 1}
    assert moves.pointing(history, T0 + timedelta(hours=5)) == {"production": 2}
    assert moves.pointing(history, T0) == {}


def test_a_model_of_the_past_has_the_versions_and_the_production_of_then() -> None:
    known = [version(2), version(1)]
    history = [move(2, 2, 1, 4), move(1, 1, None, 3)]
    now = ModelView(name="late", task="binary", objective="auc", versions=2, latest=2, aliases={"production": 2}, rev=1)
    then = models.as_of(now, known, history, T0 + timedelta(hours=3, minutes=30))
    assert (then.versions, then.aliases) == (2, {"production": 1})
    assert then.production is not None
    assert models.live(then).text == "● v1"
    first = models.as_of(now, known, history, T0 + timedelta(hours=1, minutes=30))
    assert (first.versions, first.latest, first.production) == (1, 1, None)


def test_a_verdict_that_was_given_later_was_not_known_then() -> None:
    late = version(1, judged_at=T0 + timedelta(hours=9))
    (then,) = models.versions_as_of([late], [], T0 + timedelta(hours=2))
    assert then.verdict is None


def test_the_history_says_who_moved_what_and_that_it_was_against_the_gates() -> None:
    text = plain(moves.moves([move(1, 2, 1, 2, overridden=True, reason="it leaks")], FRAME))
    assert "↑ production v1 → v2 ann" in text
    assert "! against the gates" in text
    assert "it leaks" in text


def test_a_plan_says_only_what_there_is_to_say() -> None:
    text = plain(plans.plan(plan(warnings=["version 2 is older"])))
    assert text.startswith("production  v1 → v2")
    assert "mind" in text
    assert "callers would notice" not in text
    assert "undo  trainshed rollback late --to 1" in text


def test_a_plan_against_the_gates_says_so_before_anything_else() -> None:
    text = plain(plans.plan(plan(allowed=False, needs_override=True, gates=[gate("fail")])))
    assert text.splitlines()[2] == "✘ the gates refuse it: gap"
    assert "shown for ever" in text
    assert plans.refusal(plan(allowed=False, needs_override=True)) == ""
    assert plans.refusal(plan(allowed=False, warnings=["production is version 2 already"])).startswith("production is")


def test_evidence_that_is_missing_is_said_to_be_missing() -> None:
    assert plain(evidence.metrics({})) == "nothing was measured"
    assert "no learning curve" in plain(evidence.learning({}))
    assert "calibration is measured for classes only" in plain(evidence.calibration({"calibration": None}))
    assert "no slices are asked for" in plain(evidence.slices({}))
    assert "nothing to compare with" in plain(evidence.compared({}))


def test_a_curve_that_was_stopped_too_early_or_too_late_is_flagged() -> None:
    curve = {"steps": [1, 2], "train_loss": [0.5, None], "validation_loss": [0.6, 0.7], "best_step": 1, "budget": 2}
    early = {"curve": {"curve": curve, "share_of_budget": 0.99, "risen_after_best": 0.2}}
    text = plain(evidence.learning(early))
    assert "still getting better: train longer" in text
    assert "overfits after its best" in text
    assert "★ kept" in plain(evidence.curve_table(early))


def test_calibration_is_drawn_on_an_axis_and_judged_by_chance() -> None:
    bins = [{"rows": 10, "forecast": 0.0, "observed": 1.0}, {"rows": 10, "forecast": 0.5, "observed": 0.5}]
    facts = {"calibration": {"error": 0.05, "by_chance": 0.01, "brier": 0.1, "table": bins}}
    lines = plain(evidence.calibration(facts)).splitlines()
    assert "! more than chance explains" in lines[0]
    assert lines[3].endswith("○" + "·" * 34 + "●")
    assert "◉" in lines[4]


def test_a_slice_is_marked_only_where_it_is_worse_by_more_than_chance() -> None:
    def one(value: str, drop: float | None, adjusted: float | None) -> dict[str, Any]:
        return {"column": "x", "value": value, "rows": 5, "objective": 0.7, "drop": drop, "adjusted": adjusted}

    text = plain(evidence.slices({"slices": [one("a", 0.01, 0.5), one("b", 0.1, 0.01), one("c", None, None)]}))
    assert [("! worse" in row) for row in text.splitlines()[1:]] == [True, False, False]


def test_the_signature_names_columns_kinds_and_known_categories() -> None:
    inputs = [{"name": "dest", "kind": "categorical", "vocabulary": list("abcdefgh")}]
    text = plain(signature({"inputs": inputs, "task": "binary", "label": "late", "classes": [0, 1]}))
    assert "dest  categorical, 8 known: a, b, c, d, e, f …" in text
    assert "classes  0, 1" in text


def test_what_a_version_was_made_with_leaves_out_what_is_not_known() -> None:
    assert made_with({"device": {"platform": "cpu", "kind": "cpu"}}) == [("device", "cpu cpu")]


def test_a_branch_that_was_drawn_already_is_named_only() -> None:
    flights, a, b = (Origin(_node("dataset", name, 1)) for name in ("flights", "a", "b"))
    flights = replace(flights, sources=("api",))
    both = [replace(one, tables=(flights,)) for one in (a, b)]
    text = plain(branches(both, "", FRAME, set()))
    assert text.count("source api") == 1
    assert "flights@1  as above" in text


def test_the_tables_of_a_version_are_those_of_its_training_set_down_to_the_sources() -> None:
    nodes = [
        _node("version", "late", 2),
        _node("training set", "late", None),
        _node("dataset", "flights", 1),
        _node("feature view", "habits", 1),
        _node("source", "api", None),
        _node("run", "etl:flights", 4),
    ]
    ways = [("training set late", "late 2"), ("flights@1", "training set late"), ("habits@1", "training set late")]
    ways += [("flights@1", "habits@1"), ("source api", "flights@1"), ("run 4", "flights@1"), ("late 2", "x of late 2")]
    view = LineageView.model_validate(
        {
            "root": "late 2",
            "nodes": nodes,
            "edges": [{"start": start, "end": end, "kind": "read"} for start, end in ways],
            "complete": True,
        }
    )
    flights, habits = origins(view)
    assert (flights.node.id, flights.run, flights.sources, flights.tables) == ("flights@1", 4, ("api",), ())
    assert (habits.node.id, habits.run, habits.tables) == ("habits@1", None, (flights,))
    assert "habits@1  feature view  3 rows, " in plain(branches([habits], "", FRAME, set()))


def _node(kind: NodeKind, name: str, number: int | None) -> LineageNode:
    ids = {"run": f"run {number}", "source": f"source {name}", "version": f"{name} {number}"}
    id = ids.get(kind, f"{name}@{number}" if number is not None else f"{kind} {name}")
    return LineageNode(id=id, kind=kind, name=name, number=number, detail="3 rows", at=T0, state="")
