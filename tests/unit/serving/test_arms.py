"""Who answers, through the real door: sticky shares, pins, copies, and what is counted of them."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from pipeline.experiments.counting import tallied
from pipeline.experiments.stages import Plan
from pipeline.predictions.record import Dropped, Prediction, from_line
from pipeline.predictions.segments import segments, whole_lines
from pipeline.serving import tally
from pipeline.serving.arms import split_of
from pipeline.serving.loaded import LoadedVersion
from pipeline.traffic.route import assigned
from pipeline.versions.signature import InputColumn
from store.home import Home, ServingDir
from store.routing import Arm, Route, Snapshot
from tests.acceptance.living import until
from tests.unit.serving.bench import Bench
from tests.unit.serving.door import Door, opened

ROW = {"distance": 500.0, "carrier": "AA", "hour": 12}


@pytest.fixture(scope="module")
def versions(tmp_path_factory: pytest.TempPathFactory) -> dict[int, LoadedVersion]:
    bench = Bench(Home(tmp_path_factory.mktemp("home")))
    return {number: bench.loaded(shift=number / 4) for number in (1, 2, 3)}


def route(versions: dict[int, LoadedVersion], share: float, shadow: bool = False) -> Route:
    """Version 2 has a share of the units beside version 1; 3 may be the shadow."""
    arms = (
        Arm(version=1, digest=versions[1].digest, weight=1.0 - share),
        Arm(version=2, digest=versions[2].digest, weight=share, low=0.0, high=share),
    )
    copied = Arm(version=3, digest=versions[3].digest) if shadow else None
    return Route(arms=arms, shadow=copied, salt="salt", comparison=5, stage=1, slow_s=60.0)


@pytest.fixture
def door(versions: dict[int, LoadedVersion], tmp_path: Path) -> Iterator[Door]:
    loaded = {("late", number): one for number, one in versions.items()}
    with opened(loaded, Snapshot(epoch=1, routes={"late": route(versions, 0.3, shadow=True)}), log=tmp_path) as made:
        yield made


def ask(client: httpx.Client, **more: Any) -> httpx.Response:
    return client.post("/v1/predict/late", json={"rows": [ROW], **more})


def heard(client: httpx.Client, units: int) -> dict[str, int]:
    return {f"u{n}": int(ask(client, unit=f"u{n}").json()["version"]) for n in range(units)}


@pytest.mark.slow
def test_each_unit_hears_the_version_of_its_place_and_a_ramp_takes_it_from_nobody(
    door: Door, versions: dict[int, LoadedVersion]
) -> None:
    split = split_of(route(versions, 0.3))
    with door.client() as client:
        before = heard(client, 60)
        assert before == {unit: assigned(split, unit) for unit in before}
        assert {1, 2} == set(before.values())
        door.switch(Snapshot(epoch=2, routes={"late": route(versions, 0.8)}))
        after = heard(client, 60)
    assert all(after[unit] == 2 for unit, version in before.items() if version == 2)
    assert sum(version == 2 for version in after.values()) > sum(version == 2 for version in before.values())


def test_who_names_no_unit_hears_control_and_a_pin_goes_before_all(door: Door) -> None:
    with door.client() as client:
        assert ask(client).json()["version"] == 1
        assert client.post("/v1/predict/late/versions/2", json=ROW).json()["version"] == 2
        assert ask(client, version=2, unit="u1").json()["version"] == 2
        assert ask(client, version="3").json()["version"] == 3
        missing = ask(client, version=9)
        assert (missing.status_code, missing.json()["error"]) == (
            404,
            "version 9 of late is not served; these are: 1, 2, 3",
        )
        torn = client.post("/v1/predict/late/versions/2", json={"rows": [ROW], "version": 1})
        assert torn.status_code == 400
        assert torn.json()["error"] == "the path asks for version 2, the body for version 1"


def test_control_answers_for_a_treatment_that_a_worker_could_not_load(
    versions: dict[int, LoadedVersion], tmp_path: Path
) -> None:
    snapshot = Snapshot(epoch=1, routes={"late": route(versions, 1.0)})
    with opened({("late", 1): versions[1]}, snapshot, log=tmp_path) as door, door.client() as client:
        assert ask(client, unit="ann").json()["version"] == 1
    (line,) = lines(tmp_path)
    assert (line.version, line.why) == (1, "not loaded")


def test_copies_go_to_the_shadow_under_the_same_id_and_count_for_nothing_else(
    versions: dict[int, LoadedVersion], tmp_path: Path
) -> None:
    loaded = {("late", number): one for number, one in versions.items()}
    snapshot = Snapshot(epoch=1, routes={"late": route(versions, 0.3, shadow=True)})
    with opened(loaded, snapshot, log=tmp_path) as door, door.client() as client:
        for number in range(20):
            assert ask(client, id=f"r{number}", unit=f"u{number}").json()["version"] in (1, 2)
        assert ask(client, id="pinned", version=2).is_success
        until(lambda: door.metrics.shadows["late", "3", "answered"] == 20)
        files: list[tuple[Path, bytes]] = []
        door.within(lambda: files.extend(door.tally.pending()))
        metrics = client.get("/metrics").text
    tally.write(files)
    found = lines(tmp_path)
    assert Counter(line.why for line in found) == {"assigned": 20, "shadow": 20, "pinned": 1}
    copies = {line.request: line for line in found if line.why == "shadow"}
    assert set(copies) == {f"r{number}" for number in range(20)}
    assert {(line.version, line.status) for line in copies.values()} == {(3, 200)}
    counted = tally.read(ServingDir(tmp_path).tallies, 5, 1)
    assert sum(counted.requests.values()) == 20
    assert set(counted.requests) == {1, 2}
    assert not any(key[1] == "3" for key in door.metrics.requests)
    assert 'trainshed_serving_shadows_total{model="late",outcome="answered",version="3",worker="1"} 20.0' in metrics


def test_a_treatment_that_refuses_what_control_takes_is_counted_by_units_and_has_answered_nothing(
    versions: dict[int, LoadedVersion], tmp_path: Path
) -> None:
    """It needs a column that nobody sends yet: all of its units were refused, and no comparison ever saw that."""
    takes_more = replace(
        versions[2],
        signature=versions[2].signature.model_copy(
            update={"inputs": [*versions[2].signature.inputs, InputColumn(name="weather", kind="numeric")]}
        ),
    )
    loaded = {("late", 1): versions[1], ("late", 2): takes_more}
    snapshot = Snapshot(epoch=1, routes={"late": route(versions, 0.5)})
    with opened(loaded, snapshot, log=tmp_path) as door, door.client() as client:
        said = [ask(client, unit=f"u{number % 20}").status_code for number in range(40)]
        files: list[tuple[Path, bytes]] = []
        door.within(lambda: files.extend(door.tally.pending()))
    tally.write(files)
    assert set(said) == {200, 400}
    found = tally.read(ServingDir(tmp_path).tallies, 5, 1)
    assert found.requests == {1: said.count(200)}
    assert found.events["refusals"] == {2: said.count(400)}
    assert found.hit["refusals"] == {2: said.count(400) // 2}
    seen = tallied(found, Plan().tolerated, canary=2, control=1)
    assert (seen.requests, seen.events["refusals"]) == (0, (said.count(400) // 2, 0))


def test_a_shadow_that_is_stuck_holds_up_nobody_and_what_finds_no_room_is_dropped_and_counted(
    versions: dict[int, LoadedVersion], tmp_path: Path
) -> None:
    loaded = {("late", number): one for number, one in versions.items()}
    snapshot = Snapshot(epoch=1, routes={"late": route(versions, 0.3, shadow=True)})
    released = threading.Event()
    with opened(loaded, snapshot, log=tmp_path) as door, door.client() as client:
        door.shadows.submit(released.wait)  # the only thread that runs shadows is at work
        try:
            for number in range(30):
                body = {"rows": [ROW] * 100, "unit": f"u{number}"}
                assert client.post("/v1/predict/late", json=body).is_success
            dropped = until(lambda: door.metrics.shadows["late", "3", "dropped"])
            assert dropped >= 30 - 1024 // 100 - 2  # one batch is on its way, and 1,024 rows wait
            assert door.metrics.shadows["late", "3", "answered"] == 0
        finally:
            released.set()
        until(
            lambda: door.metrics.shadows["late", "3", "answered"] == 30 - door.metrics.shadows["late", "3", "dropped"]
        )


def lines(folder: Path) -> list[Prediction]:
    logs = segments(ServingDir(folder).predictions("late"))
    found = [from_line(line) for one in logs for _, line in whole_lines(one, 0, 10**9)]
    return [one for one in found if not isinstance(one, Dropped)]
