"""A dataset that names entities goes through a version as requests that name them do: one join, online and offline."""

from __future__ import annotations

import asyncio
import copy
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from pipeline.config import Project
from pipeline.config.jobs import jobs_of, with_upstream
from pipeline.features.online import OnlineFeatures
from pipeline.features.publish import put_online
from pipeline.predicting.run import run_batch_predict
from pipeline.process.spec import ProductionFacts, RecordFacts
from pipeline.serving.columns import Columns
from pipeline.serving.lookups import Join, Lookups
from pipeline.versions.bundle import load_bundle
from store import lake
from store.errors import NotFound, ProjectError
from store.home import Home
from store.times import to_us
from tests.unit.serving.bench import SIGNATURE, Bench
from tests.unit.trainingset.conftest import Shed

NOON = datetime(2013, 6, 1, 12, tzinfo=UTC)
MOMENT = pa.timestamp("us", tz="UTC")
PROJECT: dict[str, Any] = {
    "project": {"name": "test"},
    "sources": {"raw": {"kind": "file", "path": "*.csv", "format": "csv"}},
    "datasets": {"flights": {"source": "raw"}},
    "features": {
        "planes": {"inputs": ["flights"], "entity": ["tail"], "time": "at", "ttl": "1d", "online": True},
        "hours": {"inputs": ["flights"], "entity": ["gate"], "time": "at", "online": True},
    },
    "models": {
        "late": {
            "task": "binary",
            "dataset": "flights",
            "label": "late",
            "key": ["flight"],
            "time": "departs",
            "views": [{"view": "planes", "on": {"tail": "plane"}}, {"view": "hours"}],
        }
    },
    "predictions": {"scored": {"model": "late", "dataset": "flights"}},
}
JOINS = {"late": [Join("planes", {"tail": "plane"}, ""), Join("hours", {}, "")]}


def moments(*hours: float) -> pa.Array:
    """Hours before noon."""
    return pa.array([NOON - timedelta(hours=one) for one in hours], MOMENT)


PLANES = pa.table(
    {
        "tail": pa.array([11, 11, 12, 13], pa.int64()),
        "at": moments(5, 1, 1, 30),
        "carrier": ["UA", "AA", None, "UA"],
        "distance": [1.0, 500.0, 900.0, 2.0],
    }
)
HOURS = pa.table({"gate": ["A", "B", "B"], "at": moments(2, 2, -3), "hour": pa.array([12, 2, 7], pa.int16())})


def rows(*departures: tuple[int, str, datetime]) -> pa.Table:
    planes, gates, times = zip(*departures, strict=True)
    numbers = np.arange(len(planes))
    return pa.table({"flight": numbers, "plane": planes, "gate": gates, "departs": pa.array(times, MOMENT)})


class Looking:
    def __init__(self, folder: Path) -> None:
        project = Project.model_validate(PROJECT).placed_in(folder)
        self.shed = Shed(project, Home(folder / ".trainshed"))
        self.digest = Bench(self.shed.home).version()

    def put_view(self, name: str, table: pa.Table) -> None:
        """A new version in the lake, and the online file of it, published long before."""
        home, path = self.shed.home, self.shed.home.feature_view(name)
        before = lake.latest(path)
        made = lake.commit(
            path,
            pa.RecordBatchReader.from_batches(table.schema, table.to_batches()),
            mode="replace",
            metadata={},
            expected=before.version if before else None,
        )
        put_online(home, name, self.shed.project.features[name], made.version, NOON - timedelta(days=9))

    def run(self, last: str = "", run: int = 1) -> list[dict[str, Any]]:
        self.shed.events.unlink(missing_ok=True)
        facts = RecordFacts(predict=ProductionFacts(version=3, digest=self.digest), last_fingerprint=last)
        run_batch_predict(self.shed.context("batch-predict", "scored", run=run, context=facts))
        return self.shed.spooled()

    def scores(self) -> np.ndarray[Any, Any]:
        table = lake.dataset_at(self.shed.home.dataset("scored")).to_table().sort_by("flight")
        return np.array(table["score"].to_pylist())

    def as_the_door_does(self, given: list[dict[str, Any]], at: datetime) -> np.ndarray[Any, Any]:
        """What a request at that moment would be answered, unknown values being null."""
        online = OnlineFeatures(self.shed.home.online)
        lookups = Lookups(online, JOINS, now_us=lambda: to_us(at))
        filled = asyncio.run(lookups.rows("late", Columns(SIGNATURE), given, null=True))
        online.close()
        columns = {c.name: [row.get(c.name) for row in filled] for c in SIGNATURE.inputs}
        kinds = {"numeric": pa.float64(), "categorical": pa.string()}
        table = pa.table({c.name: pa.array(columns[c.name], kinds[c.kind]) for c in SIGNATURE.inputs})
        return load_bundle(self.shed.home.bundle(self.digest)).predict(table)


@pytest.fixture
def looking(tmp_path: Path) -> Looking:
    found = Looking(tmp_path)
    found.put_view("planes", PLANES)
    found.put_view("hours", HOURS)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("hours", [-26, -4, -3, 0, 0.5, 1, 1.5, 4, 6])
def test_each_row_is_answered_as_a_request_of_its_moment_would_be(looking: Looking, hours: float) -> None:
    at = NOON - timedelta(hours=hours)
    asked = [(plane, gate, at) for plane in (11, 12, 13, 99) for gate in ("A", "B", "C")]
    looking.shed.put("flights", rows(*asked))
    looking.run()
    given = [{"plane": plane, "gate": gate} for plane, gate, _ in asked]
    np.testing.assert_array_equal(looking.scores(), looking.as_the_door_does(given, at))


@pytest.mark.slow
def test_rows_of_several_moments_are_each_looked_up_at_their_own(looking: Looking) -> None:
    looking.shed.put("flights", rows((11, "A", NOON), (11, "A", NOON - timedelta(hours=2)), (11, "A", NOON)))
    (told,) = (event for event in looking.run() if event["e"] == "dataset")
    assert told["inputs"] == {"flights": 0, "features:planes": 0, "features:hours": 0, "model:late": 3}
    first, second, third = looking.scores()
    assert first == third != second
    assert second == looking.as_the_door_does([{"plane": 11, "gate": "A"}], NOON - timedelta(hours=2))[0]


@pytest.mark.slow
def test_what_the_rows_bring_themselves_is_not_looked_up(looking: Looking) -> None:
    table = rows((11, "A", NOON), (99, "A", NOON)).append_column("hour", pa.array([2, 2], pa.int64()))
    looking.shed.put("flights", table)
    looking.run()
    given: list[dict[str, Any]] = [{"plane": 11, "gate": "A", "hour": 2}, {"plane": 99, "gate": "A", "hour": 2}]
    np.testing.assert_array_equal(looking.scores(), looking.as_the_door_does(given, NOON))


@pytest.mark.slow
def test_a_new_version_of_a_view_predicts_anew_and_an_old_one_is_skipped(looking: Looking) -> None:
    looking.shed.put("flights", rows((11, "A", NOON)))
    (mark,) = (event for event in looking.run() if event["e"] == "fingerprint")
    assert any(event["e"] == "skip" for event in looking.run(mark["value"], run=2))
    looking.put_view("hours", HOURS.slice(1))
    assert any(event["e"] == "dataset" for event in looking.run(mark["value"], run=3))


@pytest.mark.slow
def test_another_way_to_a_view_predicts_anew(looking: Looking) -> None:
    """By which column whose features are looked up is the model's to say: changed, it was "up to date"."""
    looking.shed.put("flights", rows((11, "A", NOON)).append_column("other", pa.array([12], pa.int64())))
    (mark,) = [event["value"] for event in looking.run() if event["e"] == "fingerprint"]
    before = looking.scores()
    document = copy.deepcopy(PROJECT)
    document["models"]["late"]["views"][0]["on"] = {"tail": "other"}
    project = Project.model_validate(document).placed_in(looking.shed.project.root)
    looking.shed = Shed(project, looking.shed.home)
    assert not [event for event in looking.run(mark, run=2) if event["e"] == "skip"]
    assert looking.scores() != before


def test_without_keys_without_time_or_without_a_view_it_says_what_to_do(looking: Looking, tmp_path: Path) -> None:
    whole = rows((11, "A", NOON))
    looking.shed.put("flights", whole.drop_columns(["plane"]))
    with pytest.raises(ProjectError, match="the dataset has no column 'plane'"):
        looking.run()
    looking.shed.put("flights", whole.drop_columns(["departs"]))
    with pytest.raises(ProjectError, match="the dataset has no column 'departs'"):
        looking.run()
    bare = Looking(tmp_path / "bare")
    bare.shed.put("flights", whole)
    with pytest.raises(NotFound, match="the feature view 'planes' has no version yet"):
        bare.run()
    bare.put_view("planes", PLANES.drop_columns(["carrier"]))
    bare.put_view("hours", HOURS)
    with pytest.raises(ProjectError, match="neither flights nor a feature view of the model has a column 'carrier'"):
        bare.run()


def test_its_views_are_made_before_it(tmp_path: Path) -> None:
    jobs = jobs_of(Project.model_validate(PROJECT).placed_in(tmp_path))
    names = [job.name for job in with_upstream(jobs, "batch-predict:scored")]
    assert names == ["etl:flights", "features:planes", "features:hours", "batch-predict:scored"]
