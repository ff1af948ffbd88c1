"""The features job: from datasets to a committed view, skipped when nothing changed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from store import lake
from store.errors import NotFound, ProjectError, SchemaChanged

if TYPE_CHECKING:
    from tests.unit.trainingset.conftest import Shed

MakeShed = Callable[[dict[str, Any]], "Shed"]
START = datetime(2013, 1, 1, tzinfo=UTC)
MOMENT = pa.timestamp("us", tz="UTC")
SOURCES: dict[str, Any] = {
    "sources": {"any": {"kind": "file", "path": "x.csv", "format": "csv"}},
    "datasets": {"landings": {"source": "any"}},
}


def landings(**columns: Any) -> pa.Table:
    rows: dict[str, Any] = {
        "carrier": ["AA", "UA", "AA", "AA"],
        "at": pa.array([START + h * timedelta(hours=1) for h in (3, 1, 2, 2)], MOMENT),
        "delay": pa.array([30, 10, 20, 20], pa.int64()),
    }
    return pa.table({**rows, **columns})


def shed_with(make_shed: MakeShed, rows: pa.Table | None = None, **view: Any) -> Shed:
    settings = {"inputs": ["landings"], "entity": ["carrier"], "time": "at", **view}
    shed = make_shed({**SOURCES, "features": {"delays": settings}})
    shed.put("landings", landings() if rows is None else rows)
    return shed


def view_rows(shed: Shed) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = lake.dataset_at(shed.home.feature_view("delays")).to_table().to_pylist()
    return rows


def kinds(events: list[dict[str, Any]]) -> list[str]:
    return [event["e"] for event in events]


def test_a_view_holds_one_row_for_each_entity_and_time(make_shed: MakeShed) -> None:
    shed = shed_with(make_shed)
    events = shed.compute("delays")
    assert [(r["carrier"], r["at"].hour, r["delay"]) for r in view_rows(shed)] == [
        ("AA", 2, 20),
        ("AA", 3, 30),
        ("UA", 1, 10),
    ]
    (facts,) = [e for e in events if e["e"] == "dataset"]
    assert (facts["dataset"], facts["kind"], facts["version"], facts["rows"]) == ("delays", "feature view", 0, 3)
    assert facts["inputs"] == {"landings": 0}
    assert facts["newest_us"] == int((START + timedelta(hours=3)).timestamp()) * 1_000_000
    assert "note" not in kinds(events)


def test_sql_shapes_the_features(make_shed: MakeShed) -> None:
    shed = shed_with(
        make_shed, sql='SELECT carrier, "at", avg(delay) OVER (PARTITION BY carrier) AS mean FROM landings'
    )
    shed.compute("delays")
    assert {r["carrier"]: r["mean"] for r in view_rows(shed)} == {"AA": pytest.approx(70 / 3), "UA": 10.0}


def test_rows_that_contradict_each_other_are_counted_and_the_greatest_is_kept(make_shed: MakeShed) -> None:
    shed = shed_with(make_shed, landings(delay=pa.array([30, 10, 20, None], pa.int64())))
    (note,) = [e for e in shed.compute("delays") if e["e"] == "note"]
    assert note["message"] == 'delays: 1 rows contradict another of the same "carrier", "at" and were left out'
    assert [r["delay"] for r in view_rows(shed)] == [20, 30, 10]


def test_rows_without_entity_or_time_are_left_out_and_counted(make_shed: MakeShed) -> None:
    shed = shed_with(make_shed, landings(carrier=["AA", None, "AA", "AA"]))
    (note,) = [e for e in shed.compute("delays") if e["e"] == "note"]
    assert note["message"] == "delays: 1 rows have no carrier or no at and were left out"
    assert note["level"] == "warning"
    assert len(view_rows(shed)) == 2


def test_unchanged_inputs_are_skipped_with_the_reason(make_shed: MakeShed) -> None:
    shed = shed_with(make_shed)
    digest = shed.compute("delays")[0]["value"]
    events = shed.compute("delays", last_fingerprint=digest)
    assert kinds(events) == ["fingerprint", "skip"]
    assert events[1]["reason"] == "delays@0 is up to date: inputs and code are unchanged"


def test_a_new_version_of_an_input_makes_a_new_version_of_the_view(make_shed: MakeShed) -> None:
    shed = shed_with(make_shed)
    digest = shed.compute("delays")[0]["value"]
    shed.put("landings", landings().slice(0, 2))
    events = shed.compute("delays", last_fingerprint=digest)
    (facts,) = [e for e in events if e["e"] == "dataset"]
    assert (facts["version"], facts["rows"], facts["removed"], facts["inputs"]) == (1, 2, 3, {"landings": 1})


def test_force_computes_again(make_shed: MakeShed) -> None:
    shed = shed_with(make_shed)
    digest = shed.compute("delays")[0]["value"]
    events = shed.compute("delays", last_fingerprint=digest, force=True)
    assert [e["version"] for e in events if e["e"] == "dataset"] == [1]


def test_a_commit_that_was_never_reported_is_reported_by_the_next_attempt(make_shed: MakeShed) -> None:
    shed = shed_with(make_shed)
    shed.compute("delays")
    events = shed.compute("delays", last_fingerprint="of an older run")
    assert [e["version"] for e in events if e["e"] == "dataset"] == [0]
    assert "skip" not in kinds(events)


@pytest.mark.slow
def test_a_changed_column_is_told(make_shed: MakeShed) -> None:
    shed = shed_with(make_shed)
    shed.compute("delays")
    shed.put("landings", landings().rename_columns(["carrier", "at", "lateness"]))
    (facts,) = [e for e in shed.compute("delays") if e["e"] == "dataset"]
    assert facts["schema_changes"] == ["delay is gone", "lateness is new (int64)"]


@pytest.mark.parametrize(
    ("column", "where", "view"),
    [
        ("CASE carrier WHEN 'UA' THEN 'infinity' ELSE \"at\" END AS \"at\", delay", "at", {}),
        ("\"at\", '-infinity'::TIMESTAMPTZ AS known, delay", "known", {"created": "known"}),
        ("\"at\", 'infinity'::DATE AS until, delay", "until", {}),
    ],
    ids=["time", "created", "another column"],
)
def test_a_time_outside_of_the_calendar_is_refused_before_the_commit(
    make_shed: MakeShed, column: str, where: str, view: dict[str, Any]
) -> None:
    """It was committed, and every run from then on ended over the version that it could not describe."""
    shed = shed_with(make_shed, sql=f"SELECT carrier, {column} FROM landings", online=True, **view)
    for _ in range(2):
        with pytest.raises(SchemaChanged, match="have a time outside of the years 1 to 9999") as caught:
            shed.compute("delays")
        assert caught.value.where == f"features.delays.{where}"
        assert lake.latest(shed.home.feature_view("delays")) is None
    shed.home.online("delays").parent.mkdir(parents=True, exist_ok=True)
    assert not list(shed.home.online("delays").parent.iterdir())


def test_an_input_without_a_version_is_named(make_shed: MakeShed) -> None:
    view = {"inputs": ["landings"], "entity": ["carrier"], "time": "at"}
    shed = make_shed({**SOURCES, "features": {"delays": view}})
    with pytest.raises(NotFound, match="'landings' has no version yet") as caught:
        shed.compute("delays")
    assert "trainshed run etl:landings" in caught.value.remedy


@pytest.mark.parametrize(
    ("view", "what", "where"),
    [
        ({"entity": ["carier"]}, "no column 'carier', did you mean 'carrier'", "features.delays.entity"),
        ({"time": "hour"}, "no column 'hour'", "features.delays.time"),
        ({"created": "known"}, "no column 'known'", "features.delays.created"),
        ({"columns": ["dely"]}, "did you mean 'delay'", "features.delays.columns"),
        ({"time": "delay"}, "'delay' is BIGINT, which is no moment in time", "features.delays.time"),
        ({"entity": ["carrier", "delay"]}, "the view has no features", "features.delays"),
    ],
)
def test_a_view_whose_columns_do_not_fit_is_refused(
    make_shed: MakeShed, view: dict[str, Any], what: str, where: str
) -> None:
    shed = shed_with(make_shed, **view)
    with pytest.raises(ProjectError, match=what) as caught:
        shed.compute("delays")
    assert caught.value.where == where
    assert lake.latest(shed.home.feature_view("delays")) is None
