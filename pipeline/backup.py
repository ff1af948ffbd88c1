"""`backup`: a copy of everything that cannot be made again, taken while work goes on.

    home/backups/<UTC stamp>/  trainshed.db  lake/  versions/  training-sets/  checkpoints/  manifest.json

The database comes first, and from then on the copy follows it: of each table in the lake only the versions that this
database knows. What was asked, answered and found true since is in no version of the record: of those tables the newest
one is kept, which is all of them that can be read.

Files in the lake and in bundles never change once they are there, so on the same disk a backup links them: it costs
seconds and next to no space, and keeps what the originals' folders later lose. A copy that survives the disk is made by
`trainshed backup DEST`: in DEST, with every file copied, and with none of DEST's own touched.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Final

from pipeline.process.context import Preempted, RunContext
from store.backup import MANIFEST, Manifest, copy_database
from store.disk import sha256_of
from store.errors import StorageError
from store.home import Home
from store.lakefiles import newest
from store.release import RELEASE
from store.words import ENDED

_LOG: Final = "_delta_log"
_HINT: Final = "_last_checkpoint"
"""Where to begin to read a log: written anew while it is copied, and found without it."""
_PARTIAL: Final = ".partial-"


def run_backup(ctx: RunContext) -> None:
    """Makes one backup and reports it as an artifact.

    In the home it links, and lets go of the oldest beyond `daemon.keep_backups`. In the folder that the setting `to`
    names it copies, and removes nothing but what a killed backup of this home left half-done.
    """
    elsewhere = ctx.spec.params.get("to")
    backups = ctx.home.backups if elsewhere is None else _outside(ctx.home, Path(elsewhere))
    now = ctx.now()
    target = backups / now.strftime("%Y%m%dT%H%M%SZ")
    ours = f"{_PARTIAL}{hashlib.sha256(bytes(ctx.home.root)).hexdigest()[:8]}-"
    partial = backups / f"{ours}{target.name}"
    try:
        backups.mkdir(mode=0o700, exist_ok=True)  # not its parents: a disk that is not mounted is no place for a backup
        _sweep(backups, _PARTIAL if elsewhere is None else ours)
        partial.mkdir(mode=0o700)  # whoever may read the folder around it
        rows = copy_database(ctx.home.database, partial / ctx.home.database.name)
        with closing(sqlite3.connect(partial / ctx.home.database.name)) as database:
            known = _versions(database)
            # The logged ones first: a file of theirs that is replaced goes an hour later.
            files = [*_logged_files(ctx.home), *_lake_files(ctx.home, known), *_other_files(ctx.home, database)]
            revision = str(database.execute("SELECT version_num FROM alembic_version").fetchone()[0])
        size = (partial / ctx.home.database.name).stat().st_size
        size += _put_all(ctx, files, partial, _link if elsewhere is None else _copy)
        manifest = Manifest(at=now, release=RELEASE, schema_revision=revision, rows=rows, datasets=known, bytes=size)
        (partial / MANIFEST).write_text(manifest.model_dump_json(indent=2), encoding="utf-8")
        if elsewhere is not None:
            os.sync()  # a link is of a file that is on disk already; a copy is not
        partial.rename(target)
    except OSError as error:
        raise StorageError(
            f"the backup could not be written: {error.strerror}",
            where=str(error.filename or target),
            remedy=f"see that {backups.parent} is there, can be written and has space, then `trainshed backup` again",
        ) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    digest = sha256_of(target / MANIFEST)
    path = str(target if elsewhere is not None else target.relative_to(ctx.home.root))
    ctx.spool.write("artifact", name=target.name, kind="backup", path=path, digest=digest, bytes=size)
    if elsewhere is None:
        for old in _beyond(backups, target, ctx.project.daemon.keep_backups):
            shutil.rmtree(old)


def _outside(home: Home, folder: Path) -> Path:
    """Raises StorageError if the folder is a part of the home."""
    if folder.resolve().is_relative_to(home.root.resolve()):
        raise StorageError(
            "a backup to a place in the home would be lost with it",
            where=str(folder),
            remedy="name a folder outside, or none: `trainshed backup` keeps one in the home",
        )
    return folder


def _versions(database: sqlite3.Connection) -> dict[str, int]:
    """Table of the lake → the newest version that the record knows."""
    rows = database.execute("SELECT kind, dataset, max(version) FROM dataset_version GROUP BY kind, dataset")
    folders = {"dataset": "datasets", "feature view": "features"}
    return {f"{folders[kind]}/{name}": version for kind, name, version in rows}


def _lake_files(home: Home, known: Mapping[str, int]) -> Iterator[Path]:
    """Of the tables the record knows, the log up to its version and all data; quarantine as it is."""
    for table, version in known.items():
        for file in _files(home.lake / table):
            if file.parent.name != _LOG or _log_version(file) <= version:
                yield file
    yield from _files(home.lake / "quarantine")


def _logged_files(home: Home) -> Iterator[Path]:
    """Predictions and labels: their newest version, with the log up to it."""
    for tables in (home.predictions("any").parent, home.labels("any").parent):
        for table in sorted(tables.glob("*/")):
            version, files = newest(table)
            log = [file for file in _files(table / _LOG) if file.name != _HINT and _log_version(file) <= version]
            yield from (*log, *files)


def _log_version(file: Path) -> int:
    """The version that a file of a Delta log belongs to; of `_last_checkpoint`, the one that it names."""
    if file.name == _HINT:
        return int(json.loads(file.read_bytes())["version"])
    head = file.name.split(".")[0]
    return int(head) if head.isdigit() else 0


def _other_files(home: Home, database: sqlite3.Connection) -> Iterator[Path]:
    """Bundles of versions, training sets, and checkpoints of runs that may still go on."""
    for (digest,) in database.execute("SELECT DISTINCT digest FROM model_version"):
        yield from _files(home.bundle(digest))
    for (digest,) in database.execute("SELECT digest FROM training_set"):
        yield from _files(home.training_sets / digest)
    marks = ", ".join("?" * len(ENDED))
    for (run,) in database.execute(f"SELECT id FROM run WHERE state NOT IN ({marks})", tuple(ENDED)):
        yield from _files(home.checkpoints(run))


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file())


def _put_all(ctx: RunContext, files: list[Path], target: Path, put: Callable[[Path, Path], None]) -> int:
    """Puts each file under `target` at its place under the home; the bytes of all."""
    total = 0
    for done, file in enumerate(files):
        if ctx.stop.is_set():
            raise Preempted
        place = target / file.relative_to(ctx.home.root)
        place.parent.mkdir(parents=True, exist_ok=True)
        try:
            put(file, place)
            total += place.stat().st_size
        except FileNotFoundError:
            if not file.is_relative_to(ctx.home.checkpoints_root):
                raise  # of a checkpoint, a running attempt has made a newer one in its place
        if done % 1000 == 0:
            ctx.spool.progress(done, len(files), "file")
    ctx.spool.progress(len(files), len(files), "file")
    return total


def _link(file: Path, place: Path) -> None:
    """Links, or copies where the file system does not link."""
    try:
        os.link(file, place)
    except FileNotFoundError:
        raise
    except OSError:
        _copy(file, place)


def _copy(file: Path, place: Path) -> None:
    shutil.copy2(file, place)


def _sweep(backups: Path, prefix: str) -> None:
    """What a killed backup of this home left; there is one backup run at a time."""
    for left in backups.glob(f"{prefix}*"):
        shutil.rmtree(left)


def _beyond(backups: Path, made: Path, keep: int) -> list[Path]:
    """All but `made` and the newest of the others, `keep` together; those taken before a migration are kept.

    By name: after a clock was set back, the one that was just made is not the newest.
    """
    others = sorted(path.parent for path in backups.glob(f"*/{MANIFEST}") if path.parent != made)
    return others[: max(0, len(others) + 1 - keep)]
