"""A version that has passed its gates is compiled before its promotion, and a promotion goes first. Real processes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.living import until
from tests.acceptance.stage import SERVING, Stage, scores

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    made = Stage(tmp_path, versions=2, serving=SERVING.replace("press_ahead = false", ""))
    try:
        made.start()
        yield made
    finally:
        made.close()


def test_the_newest_version_is_ready_before_its_promotion_which_compiles_nothing_whoever_died_meanwhile(
    stage: Stage,
) -> None:
    until(lambda: list(stage.home.serving.pressed_root.glob("*")), 120)  # the press has begun
    stage.kill()
    stage.start()
    stage.promote(1)  # goes before what is pressed ahead, or comes after it
    until(lambda: pressed(stage)[2], 120)
    (said,) = until(lambda: stage.history("version.pressed"), 60)  # also if it ended while no daemon was there
    assert said["message"].startswith("late 2 is ready to serve: ")
    url = stage.until_warm()
    served = stage.promote(2)["served"]
    assert (served["pressed_s"], served["compiled"], served["workers"]) == (0.0, 0, 2)
    assert scores(url)[0] == 2
    assert pressed(stage) == {1: True, 2: True}
    assert stage.endpoints()["problem"] is None


def pressed(stage: Stage) -> dict[int, bool]:
    items = stage.get("/v1/models/late/versions")["items"]
    return {one["version"]: one["pressed"] for one in items}
