"""What was pressed and is neither served nor new goes, so that a year of promotions fills no disk."""

from __future__ import annotations

import os
from typing import Any

import pytest

from pipeline.serving.buckets import buckets
from pipeline.serving.loaded import load_version
from pipeline.serving.prune import NEWEST, prune
from store.routing import Arm, Route, Snapshot, publish_snapshot


@pytest.mark.slow
def test_what_is_served_and_the_newest_stay_with_their_programs(bench: Any) -> None:
    digests = [bench.pressed(shift=float(place)) for place in range(NEWEST + 4)]
    serving = bench.home.serving
    for age, digest in enumerate(reversed(digests)):
        os.utime(serving.pressed(digest), (1e9 - age, 1e9 - age))
    arm = Arm(version=1, digest=digests[0])
    publish_snapshot(serving.routing, Snapshot(epoch=1, routes={"late": Route(arms=(arm,))}))
    assert prune(serving, buckets(16)) == [digests[2], digests[1]]
    kept = {folder.name for folder in serving.pressed_root.iterdir()}
    assert kept == {digests[0], *digests[3:]}
    load_version(bench.home, digests[0], 16, {})
    assert prune(serving, buckets(16)) == []


@pytest.mark.slow
def test_programs_of_a_batch_size_that_is_served_no_more_go_when_there_are_newer_ones(bench: Any) -> None:
    bench.pressed()
    (ours,) = bench.home.serving.executables_root.iterdir()
    for place in range(NEWEST + 2):
        other = bench.home.serving.executables(f"other{place}")
        other.mkdir()
        os.utime(other, (1e9 + place, 1e9 + place))
    os.utime(ours, (1e8, 1e8))
    assert sorted(prune(bench.home.serving, buckets(16))) == ["other0", "other1"]
    assert ours.is_dir()
