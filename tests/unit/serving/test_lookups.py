"""Requests that name an entity: its features are looked up, over every door, and what is missing is said."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest
import tritonclient.grpc as rpc
import tritonclient.http as http
from tritonclient.utils import InferenceServerException

from pipeline.config.datasets import FeatureView
from pipeline.features.publish import publish
from pipeline.serving.loaded import LoadedVersion
from pipeline.serving.lookups import Join
from store.routing import Arm, Route, Snapshot
from tests.unit.serving.door import Door, opened

HOUR_US = 3_600_000_000
KEYS = (("plane", "INT64", 99), ("gate", "BYTES", "A"))
JOINS = {"late": [Join("planes", {"tail": "plane"}, ""), Join("hours", {"gate": "gate"}, "")]}


def put(door: Door, view: str, table: pa.Table, **settings: Any) -> None:
    with duckdb.connect() as connection:
        connection.sql("SET TimeZone = 'UTC'")
        connection.register("_view", table)
        entity = table.column_names[0]
        made = FeatureView(inputs=["any"], entity=[entity], time="at", online=True, **settings)
        publish(connection, "_view", made, door.online / view, version=4, now_us=now_us())


def now_us() -> int:
    return time.time_ns() // 1000


def moments(*hours_ago: float) -> pa.Array:
    return pa.array([now_us() - int(ago * HOUR_US) for ago in hours_ago], pa.timestamp("us", tz="UTC"))


@pytest.fixture(scope="module")
def door(loaded: LoadedVersion) -> Iterator[Door]:
    arm = Arm(version=3, digest=loaded.digest)
    snapshot = Snapshot(epoch=7, routes={"late": Route(arms=(arm,)), "other": Route(arms=(arm,))})
    with opened({("late", 3): loaded, ("other", 3): loaded}, snapshot, joins=JOINS) as door:
        planes = {"tail": [11, 11, 12, 13], "at": moments(5, 1, 1, 30), "carrier": ["UA", "AA", None, "UA"]}
        put(door, "planes", pa.table({**planes, "distance": [1.0, 500.0, 900.0, 2.0]}), ttl="1d")
        put(door, "hours", pa.table({"gate": ["A", "B"], "at": moments(2, 2), "hour": pa.array([12, 2], pa.int16())}))
        yield door


def asked(door: Door, body: Any, model: str = "late") -> Any:
    with door.client() as client:
        return client.post(f"/v1/predict/{model}", json=body)


def test_an_entity_is_answered_as_its_values_would_be(door: Door) -> None:
    by_value = asked(door, {"distance": 500.0, "carrier": "AA", "hour": 12}).json()["predictions"]
    assert asked(door, {"entities": [{"plane": 11, "gate": "A"}]}).json()["predictions"] == by_value
    mixed = asked(door, {"entities": [{"plane": 11, "hour": 12}, {"gate": "B", "distance": 1, "carrier": None}]})
    assert mixed.json()["predictions"][0] == by_value[0]


def test_what_is_not_known_is_refused_with_whose_it_is_and_what_to_do(door: Door) -> None:
    unknown = asked(door, {"entities": [{"plane": 11, "gate": "A"}, {"plane": 99, "gate": "A"}]})
    assert unknown.status_code == 422
    assert "row 1: the features carrier, distance of plane = 99 are not known" in unknown.json()["error"]
    assert "planes has no row of it (version 4). `trainshed run features:planes --upstream`" in unknown.json()["error"]
    old = asked(door, {"entities": [{"plane": 13, "gate": "A"}]})
    assert "its newest row in planes is 30.0 h old, and older than 24 h counts as missing" in old.json()["error"]
    nulls = asked(door, {"entities": [{"plane": 99, "gate": "A"}], "missing": "null"})
    by_value = asked(door, {"distance": None, "carrier": None, "hour": 12})
    assert nulls.json()["predictions"] == by_value.json()["predictions"]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"entities": [{"gate": "A"}]}, "row 0 has no 'plane': it says whose planes are looked up"),
        ({"entities": [{"plane": "11", "gate": "A"}]}, "plane = '11' is no key of planes, whose tail is integer"),
        ({"entities": []}, "the request has no rows"),
        ({"entities": [1]}, "row 0 is not an object"),
        ({"entities": [{}], "rows": [{}]}, "and not both"),
        ({"entities": [{"plane": 11, "gate": "A"}], "missing": "zero"}, '`missing` is "refuse" or "null"'),
    ],
)
def test_a_request_that_makes_no_sense_is_told_so(door: Door, body: Any, said: str) -> None:
    refused = asked(door, body)
    assert refused.status_code == 400
    assert said in refused.json()["error"]


def test_a_model_without_views_takes_no_entities(door: Door) -> None:
    refused = asked(door, {"entities": [{"plane": 11}]}, model="other")
    assert refused.status_code == 400
    assert "other takes no features from views" in refused.json()["error"]


def test_over_the_protocol_a_parameter_asks_for_features_and_keys_are_tensors(door: Door) -> None:
    expected = asked(door, {"entities": [{"plane": 11, "gate": "A"}, {"plane": 12, "gate": "B"}]}).json()
    expected_shares = [one["probabilities"]["true"] for one in expected["predictions"]]
    for module, port in ((http, door.port), (rpc, door.grpc_port)):
        plane, gate = module.InferInput("plane", [2], "INT64"), module.InferInput("gate", [2], "BYTES")
        plane.set_data_from_numpy(np.array([11, 12], np.int64))
        gate.set_data_from_numpy(np.array(["A", "B"], np.object_))
        client = module.InferenceServerClient(f"{door.host}:{port}")
        found = client.infer("late", [plane, gate], parameters={"features": "online"}).as_numpy("score")
        np.testing.assert_allclose(found, expected_shares, rtol=1e-6)
        with pytest.raises(InferenceServerException, match=r"input plane|no input|is missing"):
            client.infer("late", [plane, gate])
        client.close()


def test_of_too_many_rows_nothing_is_looked_up(door: Door) -> None:
    keys = [{"name": name, "datatype": kind, "shape": [501], "data": [value] * 501} for name, kind, value in KEYS]
    with door.client() as client:
        body = {"parameters": {"features": "online"}, "inputs": keys}
        refused = client.post("/v2/models/late/infer", json=body)
    assert (refused.status_code, refused.json()["error"].split(";")[0]) == (400, "the request has 501 rows")


def test_a_view_without_online_values_says_how_it_gets_them(door: Door, tmp_path: Path) -> None:
    kept = (door.online / "hours").read_bytes()
    (door.online / "hours").unlink()
    refused = asked(door, {"entities": [{"plane": 11, "gate": "A"}]})
    assert refused.status_code == 422
    assert "[features.hours] needs `online = true`, and then `trainshed run features:hours`" in refused.json()["error"]
    (door.online / "hours").write_bytes(kept)
    assert asked(door, {"entities": [{"plane": 11, "gate": "A"}]}).status_code == 200
    with sqlite3.connect(door.online / "hours") as file:
        assert file.execute("SELECT count(*) FROM found").fetchone() == (2,)
    file.close()


def test_looking_up_takes_of_the_requests_own_time(door: Door) -> None:
    many = [{"plane": 11, "gate": "A"}] * 500
    assert asked(door, {"entities": many, "timeout_ms": 20_000}).status_code == 200
    late = asked(door, {"entities": many, "timeout_ms": 1})
    assert (late.status_code, late.json()["error"]) == (504, "the request's time was over before it was its turn")


def test_the_description_says_what_a_request_by_entity_brings(door: Door) -> None:
    with door.client() as client:
        found = client.get("/openapi.json").json()
    entity = found["components"]["schemas"]["late.entity"]
    assert entity["required"] == []  # every column is looked up
    assert entity["properties"]["plane"]["type"] == "integer"
    assert entity["properties"]["gate"]["type"] == "string"
    assert {"distance", "carrier", "hour"} <= entity["properties"].keys()
    content = found["paths"]["/v1/predict/late"]["post"]["requestBody"]["content"]["application/json"]
    by_entity = content["schema"]["anyOf"][-1]
    assert by_entity["properties"]["entities"]["items"] == {"$ref": "#/components/schemas/late.entity"}
    assert by_entity["properties"]["missing"]["enum"] == ["refuse", "null", None]
    assert "other.entity" not in found["components"]["schemas"]
