"""Reading that is given up: when nobody waits for the answer any more, or when it would take longer than it is worth.

SQLite asks every some ten thousand steps whether to go on (its progress handler), in the reading thread itself: there
is no race with a statement of somebody else that has the same connection next.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, TypeVar, cast

from sqlalchemy.exc import OperationalError
from sqlmodel import Session

T = TypeVar("T")
_STEPS: Final = 20_000
"""Of SQLite's virtual machine, about a millisecond."""
_STOP: Final = "stop"


class Stopped(Exception):
    """Whoever asked does not wait any more; there is no answer."""


def driver_of(session: Session) -> sqlite3.Connection:
    """The bare connection, in the session's transaction."""
    return cast(sqlite3.Connection, session.connection().connection.driver_connection)


@contextmanager
def stoppable(session: Session, stop: Callable[[], bool]) -> Iterator[None]:
    """Raises Stopped out of whatever statement runs in the block, soon after `stop()` became true."""
    driver = driver_of(session)
    session.info[_STOP] = stop
    driver.set_progress_handler(stop, _STEPS)
    try:
        yield
    except (sqlite3.OperationalError, OperationalError) as error:
        if _interrupted(error):
            raise Stopped from error
        raise
    finally:
        driver.set_progress_handler(None, 0)


def within(session: Session, seconds: float, work: Callable[[], T]) -> T | None:
    """What `work` finds, or None if it would take more of this thread's CPU time: a busy machine changes no answer."""
    driver, stop = driver_of(session), session.info.get(_STOP)
    end = time.thread_time() + seconds
    driver.set_progress_handler(lambda: time.thread_time() > end or bool(stop and stop()), _STEPS)
    try:
        return work()
    except (sqlite3.OperationalError, OperationalError) as error:
        if not _interrupted(error) or (stop and stop()):
            raise
        return None
    finally:
        driver.set_progress_handler(stop, _STEPS if stop else 0)


def _interrupted(error: sqlite3.OperationalError | OperationalError) -> bool:
    original = error.orig if isinstance(error, OperationalError) else error
    return getattr(original, "sqlite_errorcode", None) == sqlite3.SQLITE_INTERRUPT
