"""`python -P -m pipeline.restore SRC --home HOME`: puts a backup in the place of a home's contents.

The backup is verified and copied beside the home's contents first; then they are exchanged, entry by entry, and what
was there before is kept in `HOME/before-restore-<UTC stamp>/`. While they are exchanged, `HOME/restoring` keeps the
daemon from opening a mixture; a restore that was killed is finished by running it again.
A folder that holds only a database, as a migration leaves one, exchanges only the database.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import shutil
import sqlite3
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from store.backup import MANIFEST, copy_database, verify_database
from store.errors import DaemonRunning, NotFound, RecordTooNew, StorageError, TrainshedError
from store.home import Home
from store.migrations import REVISIONS
from store.release import RELEASE
from store.sqlite import understood
from store.times import system_clock

ENTRIES: Final = ("lake", "versions", "training-sets", "checkpoints")
"""What a backup holds besides the database."""


@dataclass(frozen=True)
class Restored:
    source: Path
    home: Path
    aside: Path
    """Where the contents from before are kept."""
    entries: list[str]


def restore(source: Path, home: Home, now: datetime) -> Restored:
    """Raises NotFound, RecordDamaged, RecordTooNew, DaemonRunning, StorageError; until the exchange nothing changes."""
    _verify(source, home)
    with _daemon_kept_out(home):
        try:
            return _finish(home) if home.restoring.exists() else _begin(source, home, now)
        except OSError as error:
            raise StorageError(
                f"the restore could not be written: {_why(error)}",
                where=str(error.filename or home.root),
                remedy="free space there, then run the same command again",
            ) from error


def _why(error: OSError) -> str:
    """The system's words; of a tree's copy, which gathers (from, to, why) of each file, those of the first."""
    return str(error.args[0][0][2]) if isinstance(error, shutil.Error) else str(error.strerror)


def _verify(source: Path, home: Home) -> None:
    database = source / home.database.name
    if not database.is_file():
        raise NotFound(
            "this folder is not a backup: it holds no trainshed.db",
            where=str(source),
            remedy=f"name a folder of {home.backups}",
        )
    with understood(database), closing(sqlite3.connect(f"{database.resolve().as_uri()}?mode=ro", uri=True)) as copy:
        verify_database(copy, database)
        revision = str(copy.execute("SELECT version_num FROM alembic_version").fetchone()[0])
    if revision not in REVISIONS:
        raise RecordTooNew(
            f"the backup was made by a newer program (schema {revision}); this is {RELEASE} (schema {REVISIONS[-1]})",
            where=str(source),
            remedy="install the newer trainshed, or take an older backup",
        )


@contextmanager
def _daemon_kept_out(home: Home) -> Iterator[None]:
    """Holds the daemon's lock. Raises DaemonRunning when a daemon has it."""
    try:
        home.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(home.daemon_lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StorageError(
            f"the home cannot be written: {error.strerror}",
            where=str(home.root),
            remedy="give this user write access there",
        ) from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DaemonRunning(
                "the daemon of this home is running", where=str(home.root), remedy="`trainshed down`, then again"
            ) from None
        yield
    finally:
        os.close(descriptor)


def _begin(source: Path, home: Home, now: datetime) -> Restored:
    """Copies the backup beside the home's contents, writes down what is to be exchanged, and does it."""
    stamp = now.strftime("%Y%m%dT%H%M%SZ")
    fresh = home.root / f"restore-{stamp}"
    shutil.rmtree(fresh, ignore_errors=True)
    try:
        entries = _copy(source, fresh, home.database.name)
    except (OSError, TrainshedError):
        shutil.rmtree(fresh, ignore_errors=True)  # half a copy is of no use, and holds the space that is missing
        raise
    order = {"source": str(source), "fresh": fresh.name, "aside": f"before-restore-{stamp}", "entries": entries}
    partial = home.restoring.with_suffix(".partial")
    partial.write_text(json.dumps(order), encoding="utf-8")
    os.sync()  # all of the copy, before the first thing is moved away
    partial.rename(home.restoring)
    return _finish(home)


def _copy(source: Path, fresh: Path, database: str) -> list[str]:
    """Copies what the backup has to the new folder `fresh`; the names of what is to be exchanged."""
    copy_database(source / database, fresh / database)
    if not (source / MANIFEST).is_file():
        return [database]  # only a database: the other contents stay
    for entry in ENTRIES:
        if (source / entry).is_dir():
            shutil.copytree(source / entry, fresh / entry)
        else:
            (fresh / entry).mkdir()
    return [database, *ENTRIES]


def _finish(home: Home) -> Restored:
    """Exchanges each entry; done again after a kill, it goes on where it was."""
    order = json.loads(home.restoring.read_text(encoding="utf-8"))
    fresh, aside = home.root / order["fresh"], home.root / order["aside"]
    aside.mkdir(exist_ok=True)
    for entry in order["entries"]:
        if not (fresh / entry).exists():
            continue  # exchanged before the kill
        # A journal beside the database belongs to the old one, and would be taken for the new one's.
        for name in (entry, f"{entry}-wal", f"{entry}-shm") if entry == home.database.name else (entry,):
            if (home.root / name).exists() and not (aside / name).exists():
                (home.root / name).rename(aside / name)
        (fresh / entry).rename(home.root / entry)
    os.sync()
    shutil.rmtree(fresh, ignore_errors=True)
    home.restoring.unlink()
    return Restored(Path(order["source"]), home.root, aside, order["entries"])


def main(argv: Sequence[str] | None = None) -> int:
    """Exit status: 0 restored, 1 failed, 2 wrong usage, 3 a daemon is running."""
    parser = argparse.ArgumentParser("pipeline.restore", description="Put a backup in the place of a home's contents.")
    parser.add_argument("source", type=Path, metavar="SRC", help="a folder of HOME/backups")
    place = parser.add_mutually_exclusive_group(required=True)
    place.add_argument("--home", type=Path, help="the home")
    place.add_argument("--project", type=Path, help="the project whose home it is")
    parser.add_argument("--json", action="store_true", dest="as_json", help="one JSON object on standard output")
    given = parser.parse_args(argv)
    home = Home(given.home.resolve()) if given.home else Home.of_project(given.project)
    try:
        done = restore(given.source.resolve(), home, system_clock())
    except TrainshedError as error:
        fault = {"code": type(error).__name__, "detail": error.what, "where": error.where, "remedy": error.remedy}
        print(json.dumps(fault) if given.as_json else error, file=sys.stdout if given.as_json else sys.stderr)
        return 3 if isinstance(error, DaemonRunning) else 1
    facts = {"source": str(done.source), "home": str(done.home), "aside": str(done.aside), "entries": done.entries}
    sentence = f"restored {done.source} into {done.home}; what was there before is in {done.aside}"
    print(json.dumps(facts) if given.as_json else sentence)
    return 0


if __name__ == "__main__":
    sys.exit(main())
