"""What follows from a report happens with it, once: alerts open and end, and a rule has a model trained again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from daemon.ingest import Place, ingest
from daemon.reports import Reports
from pipeline.config import Project
from pipeline.config.jobs import jobs_of
from pipeline.process.spool import Spool
from store import alerts, lifecycle, queue, results, versions, watching
from store.engine import Record
from store.facts import ReportFacts, VersionFacts
from store.home import Home
from store.oldwindows import REPORT
from store.tables import AliasEvent, Run
from store.times import system_clock

PROJECT: dict[str, Any] = {
    "project": {"name": "test"},
    "sources": {"raw": {"kind": "file", "path": "*.csv", "format": "csv"}},
    "datasets": {"flights": {"source": "raw"}},
    "models": {
        "late": {"task": "binary", "dataset": "flights", "label": "late", "key": ["flight"], "numeric": ["distance"]}
    },
    "monitors": {"watch": {"model": "late", "retrain": {"reports": 2, "cool_down": "1d"}}},
}
DRIFTED = {
    "kind": "drift",
    "subject": "distance",
    "severity": "warning",
    "title": "distance has drifted",
    "reason": "PSI 0.4 where 0.2 counts",
    "evidence": {"psi": 0.4},
    "suggestion": "look",
    "model": "late",
}


@dataclass
class Bench:
    """A record with a version in production, and reports that come by spools."""

    record: Record
    reports: Reports
    home: Home

    def tell(
        self,
        *findings: dict[str, Any],
        twice: bool = False,
        state: Any = "drifted",
        version: int = 1,
        until_us: int | None = None,
    ) -> int:
        """A run of the monitor with its report, over windows of its own unless `until_us` says when; its number."""
        new = queue.NewRun(job="monitor:watch", kind="monitor", target="watch", trigger="manual", actor="ann")
        with self.record.transaction() as tx:
            run = queue.submit(tx, [new])[0]
            lifecycle.start_attempt(tx, run, "n1")
        directory = self.home.attempt(run, 1)
        directory.root.mkdir(parents=True)
        spool = Spool(directory.events, lambda: 1000.0)
        facts = ReportFacts(
            monitor="watch",
            model="late",
            version=version,
            state=state,
            reason="why",
            until_us=run * 1_000_000 if until_us is None else until_us,
            rows=9,
            windows=3,
            findings=list(findings),
            covered={"drift": ["distance"]},
        )
        for _ in range(1 + twice):
            spool.facts("report", facts)
        place = Place(run=run, attempt=1, nonce="n1", offset=0, sequence=0)
        ingest(self.record, directory, place, self.reports.take)
        with self.record.transaction() as tx:
            lifecycle.settle(tx, run, "succeeded", reason="")
        return run

    def trainings(self) -> list[Run]:
        with self.record.read() as session:
            return list(session.exec(select(Run).where(Run.job == "train:late").order_by(Run.id)))  # type: ignore[arg-type]

    def retrain(self) -> Any:
        with self.record.read() as session:
            return watching.reports_page(session, "watch", limit=1).items[0].retrain

    def open_alerts(self) -> list[tuple[str, str, int | None]]:
        with self.record.read() as session:
            found = alerts.list_alerts(session, states=["open"]).items
        return [(one.source, one.subject, one.report) for one in found]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    home = Home(tmp_path)
    record = Record.open(home, system_clock)
    project = Project.model_validate(PROJECT)
    with record.transaction() as tx:
        for number in (1, 2):
            made = queue.submit(
                tx, [queue.NewRun(job="train:late", kind="train", target="late", trigger="manual", actor="ann")]
            )[0]
            tx.finish()
            versions.add_version(tx, facts_of(number), made)
            lifecycle.start_attempt(tx, made, "n1")
            lifecycle.settle(tx, made, "succeeded", reason="")
        tx.session.add(
            AliasEvent(model="late", alias="production", action="promote", to_version=1, actor="ann", created_at=tx.now)
        )
    yield Bench(record, Reports(lambda: project, lambda: jobs_of(project)), home)
    record.close()


def facts_of(number: int) -> VersionFacts:
    names = ("metrics", "baseline", "evidence", "signature", "lineage", "verdict")
    empty: dict[str, Any] = {name: {} for name in names}
    return VersionFacts(
        model="late",
        digest=f"d{number}",
        path="versions/d",
        task="binary",
        objective="auc",
        training_set="t",
        fingerprint=f"f{number}",
        **empty,
    )


def test_a_finding_opens_an_alert_with_the_report_and_a_look_without_it_ends_it(bench: Bench) -> None:
    bench.tell(DRIFTED)
    assert bench.open_alerts() == [("monitor:watch", "distance", 1)]
    bench.tell(DRIFTED)
    assert bench.open_alerts() == [("monitor:watch", "distance", 2)]
    bench.tell(state="steady")
    assert bench.open_alerts() == []


def test_a_report_told_twice_alarms_and_trains_once(bench: Bench) -> None:
    bench.tell(DRIFTED)
    bench.tell(DRIFTED, twice=True)
    assert len(bench.open_alerts()) == 1
    assert len(bench.trainings()) == 3


def test_enough_reports_have_the_model_trained_by_a_run_that_carries_the_report(bench: Bench) -> None:
    bench.tell(DRIFTED)
    assert bench.retrain().do == "nothing"
    assert len(bench.trainings()) == 2
    bench.tell(DRIFTED)
    run = bench.trainings()[-1]
    assert (run.trigger, run.actor, run.state) == ("rule", "monitor:watch", "queued")
    assert (bench.retrain().do, bench.retrain().run) == ("retrain", run.id)
    with bench.record.read() as session:
        assert results.params_of(session, run.id or 0) == {REPORT: 2}
        upstream = session.exec(select(Run).where(Run.job == "etl:flights")).all()
    assert [(one.trigger, one.group) for one in upstream] == [("upstream", run.id)]
    bench.tell(DRIFTED)
    assert len(bench.trainings()) == 3
    assert "trains it already" in bench.retrain().reason


def test_windows_that_are_told_again_as_labels_come_are_one_report(bench: Bench) -> None:
    for _ in range(3):
        bench.tell(DRIFTED, until_us=7)
    assert bench.retrain().reason.startswith("1 report in a row with drift")
    assert len(bench.trainings()) == 2
    bench.tell(DRIFTED, until_us=8)
    assert bench.retrain().do == "retrain"


def test_a_report_of_a_version_that_is_no_longer_in_production_trains_nothing(bench: Bench) -> None:
    bench.tell(DRIFTED, version=2)
    bench.tell(DRIFTED, version=2)
    assert len(bench.trainings()) == 2
    assert bench.retrain().reason == "report of version 2, and version 1 is in production"


def test_a_finding_that_is_none_is_passed_over_and_the_history_says_so(bench: Bench) -> None:
    bench.tell({**DRIFTED, "colour": "red"})
    assert bench.open_alerts() == []
    with bench.record.read() as session:
        assert watching.reports_page(session, "watch", limit=9).items == []
