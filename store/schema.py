"""The shape of the database: made when it is new, brought up to date when it is old, refused when it is newer."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, Engine, text
from sqlmodel import SQLModel

from store import tables
from store.backup import copy_database
from store.errors import Conflict, RecordDamaged, RecordTooNew
from store.home import Home
from store.migrations import OURS, History
from store.release import RELEASE
from store.tables import kept
from store.times import Clock

_VERSION_TABLE: Final = "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"
_PUT_META: Final = (
    "INSERT INTO meta (key, value) VALUES (:key, :value) ON CONFLICT (key) DO UPDATE SET value = excluded.value"
)
METADATA: Final = SQLModel.metadata
"""All tables of `store.tables`."""


def prepare(engine: Engine, home: Home, clock: Clock, history: History = OURS) -> None:
    """Leaves the database at this program's schema, or raises and leaves it as it was.

    An existing database is copied to `home.backups`, and the copy verified, before it is changed; the change is one
    transaction, so a process killed in the middle leaves the old schema or the new one.
    Raises RecordTooNew, RecordDamaged, StorageError.
    """
    with engine.connect() as connection:
        found = _revision(connection, home)
        written_by = _written_by(connection) if found else ""
    if found is None:
        _create(engine, history.head)
    elif found not in history.revisions:
        raise _too_new(found, written_by, home, history.head)
    elif found != history.head:
        stamp = clock().strftime("%Y%m%dT%H%M%SZ")
        copy_database(home.database, home.backups / f"{stamp}-before-{history.head}" / home.database.name)
        _migrate(engine, history)
    if written_by != RELEASE:
        with engine.begin() as connection:
            connection.execute(text(_PUT_META), {"key": "written_by", "value": RELEASE})


def require_present(engine: Engine, home: Home, history: History = OURS) -> None:
    """For who only reads: the database has this program's schema.

    Raises Conflict for an older one, RecordTooNew, RecordDamaged.
    """
    with engine.connect() as connection:
        found = _revision(connection, home)
        written_by = _written_by(connection) if found else ""
    if found == history.head:
        return
    if found is not None and found not in history.revisions:
        raise _too_new(found, written_by, home, history.head)
    raise Conflict(
        f"the record has an older schema ({found or 'none'}; this program's is {history.head})",
        where=str(home.database),
        remedy="start the daemon once (`trainshed up`): it copies the record and brings it up to date",
    )


def _revision(connection: Connection, home: Home) -> str | None:
    """The schema revision of the database; None when it is new and empty."""
    names = set(connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'table'")).scalars())
    if not names:
        return None
    if not {"alembic_version", tables.Meta.__tablename__} <= names:
        raise RecordDamaged(
            "this SQLite database is not a record of Trainshed",
            where=str(home.database),
            remedy="move it away, or name another home with TRAINSHED_HOME",
        )
    return str(connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one())


def _written_by(connection: Connection) -> str:
    query = text("SELECT value FROM meta WHERE key = 'written_by'")
    return str(connection.execute(query).scalar() or "an unknown version")


def _too_new(found: str, written_by: str, home: Home, head: str) -> RecordTooNew:
    return RecordTooNew(
        f"the record was written by Trainshed {written_by} (schema {found}); this is {RELEASE} (schema {head})",
        where=str(home.database),
        remedy=f"install trainshed>={written_by}, or `trainshed restore` a folder of {home.backups} made before it",
    )


def _create(engine: Engine, head: str) -> None:
    # Without Alembic, whose import alone takes 0.3 s; a test proves that both ways give the same schema.
    with engine.begin() as connection:
        METADATA.create_all(connection, checkfirst=False)
        for statement in kept.STATEMENTS:
            connection.execute(text(statement))
        connection.execute(text(_VERSION_TABLE))
        connection.execute(text("INSERT INTO alembic_version (version_num) VALUES (:head)"), {"head": head})
        connection.execute(text(_PUT_META), {"key": "revision", "value": "0"})


def _migrate(engine: Engine, history: History) -> None:
    from store.migrations.upgrade import upgrade

    # Rebuilding a table looks to SQLite like deleting its rows; references are checked as a whole at the end.
    # The switch does nothing inside a transaction, so it goes round SQLAlchemy's.
    with engine.connect() as connection:
        _switch_foreign_keys(connection, on=False)
    try:
        with engine.begin() as connection:
            upgrade(connection, history)
            broken = connection.execute(text("PRAGMA foreign_key_check")).all()
            if broken:
                raise RecordDamaged(
                    f"{len(broken)} rows refer to rows that are not there, the first in table {broken[0][0]}",
                    where=str(engine.url),
                    remedy="the record was left as it was; restore an older backup with `trainshed restore`",
                )
    finally:
        with engine.connect() as connection:
            _switch_foreign_keys(connection, on=True)


def _switch_foreign_keys(connection: Connection, *, on: bool) -> None:
    driver = connection.connection.driver_connection
    assert driver is not None
    driver.execute(f"PRAGMA foreign_keys = {'ON' if on else 'OFF'}")
