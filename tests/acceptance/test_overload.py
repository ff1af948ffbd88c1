"""Three times what a server can answer, asked by a client that does not wait: real processes, real sockets."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import jax
import jax.numpy as jnp
import numpy as np
import psutil
import pytest

from benchmarks.made import flood, load
from benchmarks.made.net import apply
from benchmarks.serving import Serving, as_json
from store.home import Home
from tests.thorough import only_thorough

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600), only_thorough("its times say something on a quiet box")]
CLOSED, SECONDS = 32, 5.0
GROWTH = 20_000_000
BURST_S = 1.0
"""So long it may be one, whose requests wait for as long as is allowed."""
COLLECTION_S = 0.02
"""Of the processor: what is loaded takes 0.06."""
WATCH = """
import gc, os, sys, time

def hear(phase, facts):
    global began
    if phase == "start":
        began = time.thread_time()
    else:
        took = time.thread_time() - began
        with open(os.environ["COLLECTIONS"], "a") as file:
            print(gc.get_freeze_count(), took, file=file)

if "pipeline.serving.worker" in sys.orig_argv:
    gc.callbacks.append(hear)
"""


def tedious(params: dict[str, jax.Array], numeric: jax.Array, categorical: jax.Array) -> jax.Array:
    """Some 40 ms a batch, however many rows it has: reading requests is nothing beside it, so that the client and the
    loop have room on a box that is busy with other things."""
    dust = jax.lax.fori_loop(0, 8_000_000, lambda turn, sum: sum * 0.5 + turn.astype(jnp.float32) * 1e-30, 0.0)
    return jnp.add(apply(params, numeric, categorical), dust * 1e-30)


@pytest.fixture(scope="module")
def collections(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where workers say what their collections of garbage took."""
    return tmp_path_factory.mktemp("watched") / "collections"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, collections: Path) -> Iterator[Serving]:
    home = Home(tmp_path_factory.mktemp("overload"))
    home.serving.root.mkdir(parents=True)
    (collections.parent / "sitecustomize.py").write_text(WATCH)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PYTHONPATH", str(collections.parent), os.pathsep)
        environment.setenv("COLLECTIONS", str(collections))
        made = Serving(home, function=tedious, largest=16)
    yield made
    made.stop()


def test_in_an_overload_those_who_are_taken_wait_no_longer_and_the_others_hear_so_at_once(
    server: Serving, collections: Path
) -> None:
    port, worker, sent = server.status()["port"], psutil.Process(server.pid), as_json(1)
    closed = json.loads(load.start(port, CLOSED, sent, SECONDS).communicate()[0])
    assert closed["failed"] == 0, "clients that wait for their answers are never too many here"
    capacity = len(closed["times"]) / SECONDS
    usual = [told(flood.start(port, capacity, sent, SECONDS))]
    before = worker.memory_info().rss
    client = flood.start(port, 3 * capacity, sent, SECONDS)
    alive = looked_at(port)
    crowded = told(client)
    after = worker.memory_info().rss
    usual.append(told(flood.start(port, capacity, sent, SECONDS)))

    assert alive == {200}, "health is told all the more"
    assert set(crowded["times"]) == {"200", "503"}
    taken, refused = crowded["times"]["200"], crowded["times"]["503"]
    assert (crowded["broken"], crowded["unanswered"], crowded["without_retry_after"]) == (0, 0, 0)
    assert len(refused) > 0.4 * (len(taken) + len(refused)), "two of three find no room"
    assert len(taken) > 0.1 * capacity * SECONDS, "and refusing them does not stop the work"
    settled = [took for took, at in zip(taken, crowded["asked_at"]["200"], strict=True) if at > BURST_S]
    assert np.quantile(settled, 0.99) < 2.0 * max(np.quantile(one["times"]["200"], 0.99) for one in usual)
    assert np.median(refused) < np.median(taken) / 5
    assert after - before < GROWTH
    said = [line.split() for line in collections.read_text().splitlines()]
    accepting = [float(took) for set_aside, took in said if int(set_aside) > 50_000]
    assert accepting, "what is loaded was set aside"
    assert max(accepting) < COLLECTION_S, "so that nobody waits until all of it was looked through"
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, verify=False, timeout=20) as asked:
        assert asked.get("/v2/models/net/ready").json()["ready"]
        assert "trainshed_serving_requests" in asked.get("/metrics").text


def told(client: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(client.communicate()[0])
    return found


def looked_at(port: int) -> set[int]:
    """What a load balancer hears meanwhile."""
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, verify=False, timeout=20) as client:
        return {client.get("/v2/health/live").status_code for _ in range(20)}
