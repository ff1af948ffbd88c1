"""Sources, freshness and quarantine over the API."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from daemon.core import Daemon
from store import datasets, lifecycle
from store.facts import CategoryFacts, ColumnFacts, DatasetFacts, HistogramFacts
from store.times import to_us
from store.wire import RunRequest
from tui.client import Client
from tui.failure import ClientError

WANTS_NEW_ROWS = """
[[datasets.orders.checks]]
kind = "freshness"
column = "at"
within = "1d"
"""


def made(client: Client, daemon: Daemon, *, days_old: float = 0) -> int:
    """A run of etl:orders that made a version."""
    run = client.submit(RunRequest(job="etl:orders")).id
    facts = DatasetFacts(
        dataset="orders",
        kind="dataset",
        version=0,
        rows=7,
        added=7,
        bytes=1000,
        columns=[
            ColumnFacts(name="amount", type="float64", histogram=HistogramFacts(low=0.0, high=2.0, counts=[3, 4])),
            ColumnFacts(name="customer", type="string", top=[CategoryFacts(value="a", count=7)]),
        ],
        fingerprint="f",
        newest_us=to_us(daemon.clock() - timedelta(days=days_old)),
    )
    with daemon.record.transaction() as tx:
        lifecycle.start_attempt(tx, run, "nonce")
        datasets.add_version(tx, run, facts)
        lifecycle.settle(tx, run, "succeeded", reason="")
    return run


def test_columns_show_how_their_values_are_spread(client: Client, daemon: Daemon) -> None:
    made(client, daemon)
    latest = client.dataset("orders").latest
    assert latest is not None
    amount, customer = latest.columns
    assert amount.histogram is not None
    assert (amount.histogram.counts, amount.top) == ([3, 4], [])
    assert [(top.value, top.count) for top in customer.top] == [("a", 7)]


def test_a_source_shows_who_reads_it_and_how_the_last_fetch_went(client: Client, daemon: Daemon) -> None:
    (source,) = client.sources()
    assert (source.name, source.kind, source.address, source.datasets[0].last) == ("orders", "file", "orders.csv", None)
    run = made(client, daemon)
    (read,) = client.sources()[0].datasets
    assert read.last is not None
    assert (read.dataset, read.version, read.last.run, read.last.state, read.last.rows) == (
        "orders",
        0,
        run,
        "succeeded",
        7,
    )


def test_a_dataset_is_stale_when_its_newest_row_is_too_old(client: Client, daemon: Daemon, project: Path) -> None:
    file = project / "trainshed.toml"
    file.write_text(file.read_text() + WANTS_NEW_ROWS)
    client.reload()
    made(client, daemon, days_old=2)
    fresh = client.datasets()[0].freshness
    assert fresh is not None
    assert (fresh.basis, fresh.stale) == ("check", True)
    assert client.dataset("orders").dataset.freshness is not None


@pytest.mark.slow
def test_a_table_that_a_schedule_brings_up_to_date_is_judged_by_it(client: Client, daemon: Daemon) -> None:
    daemon.reload("ann")  # brings the schedules into the record, as the daemon's start does
    fresh = client.datasets()[0].freshness
    assert fresh is not None
    assert (fresh.basis, fresh.allowed_seconds, fresh.age_seconds) == ("schedule", 2 * 86_400, None)
    made(client, daemon)
    fresh = client.datasets()[0].freshness
    assert fresh is not None
    assert (fresh.stale, fresh.age_seconds is not None) == (False, True)
    client.pause("nightly")
    assert client.datasets()[0].freshness is None


@pytest.mark.slow
def test_quarantine_is_empty_until_something_was_thrown_out(client: Client) -> None:
    view = client.quarantine("orders")
    assert (view.total, view.rows) == (0, [])
    with pytest.raises(ClientError, match="there is no dataset"):
        client.quarantine("nothing")
    with pytest.raises(ClientError, match="there is no orders@3"):
        client.quarantine("orders", version=3)
