"""The routing file: replaced as a whole, its epoch only grows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.errors import Conflict, StorageError
from store.routing import Arm, Route, Snapshot, publish_snapshot, read_snapshot

arms = st.builds(Arm, version=st.integers(1, 99), digest=st.text("0123456789abcdef", min_size=1, max_size=8))
routes = st.builds(Route, arms=st.tuples(arms), previous=st.none() | arms)
NAME = st.text("abc_", min_size=1, max_size=5)


@pytest.mark.slow
@given(st.dictionaries(NAME, routes, max_size=4), st.integers(1, 2**40))
def test_what_is_published_is_what_is_read(
    tmp_path_factory: pytest.TempPathFactory, known: dict[str, Route], epoch: int
) -> None:
    file = tmp_path_factory.mktemp("serving") / "routing.json"
    snapshot = Snapshot(epoch=epoch, routes=known)
    publish_snapshot(file, snapshot)
    assert read_snapshot(file) == snapshot
    assert [path.name for path in file.parent.iterdir()] == ["routing.json"]


def test_before_the_first_one_nothing_is_routed(tmp_path: Path) -> None:
    assert read_snapshot(tmp_path / "routing.json") == Snapshot(epoch=0)


def test_an_epoch_that_does_not_grow_is_refused(tmp_path: Path) -> None:
    publish_snapshot(tmp_path / "routing.json", Snapshot(epoch=3))
    for epoch in (2, 3):
        with pytest.raises(Conflict, match=f"epoch {epoch} does not come after epoch 3"):
            publish_snapshot(tmp_path / "routing.json", Snapshot(epoch=epoch))
    publish_snapshot(tmp_path / "routing.json", Snapshot(epoch=4))


@pytest.mark.parametrize("text", ["", "{}", '{"epoch": 1, "routes": {"a": {}}}', json.dumps([1])])
def test_a_file_that_is_no_snapshot_is_named_with_a_remedy(tmp_path: Path, text: str) -> None:
    (tmp_path / "routing.json").write_text(text)
    with pytest.raises(StorageError, match="the routing file cannot be read"):
        read_snapshot(tmp_path / "routing.json")


def test_the_version_before_stays_resident() -> None:
    now, before = Arm(version=2, digest="b"), Arm(version=1, digest="a")
    snapshot = Snapshot(epoch=1, routes={"late": Route(arms=(now,), previous=before)})
    assert snapshot.resident() == {("late", 2): "b", ("late", 1): "a"}


def test_a_file_of_the_release_before_has_one_arm_and_compares_nothing(tmp_path: Path) -> None:
    arm = {"version": 2, "digest": "b", "weight": 1.0}
    before = {"version": 1, "digest": "a", "weight": 1.0}
    file = tmp_path / "routing.json"
    file.write_text(json.dumps({"epoch": 4, "routes": {"late": {"arms": [arm], "previous": before}}}))
    found = Route(arms=(Arm(version=2, digest="b"),), previous=Arm(version=1, digest="a"))
    assert read_snapshot(file) == Snapshot(epoch=4, routes={"late": found})


def test_all_of_a_comparison_comes_back_and_each_version_is_resident_once(tmp_path: Path) -> None:
    arms = Arm(version=1, digest="a", weight=0.9), Arm(version=2, digest="b", weight=0.1, low=0.0, high=0.1)
    shadow, previous = Arm(version=3, digest="c", weight=0.5), Arm(version=2, digest="b")
    route = Route(arms=arms, previous=previous, shadow=shadow, salt="s", comparison=7, stage=2, slow_s=0.5)
    file = tmp_path / "routing.json"
    publish_snapshot(file, Snapshot(epoch=1, routes={"late": route}))
    assert read_snapshot(file).routes["late"] == route
    assert [arm.version for arm in route.resident] == [1, 2, 3]
