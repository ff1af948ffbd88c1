"""The record as it stands, for a program beside the daemon, or without one: nothing is made, migrated or written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlmodel import Session

from store.errors import NotFound
from store.home import Home
from store.schema import require_present
from store.sqlite import reader_engine, understood


@contextmanager
def reading(home: Home) -> Iterator[Session]:
    """A session that sees one state of the record.

    Raises NotFound when there is none, Conflict for one that an older program wrote and nobody has migrated yet,
    RecordTooNew, RecordDamaged, StorageError.
    """
    if not home.database.is_file():
        raise NotFound(
            "there is no record yet", where=str(home.database), remedy="`trainshed up` makes it, and what it keeps"
        )
    engine = reader_engine(home.database)
    try:
        with understood(home.database):
            require_present(engine, home)
            with Session(engine) as session:
                yield session
    finally:
        engine.dispose()
