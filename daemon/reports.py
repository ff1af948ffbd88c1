"""What follows from a monitor's report: alerts, and a training if its rule says so.

All in the transaction that stores it, so exactly once with it, whoever dies: killed before the commit nothing has
happened, and the spool is read again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, cast

from sqlalchemy import func
from sqlmodel import Session, col, select

from daemon.orders import Order, new_runs
from pipeline.config import Project
from pipeline.config.jobs import Job
from pipeline.config.monitors import RetrainSection
from pipeline.config.watched import monitors_of
from pipeline.watching.rules import Decision, Facts, Reported, Rule, Trained, decide
from store import alerts, events, queue, results, versions, watching
from store.engine import Transaction
from store.facts import ReportFacts
from store.findings import Covered, Finding
from store.oldwindows import REPORT
from store.tables import DriftReport, Run
from store.times import from_us
from store.words import ACTIVE, PRODUCTION

_REMEMBERED: Final = 100
"""Reports that a rule reads."""


class Reports:
    """Takes reports out of spools. For the threads that read them, one report at a time."""

    def __init__(self, project: Callable[[], Project], jobs: Callable[[], Mapping[str, Job]]) -> None:
        self._project = project
        self._jobs = jobs

    def take(self, tx: Transaction, run: int, facts: ReportFacts) -> None:
        """Told again by a later attempt of the run, the first one stays."""
        row = watching.put_report(tx, run, facts)
        if row is None:
            return
        found = [Finding(**one) for one in facts.findings]
        source, policy = source_of(facts.monitor), self._project().alerts.policy
        covered = cast(Covered, facts.covered)
        alerts.observe(tx, source, found, tx.now, row.id, covered=covered, policy=policy)
        self._follow_rule(tx, row)

    def _follow_rule(self, tx: Transaction, report: DriftReport) -> None:
        section = monitors_of(self._project()).get(report.monitor)
        if section is None or section.retrain is None or not report.model:
            return
        decision = self._decided(tx, report, section.retrain)
        trained = self._train(tx, report) if decision.do == "retrain" else None
        told = {"do": decision.do, "reason": decision.reason, "run": trained}
        report.body = {**report.body, "retrain": told}
        tx.session.add(report)
        tx.session.flush()

    def _decided(self, tx: Transaction, report: DriftReport, section: RetrainSection) -> Decision:
        live = versions.live(tx.session, report.model, PRODUCTION)
        if live is None or live.number != report.version:
            now = "none" if live is None else f"version {live.number}"
            return Decision(do="nothing", reason=f"report of version {report.version}, and {now} is in production")
        if f"train:{report.model}" not in self._jobs():
            return Decision(do="nothing", reason=f"the project has no model {report.model} any more")
        known = Facts(
            reports=_reports(tx.session, report),
            trained=_trained(tx.session, report),
            busy=_busy(tx.session, report.model),
        )
        return decide(rule_of(section), known, from_us(tx.now))

    def _train(self, tx: Transaction, report: DriftReport) -> int:
        order = Order(job=f"train:{report.model}", trigger="rule", actor=source_of(report.monitor), upstream=True)
        run = queue.submit(tx, new_runs(self._jobs(), order))[-1]
        tx.finish()
        results.put_params(tx, run, {REPORT: report.id})
        events.append(
            tx,
            actor=source_of(report.monitor),
            kind="monitor.retrain",
            subject=f"monitor {report.monitor}",
            message=f"monitor {report.monitor} has {report.model} trained again as run {run}, by report {report.id}",
            data={"report": report.id, "run": run},
        )
        return run


def source_of(monitor: str) -> str:
    """As alerts and runs name who looks."""
    return f"monitor:{monitor}"


def rule_of(section: RetrainSection) -> Rule:
    return Rule(
        on=tuple(section.on),
        reports=section.reports,
        cool_down=section.cool_down,
        budget=section.budget,
        per=section.per,
        then=section.then,
    )


def _reports(session: Session, newest: DriftReport) -> list[Reported]:
    """Of the version that is in production, oldest first; of those over the same windows the newest."""
    of = (DriftReport.monitor == newest.monitor, DriftReport.version == newest.version)
    each = select(func.max(DriftReport.id)).where(*of).group_by(col(DriftReport.until))
    columns = (col(DriftReport.id), col(DriftReport.until), col(DriftReport.state), col(DriftReport.findings))
    query = select(*columns).where(col(DriftReport.id).in_(each)).order_by(col(DriftReport.id).desc())
    return [
        Reported(
            id=number or 0,
            until=from_us(until),
            said=state != "not yet" or bool(findings),
            findings=[(one["kind"], one["title"]) for one in findings],
        )
        for number, until, state, findings in reversed(session.exec(query.limit(_REMEMBERED)).all())
    ]


def _trained(session: Session, report: DriftReport) -> list[Trained]:
    query = select(Run.id, Run.created_at).where(
        Run.job == f"train:{report.model}", Run.trigger == "rule", Run.actor == source_of(report.monitor)
    )
    return [Trained(run=run or 0, at=from_us(at)) for run, at in session.exec(query)]


def _busy(session: Session, model: str) -> str:
    states = {"queued", *ACTIVE}
    query = select(Run).where(Run.job == f"train:{model}", col(Run.state).in_(states)).order_by(col(Run.id)).limit(1)
    run = session.exec(query).first()
    return "" if run is None else f"run {run.id} trains it already ({run.state})"
