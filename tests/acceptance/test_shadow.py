"""A shadow whose files are damaged on the disk cannot be loaded, and what answers takes no notice. Real processes."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from store import shadows
from store.disk import sync
from store.engine import Record
from store.errors import ServingError
from store.times import system_clock
from tests.acceptance.living import until
from tests.acceptance.stage import SERVING, Stage, scores

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
SHADOW = 3


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    made = Stage(tmp_path, versions=3, serving=SERVING, pressed=True)
    try:
        made.start()
        made.promote(1)
        made.until_warm()
        yield made
    finally:
        made.close()


def test_production_moves_on_without_a_shadow_whose_files_are_damaged_and_the_history_says_why(stage: Stage) -> None:
    change(stage, do="shadow", version=SHADOW)
    assert shadow(stage)["ready"]
    files = damage(stage)
    for victim in stage.pids():
        os.kill(victim, signal.SIGKILL)
    url = stage.until_warm()
    with httpx.Client(base_url=url, trust_env=False, timeout=20) as client:
        assert client.get("/v2/health/ready").json() == {"ready": True}
        assert client.get("/v2/models/late/ready").json()["ready"]
    assert scores(url)[0] == 1
    told = until(lambda: [one["message"] for one in stage.history("shadow.not_running")], 90)
    assert told[0].startswith(f"the shadow late {SHADOW} does not run, and gets no copies: ")
    why = until(lambda: shadow(stage)["why_not"], 60)
    assert any(f"{file} has changed (" in why for file in files)
    assert not shadow(stage)["ready"]
    (need,) = [one for one in stage.get("/v1/status")["needs_you"] if "shadow" in one["message"]]
    assert (need["severity"], need["command"]) == ("warn", "trainshed shadow late")

    moved = stage.promote(2)  # what is new in the snapshot answers, although the shadow in it cannot be loaded
    assert moved["served"]["workers"] == 2
    assert (scores(url)[0], stage.endpoints()["problem"]) == (2, None)
    change(stage, do="weights", shares={1: 0.5})
    change(stage, do="stop", kind="weights")
    assert stage.rollback()["to_version"] == 1

    stage.post("/v1/endpoints", {"on": False})
    until(lambda: not stage.endpoints()["running"], 60)
    stage.post("/v1/endpoints", {"on": True})
    url = until(lambda: warm(stage), 120)
    assert scores(url)[0] == 1
    change(stage, do="lift")
    assert endpoint(stage)["shadow"] is None

    stage.kill()  # and the record names it while nobody tells the serving processes
    record = Record.open(stage.home, system_clock)
    with record.transaction() as tx:
        shadows.cast(tx, "late", SHADOW, 1.0, "anna", "")
    record.close()
    stage.start()
    assert "has changed (" in until(lambda: (endpoint(stage)["shadow"] or {}).get("why_not"), 90)
    assert (scores(url)[0], stage.endpoints()["problem"]) == (1, None)
    assert stage.promote(2)["served"]["workers"] == 2


def change(stage: Stage, **asked: Any) -> dict[str, Any]:
    found: dict[str, Any] = stage._long(
        "/v1/models/late/traffic", {"change": {"reason": "t", "override": True, **asked}}
    )
    return found


def endpoint(stage: Stage) -> dict[str, Any]:
    found: dict[str, Any] = stage.endpoints()["endpoints"][0]
    return found


def shadow(stage: Stage) -> dict[str, Any]:
    found: dict[str, Any] = endpoint(stage)["shadow"]
    return found


def warm(stage: Stage) -> str | None:
    try:
        return stage.until_warm(1.0)
    except (AssertionError, ServingError):
        return None


def damage(stage: Stage) -> list[str]:
    """What was pressed of it, and the bundle that it could be pressed from again: one bit of the largest file of each,
    as disks do it. Returns the names of these files: which is the largest differs from machine to machine."""
    digest, names = stage.digests[SHADOW], []
    for folder in (stage.home.serving.pressed(digest), stage.home.bundle(digest)):
        files = [file for file in folder.rglob("*") if file.is_file() and file.name != "MANIFEST.json"]
        victim = max(files, key=lambda file: file.stat().st_size)
        raw = bytearray(victim.read_bytes())
        raw[len(raw) // 2] ^= 1
        victim.chmod(0o600)
        victim.parent.chmod(0o700)
        victim.write_bytes(raw)
        sync(victim)
        names.append(victim.name)
    return names
