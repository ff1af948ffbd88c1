"""The thread that removes what is old: folders go after the record, links lead nowhere, nothing else is touched."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from daemon.keeping import policy_of
from daemon.prune import preview
from daemon.retention import EVERY_S, MOST, SOON_S, Retention
from store import events, lifecycle, oldwindows, removal
from store.engine import Record
from store.home import Home
from store.retention import Policy
from store.times import to_us, us
from store.wire import EventView
from tests.unit.config.test_monitors import project
from tests.unit.record.conftest import HandClock
from tests.unit.record.old import DAY_S, ended
from tests.unit.record.test_watching import put, window

MONTH: dict[str, Any] = {"keep_runs": "30d", "keep_newest": 1}


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def record(tmp_path: Path, clock: HandClock) -> Iterator[Record]:
    record = Record.open(Home(tmp_path / "home"), clock)
    yield record
    record.close()


def keeper(record: Record, clock: HandClock, **settings: Any) -> Retention:
    known = project(daemon={**MONTH, **settings})
    return Retention(record, lambda: known, clock)


def put_folders(record: Record, run: int) -> list[Path]:
    attempt = record.home.attempt(run, 1)
    attempt.root.mkdir(parents=True)
    attempt.stdout.write_bytes(b"x" * 10_000)
    checkpoint = record.home.checkpoints(run) / "100"
    checkpoint.mkdir(parents=True)
    (checkpoint / "data").write_bytes(b"x" * 20_000)
    return [attempt.root.parent, record.home.checkpoints(run)]


def told(record: Record) -> list[EventView]:
    with record.read() as session:
        return events.list_events(session, kind=removal.KIND).items


def old_runs(record: Record, clock: HandClock, count: int = 3) -> list[int]:
    """All but the last of them go."""
    runs = [ended(record, "monitor:late", "failed") for _ in range(count)]
    clock.forward(31 * DAY_S)
    return runs


def test_folders_and_checkpoints_go_with_their_run_and_the_sum_is_told(record: Record, clock: HandClock) -> None:
    runs = old_runs(record, clock)
    folders = [put_folders(record, run) for run in runs]
    assert keeper(record, clock).remove("daemon") is False
    assert [folder.exists() for both in folders for folder in both] == [False] * 4 + [True] * 2
    (event,) = told(record)
    assert (event.data["runs"], event.data["bytes"]) == (2, 2 * (12_288 + 20_480)), "blocks of the disk"
    assert event.message == "2 old runs were removed, 65.5 KB; ended 2026-03-01; daemon.keep_runs is 30d"
    assert not keeper(record, clock).remove("daemon")
    assert len(told(record)) == 1, "nothing more is told when nothing more went"


def test_what_a_round_that_was_cut_short_has_left_goes_with_the_next(record: Record, clock: HandClock) -> None:
    runs = old_runs(record, clock)
    folders = put_folders(record, runs[0])
    with record.transaction() as tx:
        removal.remove(tx, runs[:1])  # and killed here
    keeper(record, clock, keep_runs="off").remove("daemon")
    assert not any(folder.exists() for folder in folders)
    assert [event.data["runs"] for event in told(record)] == [1], "told though nothing is removed any more"


def test_links_are_not_followed(record: Record, clock: HandClock, tmp_path: Path) -> None:
    runs = old_runs(record, clock)
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_text("mine")
    put_folders(record, runs[0])
    (record.home.attempt(runs[0], 1).root / "inside").symlink_to(outside)
    record.home.runs.mkdir(exist_ok=True)
    (record.home.runs / str(runs[1])).symlink_to(outside)
    keeper(record, clock).remove("daemon")
    assert sorted(path.name for path in record.home.runs.iterdir()) == []
    assert (outside / "precious").read_text() == "mine"


def test_a_folder_of_which_the_record_does_not_know_that_it_was_removed_stays(record: Record, clock: HandClock) -> None:
    old_runs(record, clock)
    strange = put_folders(record, 77)  # as after a restore of an older record
    keeper(record, clock).remove("daemon")
    assert all(folder.exists() for folder in strange)


def test_files_that_a_backup_has_too_do_not_count_as_freed(record: Record, clock: HandClock) -> None:
    runs = old_runs(record, clock)
    put_folders(record, runs[0])
    file = record.home.checkpoints(runs[0]) / "100" / "data"
    record.home.backups.mkdir()
    (record.home.backups / "data").hardlink_to(file)
    keeper(record, clock).remove("daemon")
    assert told(record)[0].data["bytes"] == 12_288
    assert (record.home.backups / "data").stat().st_size == 20_000


def test_one_that_is_tried_again_between_the_look_and_the_removal_stays(record: Record, clock: HandClock) -> None:
    runs = old_runs(record, clock)
    with record.transaction() as tx:
        lifecycle.requeue(tx, runs[0], "ann")
    policy = Policy(keep_us=us(timedelta(days=30)), newest=1)
    assert keeper(record, clock)._remove(policy, runs[:2]) == 1
    with record.read() as session:
        assert list(session.execute(text("SELECT id FROM run ORDER BY id")).scalars()) == [runs[0], runs[2]]


def test_a_round_takes_so_many_at_most_and_the_next_goes_on_soon(
    record: Record, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = old_runs(record, clock, 8)
    retention = keeper(record, clock)
    monkeypatch.setattr("daemon.retention.MOST", 4)
    monkeypatch.setattr("daemon.retention.BATCH", 2)
    assert MOST > 4
    assert retention._round() == SOON_S
    assert retention._round() == EVERY_S
    assert [event.data["runs"] for event in told(record)] == [3, 4]
    with record.read() as session:
        assert list(session.execute(text("SELECT id FROM run ORDER BY id")).scalars()) == runs[-1:]


def test_a_round_forgets_old_windows_too(record: Record, clock: HandClock) -> None:
    put(record, *(window(hour) for hour in range(403)))
    known = project(monitors={"late": {"model": "late", "keep_windows": "1d"}})
    Retention(record, lambda: known, clock)._round()
    with record.read() as session:
        assert len(list(session.execute(text("SELECT start_us FROM watch_window")).scalars())) == 400
        assert oldwindows.monitors(session) == ["late"]


def test_who_asked_for_it_is_told(record: Record, clock: HandClock) -> None:
    old_runs(record, clock)
    retention = keeper(record, clock)
    retention.ask("ann")
    retention._round()
    assert [event.actor for event in told(record)] == ["ann"]


# ------------------------------------------------------------------------------------------------------ the settings


def policy(**sections: Any) -> Policy:
    return policy_of(project(**sections))


def test_runs_stay_for_a_year_if_nothing_else_is_said() -> None:
    assert policy() == Policy(keep_us=us(timedelta(days=365)), newest=30)


def test_off_keeps_all_and_a_job_may_say_otherwise() -> None:
    jobs = {"monitor:late": {"keep_runs": "10d"}, "train:late": {"keep_runs": "off"}, "backup": {"priority": 1}}
    found = policy(daemon={"keep_runs": "off"}, jobs=jobs, monitors={"late": {"model": "late"}})
    assert found.keep_us is None
    assert found.of_jobs == {"monitor:late": us(timedelta(days=10)), "train:late": None}


def test_what_a_rule_counts_stays_for_as_long_as_it_looks_back() -> None:
    retrain = {"reports": 3, "cool_down": "7d", "per": "90d"}
    monitors = {"mine": {"model": "late", "window": "1w", "retrain": retrain}}
    jobs = {"monitor:mine": {"keep_runs": "60d"}}
    found = policy(daemon={"keep_runs": "1d"}, monitors=monitors)
    assert found.of_jobs == {"train:late": us(timedelta(days=90)), "monitor:mine": us(timedelta(weeks=6))}
    assert found.keep_us == us(timedelta(days=1))
    longer = policy(daemon={"keep_runs": "1d"}, monitors=monitors, jobs=jobs)
    assert longer.of_jobs["monitor:mine"] == us(timedelta(days=60))
    assert policy(daemon={"keep_runs": "off"}, monitors=monitors).of_jobs == {"train:late": None, "monitor:mine": None}


def test_a_preview_says_what_would_go_and_changes_nothing(record: Record, clock: HandClock) -> None:
    runs = old_runs(record, clock, 4)
    put_folders(record, runs[0])
    with record.read() as session:
        view = preview(session, record.home, project(daemon=MONTH), to_us(clock()), lambda: 0.0)
    assert (view.keep, view.keep_newest, view.runs, view.staying, view.complete) == ("30d", 1, 3, 1, True)
    assert (view.bytes, view.measured) == (12_288 + 20_480, 3)
    assert [(job.job, job.runs) for job in view.jobs] == [("monitor:late", 3)]
    assert [one.run for one in view.goes] == runs[:3]
    assert [(one.run, one.why) for one in view.stays] == [(runs[3], "it is one of the newest 1 of monitor:late")]
    with record.read() as session:
        assert len(list(session.execute(text("SELECT id FROM run ORDER BY id")).scalars())) == 4
