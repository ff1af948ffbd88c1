"""The schema: made by the models or by the migrations, it is the same; an old record is migrated, a newer refused."""

from __future__ import annotations

import os
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from store import lifecycle, runs
from store.engine import Record
from store.errors import RecordDamaged, RecordTooNew
from store.home import Home
from store.migrations import OURS, REVISIONS, History
from store.migrations.upgrade import configuration, upgrade
from store.schema import METADATA
from store.sqlite import writer_engine
from store.tables import kept
from store.times import system_clock


def _schema(database: Path) -> dict[str, Any]:
    """Tables, columns, indexes and references as SQLite understands them."""
    with closing(sqlite3.connect(database)) as connection:
        names = [r[0] for r in connection.execute("SELECT name FROM sqlite_master WHERE type='table' ORDER BY name")]
        itself = (
            "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' OR sql LIKE 'CREATE VIRTUAL%' ORDER BY name"
        )
        return {"by itself": [(name, re.findall(r"[^\s,()]+", sql)) for name, sql in connection.execute(itself)]} | {
            name: {
                "columns": connection.execute(f"PRAGMA table_xinfo('{name}')").fetchall(),
                "references": sorted(r[2:5] for r in connection.execute(f"PRAGMA foreign_key_list('{name}')")),
                "indexes": sorted(
                    (unique, origin, partial, tuple(connection.execute(f"PRAGMA index_xinfo('{index}')").fetchall()))
                    for _, index, unique, origin, partial in connection.execute(f"PRAGMA index_list('{name}')")
                ),
                # index_xinfo has no word for an expression; the statement has.
                "statements": sorted(
                    r[0]
                    for r in connection.execute(
                        "SELECT sql FROM sqlite_master WHERE tbl_name = ? AND type = 'index' AND sql IS NOT NULL",
                        (name,),
                    )
                ),
                "kind": connection.execute("SELECT wr, strict FROM pragma_table_list(?)", (name,)).fetchall(),
            }
            for name in names
        }


def _held(file: Path) -> list[str]:
    """Descriptors of this process that are open on the file."""
    descriptors = Path("/proc/self/fd")
    return [each for each in os.listdir(descriptors) if os.path.realpath(descriptors / each) == str(file.resolve())]


def test_a_new_record_has_the_schema_that_the_migrations_give(tmp_path: Path) -> None:
    home = Home(tmp_path / "new")
    Record.open(home, system_clock).close()
    migrated = writer_engine(tmp_path / "migrated.db")
    with migrated.begin() as connection:
        upgrade(connection)
    migrated.dispose()
    assert _schema(home.database) == _schema(tmp_path / "migrated.db")


@pytest.mark.filterwarnings("ignore:Skipped unsupported reflection of expression-based index")
@pytest.mark.filterwarnings("ignore:autogenerate skipping metadata-specified expression-based index")
def test_autogenerate_finds_no_difference_between_models_and_migrations(tmp_path: Path) -> None:
    engine = writer_engine(tmp_path / "migrated.db")
    words = (kept.RUN_WORDS, kept.EVENT_WORDS)  # no tables that models know
    with engine.begin() as connection:
        upgrade(connection)
        options = {"compare_server_default": True, "include_name": lambda name, *_: not str(name).startswith(words)}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, METADATA) == []
    engine.dispose()


def test_the_known_revisions_are_the_scripts_in_their_order(tmp_path: Path) -> None:
    engine = writer_engine(tmp_path / "any.db")
    with engine.connect() as connection:
        scripts = ScriptDirectory.from_config(configuration(connection))
    engine.dispose()
    assert [script.revision for script in reversed(list(scripts.walk_revisions()))] == list(REVISIONS)
    assert scripts.get_current_head() == OURS.head


def test_a_newer_record_is_refused_in_one_line_and_left_as_it_was(tmp_path: Path) -> None:
    home = Home(tmp_path)
    Record.open(home, system_clock).close()
    with closing(sqlite3.connect(home.database)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0042'")
        connection.execute("UPDATE meta SET value = '7.1.0' WHERE key = 'written_by'")
        connection.commit()
    with pytest.raises(RecordTooNew, match=r"the record was written by Trainshed 7\.1\.0 \(schema 0042\)") as refused:
        Record.open(home, system_clock)
    assert "trainshed>=7.1.0" in refused.value.remedy
    assert "trainshed restore" in refused.value.remedy
    with closing(sqlite3.connect(home.database)) as connection:
        assert connection.execute("SELECT value FROM meta WHERE key = 'written_by'").fetchone() == ("7.1.0",)


def test_a_file_that_is_no_database_is_named_with_the_way_back(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.database.write_bytes(b"this is not a database at all, but a letter to my aunt" * 100)
    with pytest.raises(RecordDamaged, match="not a sound SQLite database") as found:
        Record.open(home, system_clock)
    assert found.value.where == str(home.database)
    assert "trainshed restore" in found.value.remedy
    assert not _held(home.database), "whoever gives up lets go of the file"


def test_a_database_of_somebody_else_is_not_touched(tmp_path: Path) -> None:
    home = Home(tmp_path)
    with closing(sqlite3.connect(home.database)) as connection:
        connection.execute("CREATE TABLE recipes (name TEXT)")
    with pytest.raises(RecordDamaged, match="not a record of Trainshed"):
        Record.open(home, system_clock)
    with closing(sqlite3.connect(home.database)) as connection:
        assert connection.execute("SELECT count(*) FROM recipes").fetchone() == (0,)


def test_the_writer_syncs_fully_and_knows_its_references(tmp_path: Path) -> None:
    record = Record.open(Home(tmp_path), system_clock)
    with record.transaction() as tx:
        assert tx.connection.execute(text("PRAGMA synchronous")).scalar() == 2
        assert tx.connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"
        assert tx.connection.execute(text("PRAGMA foreign_keys")).scalar() == 1
    record.close()


@pytest.mark.slow
def test_a_record_from_before_knows_how_often_runs_ended_and_what_was_made_from_what(tmp_path: Path) -> None:
    home = Home(tmp_path)
    before = History(revisions=OURS.revisions[: OURS.revisions.index("entered")], scripts=OURS.scripts)
    engine = writer_engine(home.database)
    with engine.begin() as connection:
        command.upgrade(configuration(connection), before.head)
        connection.execute(text("INSERT INTO meta VALUES ('revision', '7')"))
        run = {"slots": 1, "attempt": 1, "max_attempts": 1, "params": "{}", "rev": 7, "priority": 0, "force": 0}
        run |= dict.fromkeys(("trigger", "actor", "reason", "unit", "message", "fingerprint", "pool"), "x")
        run |= {"kind": "etl", "target": "a", "retry_delay_s": 10, "created_at": 1}
        for number, state in ((1, "failed"), (2, "failed"), (3, "queued")):
            row = {**run, "id": number, "job": "etl:a", "state": state}
            names = ", ".join(row)
            connection.execute(text(f"INSERT INTO run ({names}) VALUES ({', '.join(f':{name}' for name in row)})"), row)
        for dataset, version, inputs in (("raw", 0, "{}"), ("a", 0, '{"raw": 0}'), ("a", 1, '{"raw": 0, "b": 4}')):
            made = {"dataset": dataset, "version": version, "inputs": inputs, "kind": "dataset", "run": 1, "rows": 1}
            made |= {"added": 1, "removed": 0, "quarantined": 0, "bytes": 1, "columns": "[]", "schema_changes": "[]"}
            made |= {"fingerprint": "f", "note": "", "sample": "[]", "created_at": 1, "rev": 7}
            names = ", ".join(made)
            values = ", ".join(f":{name}" for name in made)
            connection.execute(text(f"INSERT INTO dataset_version ({names}) VALUES ({values})"), made)
    engine.dispose()
    record = Record.open(home, system_clock)
    with record.read() as session:
        assert runs.ends_by_state(session) == {"failed": 2}
        found = session.connection().execute(text("SELECT * FROM dataset_input ORDER BY 1, 2, 3, 4"))
        assert found.all() == [("b", 4, "a", 1), ("raw", 0, "a", 0), ("raw", 0, "a", 1)]
    with record.transaction() as tx:
        lifecycle.requeue(tx, 1, "ann")
    with record.read() as session:
        assert runs.ends_by_state(session) == {"failed": 2}
    record.close()


@pytest.mark.slow
def test_a_record_of_the_first_schema_keeps_its_samples_and_gains_the_new_columns(tmp_path: Path) -> None:
    home = Home(tmp_path)
    first = History(revisions=OURS.revisions[:1], scripts=OURS.scripts)
    engine = writer_engine(home.database)
    with engine.begin() as connection:
        command.upgrade(configuration(connection, first), "0001")
        connection.execute(text("INSERT INTO meta VALUES ('revision', '7')"))
        connection.execute(text("INSERT INTO resource_sample VALUES (0, 1, 12.5, 100, NULL)"))
    engine.dispose()
    record = Record.open(home, system_clock)
    with record.read() as session:
        found = session.connection().execute(text("SELECT cpu_percent, rss, received, disk_free FROM resource_sample"))
        assert found.all() == [(12.5, 100, None, None)]
    record.close()
    assert list(home.backups.glob("*-before-*")), "it is copied before it is changed"
