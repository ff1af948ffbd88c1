"""The graph from source rows to the aliases that serve."""

from __future__ import annotations

import re

import pytest
from sqlmodel import Session

from store import datasets, lineage, queue, registry, results
from store.engine import Record
from store.errors import NotFound
from store.facts import DatasetFacts, TrainingSetFacts, VersionFacts
from store.patience import driver_of
from store.queue import NewRun
from store.tables import AliasEvent
from store.wire import LineageView
from store.words import JobKind

SOURCES = {"raw": "airline"}


def test_a_version_that_is_told_again_with_other_inputs_hangs_on_those(shed: Record) -> None:
    facts = DatasetFacts(
        dataset="flights",
        kind="dataset",
        version=0,
        rows=10,
        added=10,
        bytes=1,
        columns=[],
        inputs={"raw": 1},
        fingerprint="f",
    )
    with shed.transaction() as tx:
        datasets.add_version(tx, 2, facts)
    with shed.read() as session:
        read = {(edge.start, edge.end) for edge in lineage.of_dataset(session, "raw", 1, SOURCES).edges}
        assert ("raw@1", "flights@0") in read
        left = {(edge.start, edge.end) for edge in lineage.of_dataset(session, "raw", 0, SOURCES).edges}
        assert ("raw@0", "flights@0") not in left


def test_what_was_made_from_a_version_is_found_without_reading_all_there_are(shed: Record) -> None:
    """Rows of versions are long, with a sample and statistics of each column; a year has tens of thousands of them."""
    asked: list[str] = []
    with shed.read() as session:
        driver = driver_of(session)
        driver.set_trace_callback(asked.append)
        lineage.of_dataset(session, "raw", 0, SOURCES)
        lineage.of_version(session, "late", 1, SOURCES)
        driver.set_trace_callback(None)
        steps = [row[3] for one in asked for row in driver.execute(f"EXPLAIN QUERY PLAN {one}")]
    assert any("dataset_input" in step for step in steps)
    assert not [step for step in steps if re.match(r"SCAN (dataset_version|model_version|training_set)\b", step)]


@pytest.fixture
def shed(record: Record) -> Record:
    """raw@0 → flights@0 and weather@0 (a view) → a training set → late 1, in production; raw@1 is not used yet."""
    for run, (name, kind, version, inputs) in enumerate(
        [
            ("raw", "dataset", 0, {}),
            ("flights", "dataset", 0, {"raw": 0}),
            ("delays", "feature view", 0, {"flights": 0}),
            ("raw", "dataset", 1, {}),
        ],
        start=1,
    ):
        step: JobKind = "features" if kind == "feature view" else "etl"
        new = NewRun(job=f"{step}:{name}", kind=step, target=name, trigger="manual", actor="ann")
        with record.transaction() as tx:
            assert queue.submit(tx, [new]) == [run]
            datasets.add_version(
                tx,
                run,
                DatasetFacts(
                    dataset=name,
                    kind=kind,
                    version=version,
                    rows=10,
                    added=10,
                    bytes=1,
                    columns=[],
                    inputs=inputs,
                    fingerprint="f",
                ),
            )
    train = NewRun(job="train:late", kind="train", target="late", trigger="manual", actor="ann")
    with record.transaction() as tx:
        (run,) = queue.submit(tx, [train])
        inputs = {"flights": 0, "features:delays": 0}
        results.put_training_set(
            tx,
            run,
            TrainingSetFacts(digest="a" * 64, model="late", path="p", rows=9, columns=[], inputs=inputs, query="q"),
        )
        registry.add_version(tx, _version(inputs), run)
        for alias, version in (("candidate", 1), ("production", 1)):
            tx.session.add(
                AliasEvent(
                    model="late", alias=alias, action="promote", to_version=version, actor="bob", created_at=tx.now
                )
            )
    return record


def _version(inputs: dict[str, int]) -> VersionFacts:
    return VersionFacts(
        model="late",
        digest="d",
        path="p",
        task="binary",
        objective="auc",
        metrics={"auc": {"value": 0.8, "low": 0.7, "high": 0.9}},
        baseline={},
        evidence={},
        signature={},
        lineage={"inputs": inputs},
        verdict={},
        training_set="a" * 64,
        fingerprint="f",
    )


def edges(view: LineageView) -> set[tuple[str, str]]:
    return {(edge.start, edge.end) for edge in view.edges}


def seen(view: LineageView) -> set[str]:
    return {node.id for node in view.nodes}


def test_a_version_is_followed_up_to_source_rows_and_down_to_where_it_serves(shed: Record) -> None:
    with shed.read() as session:
        view = lineage.of_version(session, "late", 1, SOURCES)
    assert (view.root, view.complete) == ("late 1", True)
    assert edges(view) >= {
        ("source airline", "raw@0"),
        ("raw@0", "flights@0"),
        ("flights@0", "delays@0"),
        ("flights@0", "training set aaaaaaaaaaaa"),
        ("delays@0", "training set aaaaaaaaaaaa"),
        ("training set aaaaaaaaaaaa", "late 1"),
        ("run 5", "late 1"),
        ("run 1", "raw@0"),
        ("late 1", "production of late 1"),
    }
    assert "raw@1" not in seen(view)
    kinds = {node.id: (node.kind, node.state) for node in view.nodes}
    assert kinds["delays@0"] == ("feature view", "")
    assert kinds["production of late 1"] == ("alias", "now")


def test_a_dataset_is_followed_to_everything_that_was_made_from_it(shed: Record) -> None:
    with shed.read() as session:
        old = lineage.of_dataset(session, "raw", 0, SOURCES)
        newest = lineage.of_dataset(session, "raw", None, SOURCES)
    assert seen(old) >= {"raw@0", "flights@0", "delays@0", "late 1", "production of late 1", "source airline", "run 5"}
    assert seen(newest) == {"raw@1", "run 4", "source airline"}


def test_a_dataset_that_a_version_predicted_comes_from_its_rows_and_from_the_version(shed: Record) -> None:
    new = NewRun(job="batch-predict:scored", kind="batch-predict", target="scored", trigger="manual", actor="ann")
    facts = DatasetFacts(
        dataset="scored",
        kind="dataset",
        version=0,
        rows=10,
        added=10,
        bytes=1,
        columns=[],
        inputs={"flights": 0, "model:late": 1},
        fingerprint="f",
    )
    with shed.transaction() as tx:
        datasets.add_version(tx, queue.submit(tx, [new])[0], facts)
    with shed.read() as session:
        of_data = lineage.of_dataset(session, "scored", None, SOURCES)
        of_version = lineage.of_version(session, "late", 1, SOURCES)
    assert {("flights@0", "scored@0"), ("late 1", "scored@0"), ("run 6", "scored@0")} <= edges(of_data)
    assert "source airline" in seen(of_data)
    assert ("late 1", "scored@0") in edges(of_version)


def test_a_run_is_followed_from_what_it_made(shed: Record) -> None:
    with shed.read() as session:
        view = lineage.of_run(session, 5, SOURCES)
    assert ("run 5", "late 1") in edges(view)
    assert seen(view) >= {"source airline", "production of late 1"}


def test_a_run_that_made_nothing_shows_what_it_waited_for(shed: Record) -> None:
    etl = NewRun(job="etl:raw", kind="etl", target="raw", trigger="upstream", actor="ann")
    train = NewRun(job="train:x", kind="train", target="x", trigger="manual", actor="ann", depends_on=("etl:raw",))
    with shed.transaction() as tx:
        first, second = queue.submit(tx, [etl, train])
    with shed.read() as session:
        view = lineage.of_run(session, second, SOURCES)
    assert edges(view) == {(f"run {first}", f"run {second}")}


def test_an_alias_that_moved_on_is_told_as_before(shed: Record) -> None:
    with shed.transaction() as tx:
        tx.session.add(
            AliasEvent(model="late", alias="production", action="promote", to_version=2, actor="bob", created_at=tx.now)
        )
    with shed.read() as session:
        states = _aliases(session)
    assert states == {"production": "before", "candidate": "now"}


def _aliases(session: Session) -> dict[str, str]:
    view = lineage.of_version(session, "late", 1, SOURCES)
    return {node.name: node.state for node in view.nodes if node.kind == "alias"}


def test_what_is_not_there_is_not_found(shed: Record) -> None:
    with shed.read() as session:
        with pytest.raises(NotFound, match="no version 9 of late"):
            lineage.of_version(session, "late", 9, SOURCES)
        with pytest.raises(NotFound, match="none has no version yet"):
            lineage.of_dataset(session, "none", None, SOURCES)
        with pytest.raises(NotFound, match="no run 99"):
            lineage.of_run(session, 99, SOURCES)


@pytest.mark.slow
def test_a_graph_without_end_is_cut_and_says_so(record: Record) -> None:
    with record.transaction() as tx:
        (run,) = queue.submit(tx, [NewRun(job="etl:a", kind="etl", target="a", trigger="manual", actor="ann")])
        for version in range(lineage.MOST + 50):
            facts = DatasetFacts(
                dataset="a",
                kind="dataset",
                version=version,
                rows=1,
                added=1,
                bytes=1,
                columns=[],
                inputs={"a": version - 1} if version else {},
                fingerprint="f",
            )
            datasets.add_version(tx, run, facts)
    with record.read() as session:
        view = lineage.of_dataset(session, "a", None, {})
    assert not view.complete
    assert lineage.MOST <= len(view.nodes) <= lineage.MOST + 5
