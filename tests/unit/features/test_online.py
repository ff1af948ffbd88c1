"""What requests find online is what a training row of the same moment finds in the lake."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from duckdb import DuckDBPyConnection
from hypothesis import HealthCheck, given, settings

from pipeline.config.datasets import FeatureView
from pipeline.features.online import OnlineFeatures, OnlineView, entity_text, read_facts
from pipeline.features.publish import publish, put_online
from store.home import Home
from store.times import to_us
from tests.unit.features.test_pit import HOUR, MOMENT, Case, cases, connection, joined

__all__ = ["connection"]
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.slow
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(case=cases())
def test_online_and_offline_values_are_equal_at_every_moment_after_publishing(
    connection: DuckDBPyConnection, tmp_path: Path, case: Case
) -> None:
    moments = sorted(at for _, at in case.examples if at is not None)
    published = moments[len(moments) // 3]
    offline = [row["found"] for row in joined(connection, case)]
    file = tmp_path / "view.sqlite"
    publish(connection, "rows", case.view, file, version=3, now_us=to_us(published))
    view = OnlineView(file)
    for (entity, at), expected in zip(case.examples, offline, strict=True):
        if at is None or at < published or None in entity:
            continue
        texts = [str(part) for part in entity]
        assert view.find(texts, to_us(at)).of.get("value") == expected
    view.close()


def habits(**settings: Any) -> FeatureView:
    return FeatureView(inputs=["orders"], entity=["customer"], time="at", online=True, **settings)


def rows() -> pa.Table:
    return pa.table(
        {
            "customer": pa.array([7, 7, 8, 8], pa.int64()),
            "at": pa.array([NOON - 5 * HOUR, NOON - HOUR, NOON - 30 * HOUR, NOON + HOUR], MOMENT),
            "orders": pa.array([1, 2, 3, 4], pa.int32()),
            "mean": pa.array([1.5, None, float("nan"), 2.5], pa.float64()),
            "loyal": pa.array([True, False, None, True]),
            "last": pa.array([NOON] * 4, MOMENT),
        }
    )


def published(file: Path, view: FeatureView, version: int = 1) -> None:
    with duckdb.connect() as connection:
        connection.sql("SET TimeZone = 'UTC'")
        connection.register("_view", rows())
        publish(connection, "_view", view, file, version=version, now_us=to_us(NOON))


def test_numbers_and_words_come_as_training_has_them_and_what_is_no_feature_stays_out(tmp_path: Path) -> None:
    published(tmp_path / "v", habits())
    view = OnlineView(tmp_path / "v")
    assert view.find(["7"], to_us(NOON)).of == {"orders": 2.0, "mean": None, "loyal": "false"}
    assert view.find(["8"], to_us(NOON)).of == {"orders": 3.0, "mean": None, "loyal": None}
    assert view.find(["8"], to_us(NOON + HOUR)).of == {"orders": 4.0, "mean": 2.5, "loyal": "true"}
    view.close()


def test_an_entity_that_nobody_knows_and_values_that_are_too_old_are_told_apart(tmp_path: Path) -> None:
    published(tmp_path / "v", habits(ttl="1d"))
    view = OnlineView(tmp_path / "v")
    assert view.find(["9"], to_us(NOON)).missing == "unknown"
    old = view.find(["8"], to_us(NOON))
    assert (old.missing, old.age_us) == ("old", 30 * HOUR // timedelta(microseconds=1))
    assert view.find(["7"], to_us(NOON)).missing is None
    view.close()


def test_a_file_that_was_replaced_is_what_the_next_question_sees(tmp_path: Path) -> None:
    online = OnlineFeatures(lambda name: tmp_path / name)
    assert online.view("v") is None
    published(tmp_path / "v", habits())
    first = online.view("v")
    assert first is not None
    assert online.view("v") is first
    published(tmp_path / "v", habits(), version=2)
    second = online.view("v")
    assert second is not None
    assert second.facts.version == 2
    (tmp_path / "v").unlink()
    assert online.view("v") is None
    online.close()


def test_a_view_that_is_no_longer_online_loses_its_file(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.online("habits").parent.mkdir(parents=True)
    published(home.online("habits"), habits())
    facts = read_facts(home.online("habits"))
    assert facts is not None
    put_online(home, "habits", habits().model_copy(update={"online": False}), 1, NOON)
    assert read_facts(home.online("habits")) is None


def test_a_value_of_another_kind_is_no_entity() -> None:
    assert entity_text(7, "integer") == "7"
    assert entity_text("7", "integer") is None
    assert entity_text(True, "integer") is None
    assert entity_text(7, "VARCHAR") is None
    assert entity_text("JFK", "VARCHAR") == "JFK"
    assert entity_text("2026-03-01", "DATE") == "2026-03-01"
    assert entity_text(True, "BOOLEAN") == "true"
    assert entity_text(None, "VARCHAR") is None
