"""The record when its process is killed: old or new, never between; what was acknowledged is there."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import textwrap
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.restore import ENTRIES, restore
from store import events
from store.backup import MANIFEST, copy_database
from store.engine import Record
from store.errors import StorageError
from store.home import Home
from store.migrations import OURS
from store.times import system_clock
from tests.thorough import repeats

pytestmark = pytest.mark.slow
NOW = datetime(2026, 3, 1, 2, tzinfo=UTC)
ROWS = 30_000
ROOT = Path(__file__).resolve().parents[2]


def _script(source: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(source), *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


# -------------------------------------------------------------------------------------------------------- migrations

MIGRATION = """
revision = "mood"
down_revision = "HEAD"

import sqlalchemy as sa
from alembic import op


def upgrade() -> None:
    print("migrating", flush=True)
    with op.batch_alter_table("event") as batch:  # rebuilds the table, row by row
        batch.add_column(sa.Column("mood", sa.String(), nullable=False, server_default="calm"))
    op.create_index("event_mood", "event", ["mood"])
    op.execute("UPDATE event SET mood = 'merry'")
"""

OPEN_WITH_MOOD = """
import sys
from pathlib import Path
from store.home import Home
from store.migrations import REVISIONS, History
from store.schema import prepare
from store.sqlite import writer_engine
from store.times import system_clock

home = Home(Path(sys.argv[1]))
engine = writer_engine(home.database)
prepare(engine, home, system_clock, History((*REVISIONS, "mood"), Path(sys.argv[2])))
engine.dispose()
print("migrated", flush=True)
"""


@pytest.fixture
def scripts(tmp_path: Path) -> Path:
    """Our migrations and one more."""
    folder = tmp_path / "migrations"
    shutil.copytree(OURS.scripts, folder)
    (folder / "versions" / "v_mood.py").write_text(MIGRATION.replace("HEAD", OURS.head))
    return folder


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A record of today's schema with many events."""
    home = Home(tmp_path_factory.mktemp("record") / "made")
    record = Record.open(home, system_clock)
    with record.transaction() as tx:
        line = events.Line(actor="ann", kind="test.row", subject="s", message="x" * 60)
        events.append_all(tx, [line] * ROWS)
    record.close()
    return home


@pytest.fixture
def old(made: Home, tmp_path: Path) -> Home:
    home = Home(tmp_path / "old")
    shutil.copytree(made.root, home.root)
    return home


def _condition(home: Home) -> tuple[str, bool, int]:
    """(revision, whether the column is there, events), after SQLite found the file sound."""
    with closing(sqlite3.connect(home.database)) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        (revision,) = database.execute("SELECT version_num FROM alembic_version").fetchone()
        columns = [row[1] for row in database.execute("PRAGMA table_info(event)")]
        (count,) = database.execute("SELECT count(*) FROM event").fetchone()
        leftovers = database.execute("SELECT name FROM sqlite_master WHERE name LIKE '_alembic_tmp%'").fetchall()
    assert leftovers == []
    return revision, "mood" in columns, count


def test_an_old_record_is_migrated_after_a_backup_of_it(old: Home, scripts: Path) -> None:
    out, error = _script(OPEN_WITH_MOOD, str(old.root), str(scripts)).communicate(timeout=120)
    assert "migrated" in out, error
    assert _condition(old) == ("mood", True, ROWS)
    (backup,) = old.backups.iterdir()
    assert backup.name.endswith("-before-mood")
    assert _condition(Home(backup)) == (OURS.head, False, ROWS)


def test_a_migration_killed_at_any_moment_leaves_the_old_schema_or_the_new_one(old: Home, scripts: Path) -> None:
    seen = set()
    for delay in (0.0, 0.1, 0.03, 0.25)[: repeats(2, 4)]:
        home = Home(old.root.with_name(f"killed-{delay}"))
        shutil.copytree(old.root, home.root)
        process = _script(OPEN_WITH_MOOD, str(home.root), str(scripts))
        assert process.stdout is not None
        assert process.stdout.readline() == "migrating\n"
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=60)
        condition = _condition(home)
        assert condition in {(OURS.head, False, ROWS), ("mood", True, ROWS)}, delay
        seen.add(condition[0])
        out, error = _script(OPEN_WITH_MOOD, str(home.root), str(scripts)).communicate(timeout=120)
        assert "migrated" in out, error
        assert _condition(home) == ("mood", True, ROWS)
    assert OURS.head in seen, "no kill fell into the migration"


# ------------------------------------------------------------------------------------------------------------ writes

WRITE_FOR_EVER = """
import sys
from pathlib import Path
from store import events
from store.engine import Record
from store.home import Home
from store.times import system_clock

record = Record.open(Home(Path(sys.argv[1])), system_clock)
number = 0
while True:
    number += 1
    with record.transaction() as tx:
        for half in ("a", "b"):
            events.append(tx, actor="w", kind="test.row", subject="s", message=f"{number}{half}")
    print(number, flush=True)
"""


def test_a_killed_writer_loses_no_acknowledged_transaction_and_leaves_no_half_one(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    acknowledged = 0
    for delay in (0.05, 0.2, 0.4):
        process = _script(WRITE_FOR_EVER, str(home.root))
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
        lines = process.communicate(timeout=60)[0].split()
        acknowledged += int(lines[-1]) if lines else 1
        with closing(sqlite3.connect(home.database)) as database:
            assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            (rows,) = database.execute("SELECT count(*) FROM event").fetchone()
            (revision,) = database.execute("SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'revision'").fetchone()
        assert rows % 2 == 0
        assert rows // 2 == revision
        # The one that was committed and not yet acknowledged may be there as well.
        assert acknowledged <= rows // 2 <= acknowledged + 1
        acknowledged = rows // 2


# ----------------------------------------------------------------------------------------------------------- restore

RESTORE_AND_DIE = """
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from pipeline.restore import restore
from store.home import Home

home, moves = Home(Path(sys.argv[2])), int(sys.argv[3])
count = 0

def audit(event, arguments):
    global count
    if event == "os.rename" and home.restoring.exists():
        if count == moves:
            os._exit(9)
        count += 1

sys.addaudithook(audit)
restore(Path(sys.argv[1]), home, datetime(2026, 3, 1, 2, tzinfo=UTC))
"""


def _home(root: Path, mark: str) -> Home:
    """A home whose database, lake and versions all say `mark`."""
    home = Home(root)
    record = Record.open(home, system_clock)
    with record.transaction() as tx:
        events.append(tx, actor="a", kind="test.mark", subject="s", message=mark)
    record.close()
    for entry in ENTRIES[:2]:
        (home.root / entry).mkdir()
        (home.root / entry / "mark").write_text(mark)
    return home


def _marks(home: Home) -> set[str]:
    record = Record.open(home, system_clock)
    with record.read() as session:
        marks = {event.message for event in events.list_events(session).items}
    record.close()
    return marks | {path.read_text() for path in home.root.glob("*/mark")}


def test_a_restore_killed_between_any_two_moves_is_finished_by_the_next(tmp_path: Path) -> None:
    source, pristine = _home(tmp_path / "source", "before"), _home(tmp_path / "pristine", "after")
    backup = tmp_path / "backup"
    copy_database(source.database, backup / "trainshed.db")
    for entry in ENTRIES[:2]:
        shutil.copytree(source.root / entry, backup / entry)
    (backup / MANIFEST).write_text("{}")
    killed = 0
    for moves in range(7):
        home = Home(tmp_path / f"home{moves}")
        shutil.copytree(pristine.root, home.root)
        process = _script(RESTORE_AND_DIE, str(backup), str(home.root), str(moves))
        _, error = process.communicate(timeout=60)
        assert process.returncode in (0, 9), error
        if process.returncode == 9:
            killed += 1
            with pytest.raises(StorageError, match="a restore has not come to its end"):
                Record.open(home, system_clock)
            restore(backup, home, NOW)
        assert _marks(home) == {"before"}, moves
        assert os.listdir(home.root / "before-restore-20260301T020000Z")
    assert killed >= 5
