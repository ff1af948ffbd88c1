"""A dataset through a version to a dataset: once, whole, with what it was made from."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from pipeline.config import Project
from pipeline.predicting.run import run_batch_predict
from pipeline.process.context import Preempted
from pipeline.process.spec import ProductionFacts, RecordFacts
from pipeline.versions.bundle import load_bundle
from store import lake
from store.errors import NotFound, ProjectError, SchemaChanged
from store.home import Home
from tests.unit.serving.bench import Bench, broken_at_13
from tests.unit.trainingset.conftest import Shed

PROJECT: dict[str, Any] = {
    "project": {"name": "test"},
    "sources": {"raw": {"kind": "file", "path": "*.csv", "format": "csv"}},
    "datasets": {"flights": {"source": "raw"}},
    "models": {
        "late": {"task": "binary", "dataset": "flights", "label": "late", "key": ["flight"], "numeric": ["distance"]}
    },
    "predictions": {"scored": {"model": "late", "dataset": "flights"}},
}


def rows(count: int, seed: int = 0) -> pa.Table:
    rng = np.random.default_rng(seed)
    carrier = pa.array(rng.choice(np.array(["AA", "UA", "DL", None], dtype=object), count), pa.string())
    return pa.table(
        {"flight": np.arange(count), "carrier": carrier, "distance": rng.normal(500, 100, count), "hour": [12] * count}
    )


class Predicting:
    def __init__(
        self, folder: Path, keep: Sequence[str] = ("flight", "carrier"), key: Sequence[str] = ("flight",)
    ) -> None:
        document = copy.deepcopy(PROJECT)
        document["predictions"]["scored"]["keep"] = list(keep)
        document["models"]["late"]["key"] = list(key)
        project = Project.model_validate(document).placed_in(folder)
        self.shed = Shed(project, Home(folder / ".trainshed"))
        self.bench = Bench(self.shed.home)
        self.path = self.shed.home.dataset("scored")

    def facts(self, digest: str | None, last: str = "", version: int = 3) -> RecordFacts:
        return RecordFacts(
            predict=None if digest is None else ProductionFacts(version=version, digest=digest), last_fingerprint=last
        )

    def run(self, facts: RecordFacts, *, run: int = 1, stop: bool = False, force: bool = False) -> list[dict[str, Any]]:
        self.shed.events.unlink(missing_ok=True)
        ctx = self.shed.context("batch-predict", "scored", run=run, context=facts, force=force)
        if stop:
            ctx.stop.set()
        run_batch_predict(ctx)
        return self.shed.spooled()


@pytest.fixture
def made(tmp_path: Path) -> Predicting:
    found = Predicting(tmp_path)
    found.shed.put("flights", rows(150_000))
    return found


def of(events: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [event for event in events if event["e"] == kind]


@pytest.mark.slow
def test_each_row_gets_the_versions_own_score_and_the_lineage_names_data_and_version(made: Predicting) -> None:
    digest = made.bench.version()
    events = made.run(made.facts(digest))
    (told,) = of(events, "dataset")
    assert told["inputs"] == {"flights": 0, "model:late": 3}
    assert (told["version"], told["rows"], told["added"]) == (0, 150_000, 150_000)
    assert [event["done"] for event in of(events, "progress")][-1] == 150_000
    assert len(of(events, "progress")) >= 3  # in pieces, not as a whole
    found = lake.dataset_at(made.path).to_table().sort_by("flight")
    assert found.column_names == ["flight", "carrier", "label", "score", "model_version"]
    expected = load_bundle(made.shed.home.bundle(digest)).predict(rows(150_000))
    np.testing.assert_array_equal(found["score"].to_numpy(), expected)
    assert found["label"].to_pylist() == ["true" if score >= 0.5 else "false" for score in expected]
    assert set(found["model_version"].to_pylist()) == {3}


@pytest.mark.slow
def test_unchanged_rows_and_version_are_skipped_and_either_change_predicts_anew(made: Predicting) -> None:
    digest = made.bench.version()
    (mark,) = of(made.run(made.facts(digest)), "fingerprint")
    skipped = made.run(made.facts(digest, mark["value"]), run=2)
    assert "scored@0 is up to date: flights@0 and late 3 are unchanged" in of(skipped, "skip")[0]["reason"]
    assert of(made.run(made.facts(made.bench.version(0.5), mark["value"]), run=3), "dataset")[0]["version"] == 1
    made.shed.put("flights", rows(10, seed=1))
    (told,) = of(made.run(made.facts(digest, mark["value"]), run=4), "dataset")
    assert (told["version"], told["rows"], told["removed"]) == (2, 10, 150_000)


@pytest.mark.slow
def test_a_row_for_which_the_version_has_no_number_has_no_prediction_as_it_has_none_at_the_endpoint(
    tmp_path: Path,
) -> None:
    """The endpoint fails such a request; here it had the first class for its label."""
    made = Predicting(tmp_path)
    hours = pa.array([12, 13, 12, 13], pa.int64())
    made.shed.put("flights", rows(4).set_column(3, "hour", hours))
    events = made.run(made.facts(made.bench.version(function=broken_at_13)))
    found = lake.dataset_at(made.path).to_table().sort_by("flight")
    assert [one is None for one in found["score"].to_pylist()] == [False, True, False, True]
    assert [one is None for one in found["label"].to_pylist()] == [False, True, False, True]
    assert set(found["model_version"].to_pylist()) == {3}
    (note,) = of(events, "note")
    assert (note["level"], note["message"]) == (
        "warning",
        "scored: 2 of 4 rows have no prediction: what late 3 gives for them is no number",
    )


@pytest.mark.slow
def test_another_key_of_the_model_predicts_anew_where_it_says_what_stays(tmp_path: Path) -> None:
    """Without `keep` the model's key stays beside the prediction: with a new one, the old one's were "up to date"."""
    made = Predicting(tmp_path, keep=[])
    made.shed.put("flights", rows(10))
    digest = made.bench.version()
    (mark,) = of(made.run(made.facts(digest)), "fingerprint")
    assert lake.dataset_at(made.path).schema.names[0] == "flight"
    made.shed = Predicting(tmp_path, keep=[], key=["carrier"]).shed
    assert not of(made.run(made.facts(digest, mark["value"]), run=2), "skip")
    assert lake.dataset_at(made.path).schema.names[0] == "carrier"


@pytest.mark.slow
def test_a_run_that_committed_and_died_before_it_told_tells_it_and_commits_nothing(made: Predicting) -> None:
    made.run(made.facts(made.bench.version()), force=True)
    # Meanwhile another version was promoted: what this run committed is still what it made.
    (told,) = of(made.run(made.facts(made.bench.version(0.5), version=4), force=True), "dataset")
    assert (told["version"], told["inputs"]["model:late"]) == (0, 3)
    assert len(lake.history(made.path)) == 1


@pytest.mark.slow
def test_a_run_that_is_stopped_leaves_nothing_and_the_next_attempt_makes_it_whole(made: Predicting) -> None:
    facts = made.facts(made.bench.version())
    with pytest.raises(Preempted):
        made.run(facts, stop=True)
    assert lake.latest(made.path) is None
    assert of(made.run(facts), "dataset")[0]["rows"] == 150_000


@pytest.mark.slow
def test_a_column_of_the_prediction_cannot_be_kept_of_the_rows(tmp_path: Path) -> None:
    made = Predicting(tmp_path, keep=[], key=["score"])
    made.shed.put("flights", rows(5).append_column("score", pa.array([1.0] * 5)))
    with pytest.raises(ProjectError, match="'score' is a column of the prediction, and flights has one too") as caught:
        made.run(made.facts(made.bench.version()))
    assert caught.value.where == "predictions.scored.keep"
    assert lake.latest(made.path) is None


def test_without_a_version_and_without_a_column_it_says_what_is_missing(made: Predicting) -> None:
    with pytest.raises(NotFound, match="production of late points at no version"):
        made.run(made.facts(None))
    made.shed.put("flights", rows(5).drop_columns(["hour"]))
    with pytest.raises(SchemaChanged, match="flights has no column hour"):
        made.run(made.facts(made.bench.version()))
