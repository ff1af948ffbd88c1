"""Endpoints while they are operated: keys come and go, settings change, and those who ask are not cut off."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.acceptance.living import until
from tests.acceptance.stage import ROW, Stage
from tests.acceptance.test_serving import PAUSE, Clients, RpcDoor

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    made = Stage(tmp_path_factory.mktemp("operations"), versions=1, pressed=True)
    try:
        made.start()
        made.promote(1)
        made.until_warm()
        yield made
    finally:
        made.close()


def test_changed_settings_renew_every_worker_and_no_request_fails(stage: Stage) -> None:
    url, before, rpc = stage.url(), set(stage.pids()), stage.endpoints()["grpc"]
    file = stage.folder / "trainshed.toml"
    others = Clients(rpc, connections=1, door=RpcDoor, pause=PAUSE)
    with Clients(url, connections=3, pause=PAUSE) as clients, others:
        until(lambda: clients.answered > 20)
        file.write_text(file.read_text().replace("max_batch = 16", "max_batch = 16\nmax_rows = 2"))
        stage.post("/v1/reload", {})
        until(lambda: renewed(stage, before), 180)
        answered = clients.answered
        until(lambda: clients.answered > answered + 20)
    assert clients.lost + others.lost == []
    assert clients.broken == 0
    assert stage.url() == url
    assert asked(url, rows=3).status_code == 400
    assert [event["message"] for event in stage.history("endpoints.renewed")]


def test_a_key_shuts_the_door_for_all_others_until_it_is_revoked(stage: Stage) -> None:
    url = stage.url()
    assert asked(url).status_code == 200
    made = stage.post("/v1/keys", {"name": "shop", "models": ["late"]})
    assert asked(url).status_code == 401
    assert asked(url, key=made["key"]).status_code == 200
    stage.post("/v1/keys/shop/revoke", {})
    assert asked(url, key=made["key"]).status_code == 401


def renewed(stage: Stage, before: set[int]) -> bool:
    states = {worker["pid"]: worker["state"] for worker in stage.status()["workers"]}
    return not before & set(states) and sorted(states.values()) == ["accepting", "ready"]


def asked(url: str, *, rows: int = 1, key: str | None = None) -> Any:
    headers = {"authorization": f"Bearer {key}"} if key else {}
    with httpx.Client(base_url=url, trust_env=False, verify=False, timeout=20) as client:
        return client.post("/v1/predict/late", json=[ROW] * rows, headers=headers)
