"""The lake: Delta tables at explicit paths. A dataset version is a Delta version; every version stays readable.

Each commit carries metadata of ours (`trainshed.*`): what it was made from, by which run, and where an incremental
source goes on. Nothing is ever vacuumed and the log never expires, so the newest metadata and each old version are
always there; but for tables of logged predictions and labels (`pipeline/predictions/tidy.py`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal

import pyarrow as pa
import pyarrow.dataset as pads
import pyarrow.fs as pafs
from deltalake import CommitProperties, DeltaTable, WriterProperties, write_deltalake
from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError

from store.disk import is_full, sync
from store.errors import Conflict, DiskFull, NotFound, StorageError
from store.lakewriting import writing
from store.sqltext import identifier

Mode = Literal["append", "replace", "merge"]
PREFIX: Final = "trainshed."
FINGERPRINT: Final = "trainshed.fingerprint"
CURSOR: Final = "trainshed.cursor"
RUN: Final = "trainshed.run"
INPUTS: Final = "trainshed.inputs"
INGEST: Final = "trainshed.ingest"
"""Names the staged ingest that a commit came from, so a crash right after the commit is recognised."""

_CONFIGURATION: Final = {
    # By default Delta drops log entries after 30 days, and with them our cursors and the way to old versions.
    "delta.logRetentionDuration": "interval 36500 days",
    "delta.deletedFileRetentionDuration": "interval 36500 days",
    "delta.enableExpiredLogCleanup": "false",
}


@dataclass(frozen=True, kw_only=True)
class LakeVersion:
    """One version of a table: what a commit left behind."""

    version: int
    at: datetime
    """Of the commit, UTC."""
    rows: int
    bytes: int
    """Of the files that make up this version."""
    schema: pa.Schema
    metadata: Mapping[str, str]
    """Our keys of the commit, each starting with `trainshed.`."""


def latest(path: Path) -> LakeVersion | None:
    """The newest version, or None when there is no table yet."""
    table = _open(path, None)
    return None if table is None else _facts(path, table)


def at(path: Path, version: int) -> LakeVersion:
    """That version. Raises NotFound."""
    return _facts(path, _existing(path, version))


def history(path: Path) -> list[LakeVersion]:
    """All versions, newest first; empty when there is no table."""
    newest = _open(path, None)
    return [] if newest is None else [at(path, v) for v in range(newest.version(), -1, -1)]


def dataset_at(path: Path, version: int | None = None) -> pads.Dataset:
    """A version's rows (None: the newest) as an Arrow dataset, which DuckDB scans lazily. Raises NotFound."""
    table = _existing(path, version)
    files = pafs.SubTreeFileSystem(str(path.resolve()), pafs.LocalFileSystem())
    listed = table.to_pyarrow_dataset(filesystem=files)
    # deltalake asks for read-ahead of whole files, which on a local disk gains nothing and costs their size in memory.
    plain = pads.ParquetFileFormat(pre_buffer=False)
    fragments = [
        plain.make_fragment(f.path, filesystem=files, partition_expression=f.partition_expression)
        for f in listed.get_fragments()
    ]
    return pads.FileSystemDataset(fragments, listed.schema, plain, files)


def commit(
    path: Path,
    batches: pa.RecordBatchReader,
    *,
    mode: Mode,
    key: Sequence[str] = (),
    metadata: Mapping[str, str],
    expected: int | None,
) -> LakeVersion:
    """Writes one new version, whole or not at all, and flushes it to disk.

    `expected` is the version that the rows were made against (None: no table yet); if somebody else committed
    since, nothing is written and Conflict is raised. `merge` updates rows with an equal `key` and inserts the
    others; a key must be unique among the new rows and never null. Schemas may gain columns; a changed type needs
    `replace`. The rows must not themselves read or write the lake through deltalake while they are made.
    Raises StorageError when the disk is full, and whatever making the rows raises.
    """
    table = _open(path, None)
    found = None if table is None else table.version()
    if found != expected:
        raise _conflict(path, expected, found)
    properties = CommitProperties(custom_metadata=dict(metadata), max_commit_retries=0)
    own_faults: list[Exception] = []
    try:
        writer, rows = writing(_watched(batches, own_faults))
        if mode == "merge" and table is not None:
            _merge(table, rows, key, writer, properties)
        else:
            _write(table or path, rows, mode, writer, properties, new=table is None)
    except CommitFailedError as error:
        if is_full(error):
            raise _storage_fault(path, error) from error
        now = _open(path, None)
        raise _conflict(path, expected, None if now is None else now.version()) from None
    except (OSError, DeltaError) as error:
        if own_faults:
            raise own_faults[0] from None
        raise _storage_fault(path, error) from error
    written = _existing(path, None)
    _flush(path, written.version())
    return _facts(path, written)


def _watched(batches: pa.RecordBatchReader, faults: list[Exception]) -> pa.RecordBatchReader:
    """The same rows; what goes wrong while they are made is kept, because the writer only passes its text on."""

    def rows() -> Iterator[pa.RecordBatch]:
        try:
            yield from batches
        except Exception as error:
            faults.append(error)
            raise

    return pa.RecordBatchReader.from_batches(batches.schema, rows())


def _write(
    table: DeltaTable | Path,
    batches: pa.RecordBatchReader,
    mode: Mode,
    writer: WriterProperties,
    properties: CommitProperties,
    *,
    new: bool,
) -> None:
    if new:
        assert isinstance(table, Path)
        table.parent.mkdir(parents=True, exist_ok=True)
        write_deltalake(
            table,
            batches,
            mode="error",
            configuration=_CONFIGURATION,
            writer_properties=writer,
            commit_properties=properties,
        )
    elif mode == "replace":
        write_deltalake(
            table,
            batches,
            mode="overwrite",
            schema_mode="overwrite",
            writer_properties=writer,
            commit_properties=properties,
        )
    else:
        write_deltalake(
            table,
            batches,
            mode="append",
            schema_mode="merge",
            writer_properties=writer,
            commit_properties=properties,
        )


def _merge(
    table: DeltaTable,
    batches: pa.RecordBatchReader,
    key: Sequence[str],
    writer: WriterProperties,
    properties: CommitProperties,
) -> None:
    same = " AND ".join(f"old.{identifier(k)} = new.{identifier(k)}" for k in key)
    (
        table.merge(
            batches,
            same,
            source_alias="new",
            target_alias="old",
            merge_schema=True,
            writer_properties=writer,
            commit_properties=properties,
        )
        .when_matched_update_all()
        .when_not_matched_insert_all()
        .execute()
    )


def _open(path: Path, version: int | None) -> DeltaTable | None:
    if not (path / "_delta_log").is_dir():
        return None
    try:
        return DeltaTable(path, version=version)
    except TableNotFoundError:
        return None


def _existing(path: Path, version: int | None) -> DeltaTable:
    try:
        table = _open(path, version)
    except DeltaError as error:
        raise NotFound(
            f"there is no version {version} ({error})",
            where=str(path),
            remedy="list the versions with `trainshed data history NAME`",
        ) from None
    if table is None:
        raise NotFound("there is no such table yet", where=str(path), remedy="run the job that makes it")
    return table


def _facts(path: Path, table: DeltaTable) -> LakeVersion:
    # Not table.history(): it speaks of the newest commits, whichever version the table was opened at.
    commit_info = next(e["commitInfo"] for e in _log_entries(path, table.version()) if "commitInfo" in e)
    files = pa.table(table.get_add_actions(flatten=True))
    return LakeVersion(
        version=table.version(),
        at=datetime.fromtimestamp(commit_info["timestamp"] / 1000, UTC),
        rows=_total(files, "num_records"),
        bytes=_total(files, "size_bytes"),
        schema=pa.schema(table.schema().to_arrow()),
        metadata={k: str(v) for k, v in commit_info.items() if k.startswith(PREFIX)},
    )


def _total(files: pa.Table, column: str) -> int:
    return sum(value or 0 for value in files[column].to_pylist())


def _flush(path: Path, version: int) -> None:
    """Forces a commit's files to disk: the writer leaves them in the page cache, which a power cut forgets."""
    log = _log_file(path, version)
    added = [path / entry["add"]["path"] for entry in _log_entries(path, version) if "add" in entry]
    for file in (*added, log, path, log.parent):
        sync(file)


def _log_file(path: Path, version: int) -> Path:
    return path / "_delta_log" / f"{version:020d}.json"


def _log_entries(path: Path, version: int) -> list[dict[str, Any]]:
    """The actions of one commit, as Delta's protocol writes them: one JSON object a line."""
    return [json.loads(line) for line in _log_file(path, version).read_text(encoding="utf-8").splitlines()]


def _conflict(path: Path, expected: int | None, found: int | None) -> Conflict:
    def said(version: int | None) -> str:
        return "no version" if version is None else f"version {version}"

    return Conflict(
        f"somebody else committed in the meantime: the rows were made against {said(expected)}, "
        f"and now there is {said(found)}",
        where=str(path),
        remedy="run the job again: it starts from the newest version",
    )


def _storage_fault(path: Path, error: Exception) -> StorageError:
    return (DiskFull if is_full(error) else StorageError)(
        f"the table could not be written, and is as it was before: {error}",
        where=str(path),
        remedy="free disk space or mend the permissions, then run the job again",
    )
