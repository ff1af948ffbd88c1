"""The machine room over the API: what the daemon says of itself, its record, its folders, its devices."""

from __future__ import annotations

import os
from datetime import timedelta

import pytest

from daemon.core import Daemon
from store import lifecycle, samples
from store.samples import Sample
from store.wire import RunRequest
from tui.client import Client


def test_the_system_shows_the_daemon_its_record_and_its_folders(client: Client, daemon: Daemon) -> None:
    client.submit(RunRequest(job="backup"))
    view = client.system()
    assert view.daemon.pid == os.getpid()
    assert view.daemon.rss > 10_000_000
    assert view.daemon.open_files > 3
    assert view.daemon.revision == client.status().rev
    assert view.record.rows["run"] == 1
    assert view.record.bytes > 0
    assert view.record.schema_revision
    assert view.record.backup is None
    assert view.folders is not None
    assert [process.what for process in view.processes] == ["daemon"]
    assert [(pool.name, pool.used, pool.limit, pool.waiting) for pool in view.devices.pools] == [("default", 0, 2, 1)]


def test_a_run_holds_its_slots_and_its_share_of_a_gpu(client: Client, daemon: Daemon) -> None:
    run = client.submit(RunRequest(job="train:late")).id
    with daemon.record.transaction() as tx:
        lifecycle.start_attempt(tx, run, "nonce", {"device": "gpu:0", "memory": 0.45})
    devices = client.system().devices
    assert (devices.slots_used, devices.slots) == (1, 2)
    assert devices.pools[0].used == 1


def test_the_box_is_told_in_even_stretches(client: Client, daemon: Daemon) -> None:
    for cpu, received in ((10.0, None), (30.0, 1000.0)):
        with daemon.record.transaction() as tx:
            samples.add_samples(tx, [Sample(samples.BOX, cpu, 5_000, received=received, disk_free=9_000)])
    history = client.box_history(minutes=10, points=2)
    (point,) = history.points
    assert (point.cpu_percent, point.cpu_peak, point.memory_used, point.received) == (20.0, 30.0, 5_000, 1000.0)
    assert (point.sent, point.disk_free) == (None, 9_000)
    assert (point.at - history.since) / timedelta(seconds=history.step_seconds) in (0.0, 1.0)
    assert history.step_seconds == pytest.approx(300, rel=1e-3)


def test_the_box_says_what_flows(daemon: Daemon) -> None:
    with daemon.record.transaction() as tx:
        samples.add_samples(tx, [Sample(3, 1.0, 2)])
    box = daemon.box()
    assert box.received is None, "measured once, nothing is known of the flow"


@pytest.mark.slow
def test_the_doctor_is_asked_once_a_minute(client: Client) -> None:
    first = client.doctor()
    assert {finding.about for finding in first.findings} >= {"python", "sqlite", "disk", "project"}
    assert client.doctor() == first
    assert client.doctor(fresh=True).at > first.at
