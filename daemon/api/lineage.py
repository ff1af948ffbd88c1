"""`…/lineage` of a version, a dataset and a run: the graph from source rows to what serves."""

from __future__ import annotations

from daemon.api.data import find_table
from daemon.api.part import part
from daemon.api.shed import Here, Name, Number, RunId, Shed
from store import lineage
from store.wire import LineageView

router = part("lineage")


@router.get("/models/{model}/versions/{version}/lineage")
def of_version(shed: Here, model: Name, version: Number) -> LineageView:
    """Its training set, the tables and sources behind it, the runs that made them, and where it serves or served."""
    with shed.daemon.record.read() as session:
        return lineage.of_version(session, model, version, _sources(shed))


@router.get("/datasets/{name}/lineage")
def of_dataset(shed: Here, name: Name, version: int | None = None) -> LineageView:
    """What a version (or the newest) of a dataset or feature view was made from, and what was made from it."""
    find_table(shed.daemon.project, name)
    with shed.daemon.record.read() as session:
        return lineage.of_dataset(session, name, version, _sources(shed))


@router.get("/runs/{run}/lineage")
def of_run(shed: Here, run: RunId) -> LineageView:
    """What a run made, from what, and what came of it."""
    with shed.daemon.record.read() as session:
        return lineage.of_run(session, run, _sources(shed))


def _sources(shed: Shed) -> dict[str, str]:
    """Dataset → source, by the project file as it is now."""
    datasets = shed.daemon.project.datasets
    return {name: dataset.source for name, dataset in datasets.items() if dataset.source is not None}
