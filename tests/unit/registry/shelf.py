"""A record with versions on it, and the few things that tests of the registry do to it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from pipeline.judging.plan import planned
from store import aliases, registry
from store.engine import Record
from store.facts import VersionFacts
from store.home import Home
from store.tables import Run
from store.wire import AliasEventView, PlanView, PromoteRequest, RollbackRequest

START = datetime(2026, 1, 1, 14, 0, tzinfo=UTC)
PASSING = {
    "passed": True,
    "gates": [{"gate": "gap", "outcome": "pass", "reason": "a gap of 1 %", "value": 0.01, "limit": 0.15}],
}
FAILING = {
    "passed": False,
    "gates": [{"gate": "gap", "outcome": "fail", "reason": "a gap of 40 %", "value": 0.4, "limit": 0.15}],
}


class Shelf:
    """A record, with the few things these tests do to it; every step is a minute later than the one before."""

    def __init__(self, home: Home) -> None:
        self._moment = START
        self.record = Record.open(home, self.now)

    def now(self) -> datetime:
        self._moment += timedelta(minutes=1)
        return self._moment

    def version(self, verdict: dict[str, Any] = PASSING, **changes: Any) -> int:
        with self.record.transaction() as tx:
            run = Run(job="train:late", kind="train", target="late", trigger="manual", actor="anna", created_at=tx.now)
            tx.session.add(run)
            tx.session.flush()
            assert run.id is not None
            return registry.add_version(tx, facts(verdict=verdict, **changes), run.id)

    def plan(self, version: int, alias: str = "production") -> PlanView:
        with self.record.read() as session:
            return planned(session, "late", version, alias)

    def promote(self, version: int, actor: str = "anna", **options: Any) -> AliasEventView:
        request = PromoteRequest(version=version, **options)
        with self.record.transaction() as tx:
            plan = planned(tx.session, "late", request.version, request.alias)
            return registry.promote(tx, "late", request, actor, plan)

    def rollback(self, actor: str = "anna", **options: Any) -> AliasEventView:
        with self.record.transaction() as tx:
            return registry.rollback(tx, "late", RollbackRequest(**options), actor)

    def judged_again(self, version: int, evidence: dict[str, Any], verdict: dict[str, Any]) -> None:
        with self.record.transaction() as tx:
            registry.set_verdict(tx, run=1, model="late", version=version, evidence=evidence, verdict=verdict)

    def production(self) -> int | None:
        with self.record.read() as session:
            move = aliases.last_move(session, "late", "production")
            return None if move is None else move.to_version


def facts(**changes: Any) -> VersionFacts:
    plain: dict[str, Any] = {
        "model": "late",
        "digest": "d" * 64,
        "path": "versions/" + "d" * 64,
        "task": "binary",
        "objective": "auc",
        "metrics": {"auc": {"value": 0.77, "low": 0.76, "high": 0.78, "level": 0.95}},
        "baseline": {"auc": 0.76},
        "evidence": {"production": None},
        "signature": {"inputs": [{"name": "hour", "kind": "numeric", "vocabulary": []}], "classes": ["no", "yes"]},
        "lineage": {"run": 1},
        "verdict": PASSING,
        "training_set": "t" * 64,
        "fingerprint": "f" * 64,
    }
    return VersionFacts(**{**plain, **changes})


def compared_with(version: int) -> dict[str, Any]:
    difference = {
        "metric": "auc",
        "difference": {"value": 0.01, "low": 0.002, "high": 0.018, "level": 0.95},
        "p_value": 0.01,
        "test": "DeLong",
        "rows": 5000,
    }
    return {"production": {"version": version, "metrics": {"auc": 0.76}, "differences": [difference]}}


BEATS_PRODUCTION = {
    "passed": True,
    "gates": [{"gate": "production", "outcome": "pass", "reason": "0.01 better", "value": 0.002, "limit": -0.005}],
}
