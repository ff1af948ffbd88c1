"""Old runs as the record knows them: pages of facts for `store.retention`, by indexes, the same cost at any size."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import text
from sqlmodel import Session

from store.needed import needed_runs
from store.retention import OldRun, Policy, Verdict, decide
from store.words import ENDED, GOOD

PAGE: Final = 500


class Place(NamedTuple):
    """Where a page ended."""

    ended_at: int
    run: int


START: Final = Place(-1, -1)
_ENDED: Final = ", ".join(f"'{state}'" for state in sorted(ENDED))
_GOOD: Final = ", ".join(f"'{state}'" for state in sorted(GOOD))
_OLD: Final = text(
    "SELECT ended_at, id FROM run INDEXED BY run_ended WHERE ended_at < :before AND (ended_at, id) > (:at, :run) "
    f"AND state IN ({_ENDED}) ORDER BY ended_at, id LIMIT :most"
)
_ROWS: Final = text(
    f"SELECT id, job, CASE WHEN state IN ({_ENDED}) THEN ended_at END FROM run "
    "WHERE id IN (SELECT value FROM json_each(:runs)) ORDER BY ended_at, id"
)
_FLOOR: Final = text("SELECT id FROM run INDEXED BY run_job WHERE job = :job ORDER BY id DESC LIMIT 1 OFFSET :before")


def _of(query: str) -> Any:
    """`asked` are the runs of the page."""
    return text("WITH asked AS MATERIALIZED (SELECT value AS id FROM json_each(:runs)) " + query)


# A success counts before a run that found nothing to do, and one whose inputs are known before one whose are not: of
# each kind the last one stays. Found at once, as a rule: the next good run is the next row of the index.
_NO_BETTER: Final = (
    "NOT EXISTS (SELECT 1 FROM run AS newer INDEXED BY {index} WHERE newer.{same} = run.{same} AND newer.id > run.id "
    f"AND newer.state IN ({_GOOD}) AND (newer.state = 'succeeded' OR newer.state = run.state) "
    "AND (newer.fingerprint <> '' OR run.fingerprint = '') AND newer.trigger IN (run.trigger, {trigger}))"
)
_LAST_GOOD: Final = _of(
    "SELECT run.id, run.job FROM asked CROSS JOIN run ON run.id = asked.id "
    f"WHERE run.state IN ({_GOOD}) AND {_NO_BETTER.format(index='run_job', same='job', trigger='newer.trigger')}"
)
_LAST_GOOD_OF_SCHEDULE: Final = _of(
    "SELECT run.id, 'schedule ' || run.schedule FROM asked CROSS JOIN run ON run.id = asked.id "
    f"WHERE run.schedule IS NOT NULL AND run.state IN ({_GOOD}) "
    f"AND {_NO_BETTER.format(index='run_schedule', same='schedule', trigger='run.trigger')}"
)
_LAST_OF_SCHEDULE: Final = _of(
    "SELECT run.id, run.schedule FROM asked CROSS JOIN run ON run.id = asked.id WHERE run.schedule IS NOT NULL "
    "AND NOT EXISTS (SELECT 1 FROM run AS newer WHERE newer.schedule = run.schedule "
    "AND newer.scheduled_for > run.scheduled_for)"
)
_DUE_AGAIN: Final = _of(
    "SELECT run.id, schedule.name FROM asked CROSS JOIN run ON run.id = asked.id "
    "CROSS JOIN schedule ON schedule.name = run.schedule AND run.scheduled_for >= schedule.next_at"
)
_VERSIONS: Final = _of(
    "SELECT asked.id, model || ' ' || number FROM asked CROSS JOIN model_version ON model_version.run = asked.id"
)
_NEWEST_DATA: Final = _of(
    "SELECT asked.id, v.dataset || '@' || v.version FROM asked CROSS JOIN dataset_version AS v ON v.run = asked.id "
    "WHERE NOT EXISTS (SELECT 1 FROM dataset_version AS n WHERE n.dataset = v.dataset AND n.version > v.version)"
)
_WAITED_FOR: Final = _of(
    "SELECT asked.id, min(waits.id) FROM asked CROSS JOIN run_dependency AS d ON d.on_run = asked.id "
    f"CROSS JOIN run AS waits ON waits.id = d.run WHERE waits.state NOT IN ({_ENDED}) GROUP BY asked.id"
)
_ASKED_FOR: Final = _of(
    "SELECT asked.id, run.id FROM asked CROSS JOIN drift_report AS r ON r.run = asked.id "
    "CROSS JOIN run ON run.id = json_extract(r.body, '$.retrain.run')"
)
_ALERTS: Final = _of(
    "SELECT asked.id, alert.id FROM alert CROSS JOIN drift_report AS r ON r.id = alert.report "
    "CROSS JOIN asked ON asked.id = r.run WHERE alert.state <> 'resolved'"
)
_LAST_REPORT: Final = _of(
    "SELECT asked.id, r.monitor FROM asked CROSS JOIN drift_report AS r ON r.run = asked.id "
    "WHERE NOT EXISTS (SELECT 1 FROM drift_report AS n WHERE n.monitor = r.monitor AND n.id > r.id)"
)
_LAST_CHECKS: Final = _of(
    "SELECT asked.id, c.dataset FROM asked CROSS JOIN check_result AS c ON c.run = asked.id "
    "WHERE NOT EXISTS (SELECT 1 FROM check_result AS n WHERE n.dataset = c.dataset AND n.id > c.id)"
)
_MEMBERS: Final = _of('SELECT asked.id, run.id FROM asked CROSS JOIN run ON run."group" = asked.id ORDER BY run.id')


def pages(session: Session, policy: Policy, now: int) -> Iterator[list[Verdict]]:
    """What becomes of all runs that are old enough to be thought of, the oldest first."""
    needed, gone, place = needed_runs(session), set[int](), START
    while (found := page(session, policy, now, place)) is not None:
        place, runs = found
        verdicts = decide(facts(session, runs, policy, needed), policy, now, gone)
        gone |= {verdict.run for verdict in verdicts if verdict.goes}
        yield verdicts


def page(session: Session, policy: Policy, now: int, start: Place = START) -> tuple[Place, list[int]] | None:
    """The next runs that are old enough to be thought of, the oldest first; None: there are no more."""
    if policy.shortest is None:
        return None
    asked = {"before": now - policy.shortest, "at": start.ended_at, "run": start.run, "most": PAGE}
    found = session.connection().execute(_OLD, asked).all()
    return (Place(*found[-1]), [run for _, run in found]) if found else None


def going(session: Session, runs: Sequence[int], policy: Policy, now: int) -> list[int]:
    """Those of these runs that go."""
    return [one.run for one in decide(facts(session, runs, policy, needed_runs(session)), policy, now) if one.goes]


def facts(session: Session, runs: Sequence[int], policy: Policy, needed: Mapping[int, str]) -> list[OldRun]:
    """Of those of these runs that are there. `needed`: `needed_runs`."""
    connection, asked = session.connection(), {"runs": json.dumps(list(runs))}

    def one(query: Any) -> dict[int, Any]:
        return {row[0]: row[1] for row in connection.execute(query, asked)}

    rows = connection.execute(_ROWS, asked).all()
    floors = {job: _floor(session, job, policy.newest) for job in {job for _, job, _ in rows}}
    last_good, last_of_schedule = one(_LAST_GOOD), one(_LAST_OF_SCHEDULE)
    last_good_of_schedule, due_again = one(_LAST_GOOD_OF_SCHEDULE), one(_DUE_AGAIN)
    versions, newest_data, waited_for = one(_VERSIONS), one(_NEWEST_DATA), one(_WAITED_FOR)
    asked_for, open_alerts, last_report = one(_ASKED_FOR), one(_ALERTS), one(_LAST_REPORT)
    last_checks = one(_LAST_CHECKS)
    members: dict[int, list[int]] = {}
    for run, member in connection.execute(_MEMBERS, asked):
        members.setdefault(run, []).append(member)
    return [
        OldRun(
            id=run,
            job=job,
            ended_at=ended_at,
            newest=run >= floors[job],
            last_good=tuple(said[run] for said in (last_good, last_good_of_schedule) if run in said),
            last_of_schedule=last_of_schedule.get(run, ""),
            due_again=due_again.get(run, ""),
            version=versions.get(run, ""),
            newest_of=newest_data.get(run, ""),
            lineage=needed.get(run, ""),
            waited_for_by=waited_for.get(run),
            asked_for=asked_for.get(run),
            alert=open_alerts.get(run),
            last_report_of=last_report.get(run, ""),
            last_checks_of=last_checks.get(run, ""),
            members=tuple(members.get(run, ())),
        )
        for run, job, ended_at in rows
    ]


def _floor(session: Session, job: str, newest: int) -> int:
    """The oldest of the newest runs of a job."""
    found = session.connection().execute(_FLOOR, {"job": job, "before": newest - 1}).scalar()
    return 0 if found is None else int(found)
