"""The graph from source rows to the aliases that serve, built from rows of the record, nearest first and bounded."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from typing import Final, Literal

from sqlmodel import Session, col, select

from store import aliases
from store.datasets import newest_row, version_row
from store.queue import get_run
from store.tables import DatasetInput, DatasetVersion, ModelVersion, Run, RunDependency, TrainingInput, TrainingSet
from store.times import from_us
from store.versions import get_version
from store.wire import LineageEdge, LineageNode, LineageView

MOST: Final = 200
"""Nodes in one graph."""
_BRANCHES: Final = 50
"""Things made from one thing, the newest."""
_MODEL: Final = "model:"
"""Before the name of a model, in the inputs of a dataset that it predicted."""
_VIEW: Final = "features:"
"""Before the name of a feature view, in the inputs of a training set, and of a dataset that was predicted."""
Sources = Mapping[str, str]
"""Dataset → the source whose rows it holds, by the project file."""
Step = Literal["up", "down"]


def of_version(session: Session, model: str, number: int, sources: Sources) -> LineageView:
    """Raises NotFound."""
    graph = _Graph(session, sources)
    return graph.around(graph.version(get_version(session, model, number)))


def of_dataset(session: Session, name: str, version: int | None, sources: Sources) -> LineageView:
    """Of a version, or of the newest one. Raises NotFound."""
    graph = _Graph(session, sources)
    row = newest_row(session, name) if version is None else version_row(session, name, version)
    return graph.around(graph.dataset(row))


def of_run(session: Session, run: int, sources: Sources) -> LineageView:
    """What it made, and what that was made from. Raises NotFound."""
    graph = _Graph(session, sources)
    return graph.around(graph.run(get_run(session, run)))


class _Graph:
    """While it is built. A node is expanded once in each direction."""

    def __init__(self, session: Session, sources: Sources) -> None:
        self._session = session
        self._sources = sources
        self._nodes: dict[str, LineageNode] = {}
        self._edges: dict[tuple[str, str], LineageEdge] = {}
        self._ahead: deque[tuple[Step, Callable[[Step], None]]] = deque()
        self._seen: set[tuple[Step, str]] = set()

    def around(self, root: str) -> LineageView:
        """Both ways from the root that was put in; what is nearest comes first."""
        while self._ahead and len(self._nodes) < MOST:
            step, expand = self._ahead.popleft()
            expand(step)
        return LineageView(
            root=root, nodes=list(self._nodes.values()), edges=list(self._edges.values()), complete=not self._ahead
        )

    # ---------------------------------------------------------------------------------------------------- nodes

    def dataset(self, row: DatasetVersion, *steps: Step) -> str:
        detail = f"{row.rows:,} rows" + (f", {row.quarantined:,} in quarantine" if row.quarantined else "")
        node = LineageNode(
            id=f"{row.dataset}@{row.version}",
            kind="feature view" if row.kind == "feature view" else "dataset",
            name=row.dataset,
            number=row.version,
            detail=detail,
            at=from_us(row.created_at),
            state="",
        )
        return self._put(node, lambda step: self._from_dataset(row, step), steps)

    def version(self, row: ModelVersion, *steps: Step) -> str:
        score = row.metrics.get(row.objective, {}).get("value")
        node = LineageNode(
            id=f"{row.model} {row.number}",
            kind="version",
            name=row.model,
            number=row.number,
            detail=row.objective if score is None else f"{row.objective} {score:.4g}",
            at=from_us(row.created_at),
            state="",
        )
        return self._put(node, lambda step: self._from_version(row, step), steps)

    def run(self, row: Run, *steps: Step) -> str:
        assert row.id is not None
        node = LineageNode(
            id=f"run {row.id}",
            kind="run",
            name=row.job,
            number=row.id,
            detail=row.reason or f"asked for by {row.actor}",
            at=from_us(row.ended_at or row.started_at or row.created_at),
            state=row.state,
        )
        return self._put(node, lambda step: self._from_run(row, step), steps)

    def _training_set(self, row: TrainingSet, *steps: Step) -> str:
        node = LineageNode(
            id=f"training set {row.digest[:12]}",
            kind="training set",
            name=row.model,
            number=None,
            detail=f"{row.rows:,} rows",
            at=from_us(row.created_at),
            state="",
        )
        return self._put(node, lambda step: self._from_training_set(row, step), steps)

    def _put(self, node: LineageNode, expand: Callable[[Step], None], steps: tuple[Step, ...]) -> str:
        """Adds it, to be expanded in these directions; a root goes both ways."""
        self._nodes.setdefault(node.id, node)
        for step in steps or ("up", "down"):
            if (step, node.id) not in self._seen:
                self._seen.add((step, node.id))
                self._ahead.append((step, expand))
        return node.id

    def _leaf(self, node: LineageNode) -> str:
        self._nodes.setdefault(node.id, node)
        return node.id

    # ---------------------------------------------------------------------------------------------------- edges

    def _join(self, start: str, end: str, kind: Literal["read", "made", "points at"]) -> None:
        self._edges.setdefault((start, end), LineageEdge(start=start, end=end, kind=kind))

    def _made_by(self, run: int, what: str) -> None:
        row = self._session.get(Run, run)
        if row is not None:
            # Its other results are not of this story, so it is not gone on from.
            self._seen |= {("up", f"run {run}"), ("down", f"run {run}")}
            self._join(self.run(row), what, "made")

    def _from_dataset(self, row: DatasetVersion, step: Step) -> None:
        own = f"{row.dataset}@{row.version}"
        if step == "up":
            self._made_by(row.run, own)
            for given in self._versions(row.inputs):
                self._join(self.dataset(given, "up"), own, "read")
            for asked in self._models(row.inputs):
                self._join(self.version(asked, "up"), own, "read")
            if row.dataset in self._sources:
                self._join(self._source(self._sources[row.dataset]), own, "read")
            return
        for made in self._datasets_from(row):
            self._join(own, self.dataset(made, "down"), "read")
            self._made_by(made.run, f"{made.dataset}@{made.version}")
        for used in self._training_sets_from(row):
            self._join(own, self._training_set(used, "down"), "read")

    def _from_training_set(self, row: TrainingSet, step: Step) -> None:
        own = f"training set {row.digest[:12]}"
        if step == "up":
            for given in self._versions(row.inputs):
                self._join(self.dataset(given, "up"), own, "read")
            return
        query = select(ModelVersion).where(ModelVersion.model == row.model, ModelVersion.training_set == row.digest)
        for made in self._session.exec(query.order_by(col(ModelVersion.number).desc()).limit(_BRANCHES)).all():
            self._join(own, self.version(made, "down"), "read")
            self._made_by(made.run, f"{made.model} {made.number}")

    def _from_version(self, row: ModelVersion, step: Step) -> None:
        own = f"{row.model} {row.number}"
        if step == "down":
            self._aliases(row, own)
            for made in self._datasets_with(f"{_MODEL}{row.model}", row.number):
                self._join(own, self.dataset(made, "down"), "read")
                self._made_by(made.run, f"{made.dataset}@{made.version}")
            return
        self._made_by(row.run, own)
        training_set = self._session.get(TrainingSet, row.training_set)
        if training_set is not None:
            self._join(self._training_set(training_set, "up"), own, "read")
            return
        for given in self._versions(row.lineage.get("inputs", {})):
            self._join(self.dataset(given, "up"), own, "read")

    def _from_run(self, row: Run, step: Step) -> None:
        own = f"run {row.id}"
        if step == "up":
            for other in self._waited_for(row):
                self._seen |= {("up", f"run {other.id}"), ("down", f"run {other.id}")}
                self._join(self.run(other), own, "read")
            return
        for made in self._session.exec(select(DatasetVersion).where(DatasetVersion.run == row.id)):
            self._join(own, self.dataset(made), "made")
        for version in self._session.exec(select(ModelVersion).where(ModelVersion.run == row.id)):
            self._join(own, self.version(version), "made")

    def _aliases(self, row: ModelVersion, own: str) -> None:
        """Every alias that points at it, or did."""
        now = {
            view.alias
            for view in aliases.current(self._session)
            if (view.model, view.version) == (row.model, row.number)
        }
        for move in aliases.of_version(self._session, row.model, row.number):  # the newest first, and that one is told
            if move.to_version != row.number:
                continue
            here = move.alias in now
            node = LineageNode(
                id=f"{move.alias} of {own}",
                kind="alias",
                name=move.alias,
                number=row.number,
                detail=f"put here by {move.actor}" + (f": {move.reason}" if move.reason else ""),
                at=move.at,
                state="now" if here else "before",
            )
            self._join(own, self._leaf(node), "points at")

    def _source(self, name: str) -> str:
        node = LineageNode(
            id=f"source {name}", kind="source", name=name, number=None, detail="raw data", at=None, state=""
        )
        return self._leaf(node)

    # ----------------------------------------------------------------------------------------------------- rows

    def _versions(self, inputs: Mapping[str, int]) -> Iterator[DatasetVersion]:
        for name, version in inputs.items():
            row = self._session.get(DatasetVersion, (name.removeprefix(_VIEW), version))
            if row is not None:
                yield row

    def _models(self, inputs: Mapping[str, int]) -> Iterator[ModelVersion]:
        for name, number in inputs.items():
            row = (
                self._session.get(ModelVersion, (name.removeprefix(_MODEL), number))
                if name.startswith(_MODEL)
                else None
            )
            if row is not None:
                yield row

    def _datasets_from(self, row: DatasetVersion) -> Iterator[DatasetVersion]:
        yield from self._datasets_with(row.dataset, row.version)
        if row.kind == "feature view":  # what was predicted names the views that it was looked up in
            yield from self._datasets_with(f"{_VIEW}{row.dataset}", row.version)

    def _datasets_with(self, given: str, version: int) -> Iterator[DatasetVersion]:
        made, read = DatasetVersion, DatasetInput
        query = select(made).join(read, (col(read.dataset) == made.dataset) & (col(read.version) == made.version))
        query = query.where(read.given == given, read.given_version == version)
        yield from self._session.exec(query.order_by(col(DatasetVersion.created_at).desc()).limit(_BRANCHES)).all()

    def _training_sets_from(self, row: DatasetVersion) -> Iterator[TrainingSet]:
        name = f"{_VIEW}{row.dataset}" if row.kind == "feature view" else row.dataset
        query = select(TrainingSet).join(TrainingInput, col(TrainingInput.digest) == TrainingSet.digest)
        query = query.where(TrainingInput.given == name, TrainingInput.given_version == row.version)
        yield from self._session.exec(query.order_by(col(TrainingSet.created_at).desc()).limit(_BRANCHES)).all()

    def _waited_for(self, row: Run) -> list[Run]:
        query = select(Run).join(RunDependency, col(RunDependency.on_run) == Run.id).where(RunDependency.run == row.id)
        return list(self._session.exec(query.order_by(col(Run.id))))
