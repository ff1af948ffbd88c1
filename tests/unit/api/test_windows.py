"""Lists by position, sparks, curves and the search of logs over the wire; who goes away is not worked for."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner, Result

from daemon.core import Daemon
from daemon.logsearch import Text, find
from pipeline.process.cappedlog import CappedLog
from store import lifecycle, metrics
from store.listing import pick
from store.metrics import Chunk
from store.wire import RunRequest, RunView, Window
from tui.cli import app
from tui.client import Client
from tui.failure import ClientError


def _submit(client: Client, count: int) -> None:
    for number in range(count):
        client.submit(RunRequest(job="train:late" if number % 2 else "etl:orders", priority=number))


@pytest.mark.slow
def test_runs_are_shown_by_position_filtered_and_sorted(client: Client) -> None:
    _submit(client, 5)
    window = client.run_window("late", sort="-priority", offset=1, limit=5)
    assert [(run.job, run.priority) for run in window.items] == [("train:late", 1)]
    assert (window.offset, window.total) == (1, 2)
    assert client.count_runs("job!=train:late") == 3
    assert [run.id for run in client.run_window(offset=3, limit=10).items] == [2, 1]


def test_events_are_shown_by_position_and_filtered(client: Client) -> None:
    _submit(client, 3)
    window = client.event_window("kind=run.queued", offset=1, limit=1)
    assert [event.subject for event in window.items] == ["run 2"]
    assert window.total == client.count_events("kind=run.queued") == 3


def test_a_filter_that_means_nothing_is_refused_with_place_and_remedy(client: Client) -> None:
    with pytest.raises(ClientError, match="stat is no field of runs and no metric") as refused:
        client.run_window("stat=failed")
    assert "the fields: actor, attempt" in str(refused.value)
    with pytest.raises(ClientError, match="filter, character 6"):
        client.run_window("late loss<abc")


@pytest.mark.parametrize("name", ["share>0.5?", "late #2", "a/../b", "100%25", "täglich/verlust"])
def test_a_curve_of_any_name_is_found(client: Client, daemon: Daemon, name: str) -> None:
    """What stands behind `?` and `#` was no part of the name."""
    _submit(client, 1)
    with daemon.record.transaction() as tx:
        metrics.add_points(tx, [Chunk(1, 0, range(3), {name: [1.0, 2.0, 3.0]})])
    assert [point.value for point in client.metric(1, name).points] == [1.0, 2.0, 3.0]


def test_sparks_and_curves_grow(client: Client, daemon: Daemon) -> None:
    _submit(client, 2)
    with daemon.record.transaction() as tx:
        metrics.add_points(tx, [Chunk(2, 0, range(3000), {"train/loss": [1 / (1 + n) for n in range(3000)]})])
    (spark,) = client.sparks([1, 2], points=4)
    assert (spark.run, spark.metric, spark.step, len(spark.values)) == (2, "train/loss", 2999, 4)
    assert len(client.metric(2, "train/loss", points=20).points) <= 20
    assert [point.step for point in client.metric(2, "train/loss", since_step=2996).points] == [2997, 2998, 2999]
    assert client.metric(2, "train/loss", since_step=2999).points == []


# ------------------------------------------------------------------------------------------------- the command line


@pytest.fixture
def say(project: Path, client: Client, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """A verb in the served project's folder."""
    monkeypatch.chdir(project)
    monkeypatch.delenv("TRAINSHED_HOME", raising=False)
    monkeypatch.setenv("COLUMNS", "200")
    return lambda *words: CliRunner().invoke(app, words, prog_name="trainshed")


def test_the_command_line_lists_by_filter_order_and_position(client: Client, say: Callable[..., Result]) -> None:
    _submit(client, 5)
    shown = say("runs", "list", "--filter", "job=etl:orders", "--sort", "-priority", "--limit", "2")
    assert [line.split()[0] for line in shown.stdout.splitlines()[1:]] == ["5", "3"]
    assert "1 to 2 of 3; more: --offset 2" in shown.stderr
    rest = say("runs", "list", "--filter", "job=etl:orders", "--sort", "-priority", "--offset", "2", "--json")
    assert [run.id for run in Window[RunView].model_validate_json(rest.stdout).items] == [1]
    assert "no run is there" in say("runs", "list", "--filter", "nowhere").stdout
    events = say("events", "--filter", "kind=run.queued orders", "--limit", "1")
    assert "1 to 1 of 3; more: --offset 1" in events.stderr
    assert "etl:orders is queued as run 5" in events.stdout


@pytest.mark.slow
def test_the_command_line_searches_a_log(client: Client, daemon: Daemon, say: Callable[..., Result]) -> None:
    _submit(client, 1)
    _log(daemon, 1, "one\nTwo two\nthree\nand two\n")
    assert say("runs", "logs", "1", "--search", "two", "-i").stdout == "4: Two two\n18: and two\n"
    hits = json.loads(say("runs", "logs", "1", "--search", "two", "--json").stdout)
    assert [(hit["offset"], hit["line"]) for hit in hits] == [(8, "Two two"), (22, "and two")]
    assert "stdout of run 1 does not hold 'four'" in say("runs", "logs", "1", "--search", "four").stderr
    assert say("runs", "logs", "1", "--search", "re:^t|o$").stdout == "4: Two two\n12: three\n18: and two\n"
    wrong = say("runs", "logs", "1", "--search", "re:(two")
    assert wrong.exit_code == 1
    assert "(two cannot be read: missing )" in wrong.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("runs", "list", "--filter", "late", "--job", "train:late"),
        ("runs", "list", "--offset", "3", "--after", "x"),
        ("events", "--filter", "late", "--follow"),
        ("runs", "logs", "1", "--search", "x", "--follow"),
    ],
)
def test_two_ways_to_list_at_once_are_wrong_usage(say: Callable[..., Result], words: tuple[str, ...]) -> None:
    assert say(*words).exit_code == 2


# ------------------------------------------------------------------------------------------------------ going away


def test_a_search_whose_reader_has_gone_is_ended(
    client: Client, daemon: Daemon, socket_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twenty readers, of more than there are connections, ask for what takes minutes, and go; the next is answered."""
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
    began: list[float] = []
    ended: list[float] = []

    def slow(driver: object, *_: object) -> int:
        began.append(time.monotonic())
        try:
            return int(driver.execute(endless).fetchone()[0])  # type: ignore[attr-defined]
        finally:
            ended.append(time.monotonic())

    monkeypatch.setattr(pick, "_count", slow)
    for number in range(20):
        with socket.socket(socket.AF_UNIX) as reader:
            reader.connect(str(socket_path))
            reader.sendall(b"GET /v1/runs/count?q=late HTTP/1.1\r\nHost: shed\r\n\r\n")
            _until(lambda: len(began) > number)  # noqa: B023
        _until(lambda: len(ended) > number)  # noqa: B023
    monkeypatch.undo()
    assert max(end - start for start, end in zip(began, ended, strict=True)) < 5
    assert client.run_window("late").items == []


def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.002)


# ------------------------------------------------------------------------------------------------------------ logs


def _log(daemon: Daemon, run: int, text: str) -> None:
    with daemon.record.transaction() as tx:
        lifecycle.start_attempt(tx, run, "nonce")
    folder = daemon.home.attempt(run, 1)
    folder.root.mkdir(parents=True)
    folder.stdout.write_text(text)


def test_a_log_is_searched_forward_and_backward(client: Client, daemon: Daemon, http: httpx.Client) -> None:
    _submit(client, 1)
    text = "epoch 1\nWarning: höhe is NaN\nepoch 2\nwarning again\n"
    _log(daemon, 1, text)
    first = client.search_log(1, "stdout", "arning")
    assert first.offset is not None
    assert (first.line, first.line_offset, first.size) == ("Warning: höhe is NaN", 8, len(text.encode()))
    second = client.search_log(1, "stdout", "arning", start=first.offset + 1)
    assert second.line == "warning again"
    assert second.offset is not None
    assert client.search_log(1, "stdout", "arning", start=second.offset + 1).offset is None
    assert client.search_log(1, "stdout", "WARNING").offset is None
    assert client.search_log(1, "stdout", "WARNING", backward=True, ignore_case=True).line == "warning again"
    back = client.search_log(1, "stdout", "warning", start=second.line_offset, backward=True, ignore_case=True)
    assert back.line == "Warning: höhe is NaN"
    assert http.get("/v1/runs/1/logs/stdout/search", params={"text": ""}).status_code == 422


def test_what_stands_across_pieces_and_segments_is_found(tmp_path: Path) -> None:
    log = tmp_path / "stdout.log"
    block = b"." * 99 + b"\n"
    capped = CappedLog(str(log), cap=4_000_000)
    for number in range(60_000):
        capped.write(b"needle %d\n" % number if number % 7_919 == 0 else block)
    capped.close()
    at: int | None = 0
    found = []
    while at is not None:
        hit = find(log, Text(b"needle", False), at, backward=False, stop=lambda: False)
        if hit.offset is not None:
            found.append(hit.line)
        at = None if hit.offset is None else hit.offset + 1
    back = []
    start: int | None = None
    while (hit := find(log, Text(b"NEEDLE", True), start, backward=True, stop=lambda: False)).offset is not None:
        back.append(hit.line)
        start = hit.offset
    assert back == found[::-1]
    assert found[-1] == "needle 55433"
