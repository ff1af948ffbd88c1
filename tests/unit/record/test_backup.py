"""Backups: one state of the record with the lake as that state knows it; restores: the whole of it or nothing."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from pipeline.backup import run_backup
from pipeline.config import load_project
from pipeline.process.context import Preempted, RunContext
from pipeline.process.spec import RunSpec
from pipeline.process.spool import Spool
from pipeline.restore import ENTRIES, main, restore
from store import datasets, events, lake, queue
from store.backup import MANIFEST, Manifest, copy_database, row_counts
from store.engine import Record
from store.errors import DaemonRunning, NotFound, RecordDamaged, RecordTooNew, StorageError
from store.facts import DatasetFacts
from store.home import Home
from store.queue import NewRun
from store.times import system_clock

NOW = datetime(2026, 3, 1, 2, tzinfo=UTC)


def _context(
    folder: Path, home: Home, now: Callable[[], datetime] = lambda: NOW, params: dict[str, str] | None = None
) -> RunContext:
    (folder / "trainshed.toml").write_text('[project]\nname = "kept"\n[daemon]\nkeep_backups = 2\n')
    spec = RunSpec(
        run=1,
        attempt=1,
        nonce="n",
        job="backup",
        kind="backup",
        target="",
        project=folder,
        home=home.root,
        params=params or {},
    )
    return RunContext(
        spec=spec,
        project=load_project(folder),
        home=home,
        spool=Spool(folder / "events.jsonl", lambda: 0.0),
        now=now,
    )


def _commit(record: Record, rows: int) -> int:
    """A version of `flights` in the lake and, unless rows is negative, in the record."""
    table = pa.table({"n": list(range(abs(rows)))})
    place = record.home.dataset("flights")
    found = lake.latest(place)
    expected = found.version if found is not None else None
    made = lake.commit(place, table.to_reader(), mode="append", metadata={}, expected=expected)
    if rows < 0:
        return made.version
    with record.transaction() as tx:
        new = NewRun(job="etl:flights", kind="etl", target="flights", trigger="manual", actor="ann")
        (run,) = queue.submit(tx, [new])
        facts = DatasetFacts(
            dataset="flights",
            kind="dataset",
            version=made.version,
            rows=made.rows,
            added=rows,
            bytes=made.bytes,
            columns=[],
            fingerprint="f",
        )
        datasets.add_version(tx, run, facts)
    return made.version


def _messages(home: Home) -> list[str]:
    with closing(sqlite3.connect(home.database)) as database:
        return [row[0] for row in database.execute("SELECT message FROM event ORDER BY id")]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def test_a_copy_taken_while_others_write_is_one_state(home: Home, tmp_path: Path) -> None:
    record = Record.open(home, system_clock)
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            with record.transaction() as tx:
                for half in ("first", "second"):
                    events.append(tx, actor="a", kind="test.half", subject="s", message=half)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(5):
            counts = copy_database(home.database, tmp_path / f"copy{number}.db")
            assert counts["event"] % 2 == 0
            with closing(sqlite3.connect(tmp_path / f"copy{number}.db")) as copy:
                assert row_counts(copy) == counts
    finally:
        stop.set()
        writer.join()
        record.close()
    assert sorted(path.name for path in tmp_path.glob("copy*")) == [f"copy{number}.db" for number in range(5)]


def test_a_damaged_database_is_not_copied(home: Home, tmp_path: Path) -> None:
    record = Record.open(home, system_clock)
    with record.transaction() as tx:
        for number in range(500):
            events.append(tx, actor="a", kind="test.row", subject="s", message=f"{number} " + "x" * 100)
    record.close()
    with open(home.database, "r+b") as file:
        file.seek(file.seek(0, os.SEEK_END) * 3 // 4 // 4096 * 4096)
        file.write(b"\xff" * 4096)
    with pytest.raises(RecordDamaged):
        copy_database(home.database, tmp_path / "copy.db")
    assert list(tmp_path.glob("copy*")) == []


def test_a_backup_holds_the_lake_up_to_the_version_that_the_record_knows(home: Home, tmp_path: Path) -> None:
    record = Record.open(home, system_clock)
    _commit(record, 10)
    version = _commit(record, 20)
    _commit(record, -40)  # committed in the lake by a run that the record has not heard of yet
    run_backup(_context(tmp_path, home))
    record.close()
    (backup,) = home.backups.iterdir()
    assert backup.name == "20260301T020000Z"
    manifest = Manifest.model_validate_json((backup / MANIFEST).read_bytes())
    assert manifest.datasets == {"datasets/flights": version}
    assert manifest.rows["dataset_version"] == 2
    kept = lake.latest(Home(backup).dataset("flights"))
    assert kept is not None
    assert (kept.version, kept.rows) == (version, 30)
    (line,) = [json.loads(line) for line in (tmp_path / "events.jsonl").read_text().splitlines() if "artifact" in line]
    assert (line["kind"], line["path"], line["bytes"]) == ("backup", "backups/20260301T020000Z", manifest.bytes)


def test_what_was_asked_answered_and_found_true_is_in_a_backup_and_comes_back(home: Home, tmp_path: Path) -> None:
    """It cannot be made again; and a restore puts the whole lake aside."""
    Record.open(home, system_clock).close()
    places = (home.predictions("late"), home.labels("late"))
    for expected, rows in ((None, 3), (0, 4)):
        for place in places:
            table = pa.table({"request": [f"r{expected}-{number}" for number in range(rows)]})
            lake.commit(place, table.to_reader(), mode="append", metadata={}, expected=expected)
    replaced = places[0] / "part-of-a-version-before.parquet"
    replaced.write_bytes(b"what tidying takes away an hour later")
    run_backup(_context(tmp_path, home))
    (backup,) = home.backups.iterdir()
    assert not (backup / replaced.relative_to(home.root)).exists()
    for place in places:
        shutil.rmtree(place)
    restore(backup, home, NOW)
    for place in places:
        found = lake.latest(place)
        assert found is not None
        assert found.rows == 7


def test_only_the_newest_backups_are_kept_and_a_killed_one_is_swept_away(home: Home, tmp_path: Path) -> None:
    Record.open(home, system_clock).close()
    (home.backups / ".partial-20200101T000000Z" / "lake").mkdir(parents=True)
    (home.backups / "20250101T000000Z-before-0002").mkdir()
    for day in (1, 2, 3, 4):
        run_backup(_context(tmp_path, home, lambda day=day: datetime(2026, 3, day, tzinfo=UTC)))  # type: ignore[misc]
    assert sorted(path.name for path in home.backups.iterdir()) == [
        "20250101T000000Z-before-0002",
        "20260303T000000Z",
        "20260304T000000Z",
    ]


def test_the_backup_that_was_just_made_is_kept_also_by_a_clock_that_was_set_back(home: Home, tmp_path: Path) -> None:
    Record.open(home, system_clock).close()
    for day in (3, 4, 1):
        run_backup(_context(tmp_path, home, lambda day=day: datetime(2026, 3, day, tzinfo=UTC)))  # type: ignore[misc]
    assert sorted(path.name for path in home.backups.iterdir()) == ["20260301T000000Z", "20260304T000000Z"]


def test_a_backup_that_is_asked_to_stop_leaves_nothing(home: Home, tmp_path: Path) -> None:
    record = Record.open(home, system_clock)
    _commit(record, 10)
    record.close()
    context = _context(tmp_path, home)
    context.stop.set()
    with pytest.raises(Preempted):
        run_backup(context)
    assert list(home.backups.iterdir()) == []


def test_a_place_that_cannot_be_written_is_told(home: Home, tmp_path: Path) -> None:
    Record.open(home, system_clock).close()
    home.backups.write_text("in the way")
    with pytest.raises(StorageError, match="could not be written"):
        run_backup(_context(tmp_path, home))


def test_a_backup_to_another_folder_is_a_copy_and_lets_go_of_nothing_there(home: Home, tmp_path: Path) -> None:
    record = Record.open(home, system_clock)
    _commit(record, 10)
    record.close()
    elsewhere = tmp_path / "disk"
    others = {elsewhere / "20200101T000000Z" / MANIFEST, elsewhere / ".partial-of-another-home" / "x"}
    for file in others:
        file.parent.mkdir(parents=True)
        file.write_text("{}")
    for day in (1, 2, 3):
        now = datetime(2026, 3, day, tzinfo=UTC)
        run_backup(_context(tmp_path, home, lambda now=now: now, {"to": str(elsewhere)}))  # type: ignore[misc]
    assert all(file.is_file() for file in others)
    made = sorted(elsewhere.glob("2026*"))
    assert {folder.stat().st_mode & 0o777 for folder in made} == {0o700}, "whoever may look into the disk's folder"
    assert len(made) == 3  # keep_backups = 2 is of the home's
    assert not home.backups.exists() or not list(home.backups.glob("2026*"))
    copies = [path for path in (made[0] / "lake").rglob("*") if path.is_file()]
    assert copies
    assert all(path.stat().st_nlink == 1 for path in copies)
    assert restore(made[0], Home(tmp_path / "new home"), NOW).entries == [home.database.name, *ENTRIES]
    assert _state(Home(tmp_path / "new home")) == (0, 10)


@pytest.mark.parametrize("to", ["lake/copies", "."])
def test_a_backup_into_the_home_itself_is_refused(home: Home, tmp_path: Path, to: str) -> None:
    Record.open(home, system_clock).close()
    with pytest.raises(StorageError, match="would be lost with it"):
        run_backup(_context(tmp_path, home, params={"to": str(home.root / to)}))


def test_a_disk_that_is_not_there_is_not_made_up(home: Home, tmp_path: Path) -> None:
    Record.open(home, system_clock).close()
    with pytest.raises(StorageError, match="No such file"):
        run_backup(_context(tmp_path, home, params={"to": str(tmp_path / "mnt" / "disk")}))
    assert not (tmp_path / "mnt").exists()


# -------------------------------------------------------------------------------------------------------- restoring


@pytest.fixture
def backup(home: Home, tmp_path: Path) -> Path:
    """A backup with 30 rows; after it, the record and the lake have gone on."""
    record = Record.open(home, system_clock)
    _commit(record, 30)
    run_backup(_context(tmp_path, home))
    _commit(record, 12)
    record.close()
    return home.backups / "20260301T020000Z"


def _state(home: Home) -> tuple[int, int]:
    """(newest version of flights in the record, rows in the lake)."""
    record = Record.open(home, system_clock)
    with record.read() as session:
        version = datasets.latest_versions(session)["flights"].version
    record.close()
    found = lake.latest(home.dataset("flights"))
    assert found is not None
    assert found.version == version
    return version, found.rows


def test_a_restore_brings_back_record_and_lake_and_keeps_what_was_there(home: Home, backup: Path) -> None:
    assert _state(home) == (1, 42)
    done = restore(backup, home, NOW)
    assert _state(home) == (0, 30)
    assert done.aside == home.root / "before-restore-20260301T020000Z"
    before = lake.latest(Home(done.aside).dataset("flights"))
    assert before is not None
    assert before.rows == 42
    assert not home.restoring.exists()
    assert list(home.root.glob("restore-*")) == []


def test_a_restore_into_an_empty_home_makes_it(home: Home, backup: Path, tmp_path: Path) -> None:
    restore(backup, Home(tmp_path / "elsewhere"), NOW)
    assert _state(Home(tmp_path / "elsewhere")) == (0, 30)
    assert (tmp_path / "elsewhere").stat().st_mode & 0o777 == 0o700


def test_a_folder_with_only_a_database_exchanges_only_the_database(home: Home, backup: Path) -> None:
    (backup / MANIFEST).unlink()
    done = restore(backup, home, NOW)
    assert done.entries == ["trainshed.db"]
    assert len(_messages(home)) < len(_messages(Home(done.aside)))
    found = lake.latest(home.dataset("flights"))
    assert found is not None
    assert found.rows == 42


def test_a_running_daemon_keeps_a_restore_out(home: Home, backup: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with open(home.daemon_lock, "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(DaemonRunning) as refused:
            restore(backup, home, NOW)
        assert "trainshed down" in refused.value.remedy
        assert main([str(backup), "--home", str(home.root)]) == 3
    assert "the daemon of this home is running" in capsys.readouterr().err
    assert _state(home) == (1, 42)


def test_what_is_no_sound_backup_is_refused_and_changes_nothing(home: Home, backup: Path, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"holds no trainshed\.db"):
        restore(tmp_path, home, NOW)
    shutil.copytree(backup, tmp_path / "newer")
    with closing(sqlite3.connect(tmp_path / "newer" / "trainshed.db")) as database:
        database.execute("UPDATE alembic_version SET version_num = '0042'")
        database.commit()
    with pytest.raises(RecordTooNew):
        restore(tmp_path / "newer", home, NOW)
    shutil.copytree(backup, tmp_path / "damaged")
    (tmp_path / "damaged" / "trainshed.db").write_bytes(b"nothing of the kind" * 1000)
    with pytest.raises(RecordDamaged):
        restore(tmp_path / "damaged", home, NOW)
    assert _state(home) == (1, 42)


def test_a_restore_that_cannot_be_copied_leaves_nothing_half_done(home: Home, backup: Path) -> None:
    (backup / "lake" / "gone").symlink_to(backup / "nowhere")
    before = sorted(path.name for path in home.root.iterdir())
    with pytest.raises(StorageError, match=r"could not be written: .*No such file"):
        restore(backup, home, NOW)
    assert sorted(path.name for path in home.root.iterdir() if path != home.daemon_lock) == before
    assert _state(home) == (1, 42)


def test_the_program_says_what_it_did(home: Home, backup: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(backup), "--home", str(home.root), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["home"] == str(home.root)
    assert said["entries"] == ["trainshed.db", *ENTRIES]
    assert main([str(backup / "nowhere"), "--home", str(home.root)]) == 1
    assert "holds no trainshed.db" in capsys.readouterr().err
    assert main([str(backup / "nowhere"), "--home", str(home.root), "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["code"] == "NotFound"
