"""`/v1/experiments`: what is asked of live traffic, where it stands, and how that came about.

They are begun and stopped as other changes of traffic are: `/v1/models/MODEL/traffic`.
"""

from __future__ import annotations

from sqlmodel import Session

from daemon.api.part import part
from daemon.api.shed import Here, Name, Shed
from daemon.experimentview import defined_view, experiment_view
from store import comparisons
from store.errors import NotFound
from store.wire import ExperimentView, Page

router = part("experiments")


@router.get("/experiments")
def list_experiments(shed: Here) -> Page[ExperimentView]:
    """The last of each name, newest first, then those of the project file that never ran."""
    known = shed.daemon.project.experiments
    with shed.daemon.record.read() as session:
        rows = comparisons.experiments(session)
    ran = [experiment_view(row, defined=row.name in known, looks=False) for row in rows]
    names = {row.name for row in rows}
    return Page(items=[*ran, *(defined_view(name, one) for name, one in known.items() if name not in names)])


@router.get("/experiments/{name}")
def show(shed: Here, name: Name) -> ExperimentView:
    """As the last look found it."""
    with shed.daemon.record.read() as session:
        return _view(shed, session, name)


@router.post("/experiments/{name}/look")
def look(shed: Here, name: Name) -> ExperimentView:
    """Looks at it now, as the daemon does every five minutes: what that decides is done. One that has ended stays."""
    with shed.daemon.record.read() as session:
        rows = comparisons.of_name(session, name)
    if rows and rows[0].status == "running":
        shed.daemon.experiments.look(rows[0].id or 0)
    with shed.daemon.record.read() as session:
        return _view(shed, session, name)


def _view(shed: Shed, session: Session, name: str) -> ExperimentView:
    """Raises NotFound."""
    known, rows = shed.daemon.project.experiments, comparisons.of_name(session, name)
    if rows:
        problem = shed.daemon.experiments.problem(rows[0].id or 0)
        return experiment_view(rows[0], defined=name in known, looks=True, problem=problem)
    if name in known:
        return defined_view(name, known[name])
    raise NotFound(
        f"there is no experiment {name!r}",
        where="experiments",
        remedy="`trainshed experiment list` shows those that there are",
    )
