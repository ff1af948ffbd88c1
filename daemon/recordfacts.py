"""What a worker needs to know of the record, looked up when its order is written."""

from __future__ import annotations

from sqlmodel import Session

from daemon.watchfacts import watch_facts
from pipeline.config import Project
from pipeline.process.spec import ProductionFacts, RecordFacts
from store import runs, versions
from store.errors import Refused
from store.queue import get_run
from store.tables import ModelVersion, Run
from store.times import from_us
from store.words import PRODUCTION


def record_facts(session: Session, run: Run, project: Project) -> RecordFacts:
    """Raises NotFound when a run is to judge, or to ask, a version that is not there; Refused when it names none."""
    last = runs.last_good(session, run.job)
    live = versions.live(session, run.target, PRODUCTION) if run.kind in ("train", "evaluate") else None
    return RecordFacts(
        production=_facts(live) if live is not None else None,
        last_fingerprint=last.fingerprint if last is not None else "",
        last_run=last.id if last is not None else None,
        evaluate=_facts(_asked_version(session, run)) if run.kind == "evaluate" else None,
        predict=_predicting(session, run, project),
        monitor=watch_facts(session, run.target, project) if run.kind == "monitor" else None,
        scheduled_for=from_us(_slot(session, run)),
    )


def _slot(session: Session, run: Run) -> int | None:
    """Only the job that a schedule names has it in its row; what runs for it first is of the same time."""
    if run.scheduled_for is not None or run.group is None:
        return run.scheduled_for
    return get_run(session, run.group).scheduled_for


def _predicting(session: Session, run: Run, project: Project) -> ProductionFacts | None:
    section = project.predictions.get(run.target) if run.kind == "batch-predict" else None
    if section is None:
        return None
    if section.version is not None:
        return _facts(versions.get_version(session, section.model, section.version))
    live = versions.live(session, section.model, section.alias)
    return None if live is None else _facts(live)


def _asked_version(session: Session, run: Run) -> ModelVersion:
    """The version that `params.version` names, else the newest."""
    asked = run.params.get("version")
    if asked is None:
        newest = versions.list_versions(session, run.target, limit=1).items
        asked = newest[0].version if newest else 1
    if not str(asked).isdecimal():
        raise Refused(
            f"{asked!r} is no version's number", where="params.version", remedy=f"see `trainshed versions {run.target}`"
        )
    return versions.get_version(session, run.target, int(asked))


def _facts(version: ModelVersion) -> ProductionFacts:
    return ProductionFacts(version=version.number, digest=version.digest)
