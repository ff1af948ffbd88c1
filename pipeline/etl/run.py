"""`etl:NAME`: one dataset, from its source or its inputs to a new version. The flow, top to bottom:

    nothing changed? → skip
    source or inputs → staging (raw rows at rest) → contract (columns and types) → candidate
    candidate → checks → good rows, and quarantined ones
    good rows → one commit → what the record is told

A crash at any place loses nothing and doubles nothing: what is staged is found again, the commit is one, and what
was committed but not told is told by the next attempt.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq
from duckdb import DuckDBPyConnection

from pipeline.etl import candidate
from pipeline.etl.admission import PREVIOUS, judge
from pipeline.etl.contract import Settled, found_schema, settle
from pipeline.etl.ingest import FORMAT, fetch, overlap_of
from pipeline.etl.landing import Landing, landing_of, save, tell, tell_untold
from pipeline.etl.staging import HEADER, locked, remove
from pipeline.etl.work import Raw, Unchanged, Work
from pipeline.features.run import newest_versions
from pipeline.process.context import Preempted, RunContext
from pipeline.quality import CheckReport
from pipeline.tables.arrow import contract_type, is_time, word_of
from pipeline.tables.duck import connect
from pipeline.tables.fingerprint import fingerprint
from pipeline.tables.shape import BATCH_ROWS, code_text, shape
from pipeline.tables.sqltext import identifier
from pipeline.tables.storage import storage_faults
from store import lake
from store.errors import DataError, ProjectError, StorageError
from store.lake import LakeVersion

_CANDIDATE: Final = "candidate.parquet"


def run_etl(ctx: RunContext) -> None:
    """Makes a new version of the dataset `ctx.spec.target`, or skips with the reason.

    Raises SourceError, SchemaChanged, ChecksFailed, ProjectError, Conflict, StorageError, each with a remedy and
    the lake as it was; Preempted when asked to stop, with everything fetched so far saved.
    """
    name = ctx.spec.target
    staging = ctx.home.staging(name)
    with _staged_told(staging), storage_faults(ctx.home.root), locked(staging):
        work = Work(ctx=ctx, name=name, dataset=ctx.project.datasets[name], base=lake.latest(ctx.home.dataset(name)))
        if tell_untold(work):
            return
        raw = _from_source(work) if work.dataset.source else _from_inputs(work)
        if isinstance(raw, Unchanged):
            _skip(work, raw)
            return
        ctx.spool.write("fingerprint", value=raw.fingerprint)
        with _fetched_anew(staging):
            settled = _settle(work, raw)
            candidate.write(raw.batches, settled.schema, work.folder / _CANDIDATE, work.where)
            with closing(connect(spill=work.folder / "spill", readable=[work.folder / _CANDIDATE])) as connection:
                last_of = work.dataset.key if work.dataset.mode == "merge" else ()
                candidate.register(connection, work.folder / _CANDIDATE, last_of=last_of)
                if not _has_news(work, settled, connection):
                    remove(work.folder)
                    _skip(work, Unchanged(f"{work.name} is up to date: what came again is as it was"))
                    return
                landing, version = _judge_and_commit(work, raw, settled, connection)
                tell(work, landing, version, connection)


@contextmanager
def _fetched_anew(folder: Path) -> Iterator[None]:
    """Rows that are refused do not stay in staging: where they are mended at the source, the next run must see it."""
    try:
        yield
    except (DataError, ProjectError):
        remove(folder)
        raise


@contextmanager
def _staged_told(folder: Path) -> Iterator[None]:
    """When the disk fails: where the rows are that were fetched already, and what becomes of them."""
    try:
        yield
    except StorageError as error:
        if not (folder / HEADER).exists():
            raise
        size = sum(part.stat().st_size for part in folder.glob("part-*"))
        stays = f"what was fetched so far ({size / 1e6:.1f} MB) stays in {folder}, and the next run goes on from there"
        raise type(error)(error.what, where=error.where, remedy=f"{error.remedy}; {stays}") from error


def _from_source(work: Work) -> Raw | Unchanged:
    fetched = fetch(work)
    if isinstance(fetched, Unchanged):
        return fetched
    parts = fetched.staging.parts
    with _fetched_anew(work.folder):
        schema = found_schema([pq.read_schema(part) for part in parts], work.where)
    return Raw(
        schema=schema,
        batches=candidate.read_parts(parts),
        empty=fetched.staging.progress.rows == 0,
        fingerprint=fetched.fingerprint,
        ingest=fetched.staging.ingest,
        inputs={},
        metadata=fetched.metadata,
    )


def _from_inputs(work: Work) -> Raw | Unchanged:
    ctx, dataset, base = work.ctx, work.dataset, work.base
    inputs = newest_versions(ctx.home, dataset.inputs, where=f"{work.where}.inputs")
    digest = fingerprint(
        step="etl",
        format=FORMAT,
        dataset=dataset.model_dump(mode="json", exclude={"description"}),
        code=code_text(ctx.project, dataset),
        inputs=inputs,
        references=newest_versions(ctx.home, work.references, where=f"{work.where}.checks"),
    )
    if base and not ctx.spec.force and base.metadata.get(lake.FINGERPRINT) == digest:
        read = ", ".join(f"{given}@{version}" for given, version in inputs.items())
        return Unchanged(f"{work.name}@{base.version} is up to date: code and inputs are unchanged ({read})")
    ctx.spool.progress(0, None, "rows", message=f"shaping {', '.join(inputs)}")
    remove(work.folder)
    work.folder.mkdir(parents=True)
    datasets = {given: lake.dataset_at(ctx.home.dataset(given), version) for given, version in inputs.items()}
    reader = shape(ctx.project, dataset, datasets)
    return Raw(
        schema=reader.schema,
        batches=reader,
        # The columns of a query are known however many rows it has.
        empty=False,
        fingerprint=digest,
        ingest=f"{ctx.spec.run}:{digest[:16]}",
        inputs=inputs,
        metadata={},
    )


def _skip(work: Work, unchanged: Unchanged) -> None:
    if work.base is not None and lake.FINGERPRINT in work.base.metadata:
        work.ctx.spool.write("fingerprint", value=work.base.metadata[lake.FINGERPRINT])
    work.ctx.spool.write("skip", reason=unchanged.reason)


def _settle(work: Work, raw: Raw) -> Settled:
    """The contract's decision, its changes told, and the columns that the dataset names looked for in it."""
    dataset = work.dataset
    settled = settle(
        raw.schema,
        declared={c: contract_type(word, f"{work.where}.columns.{c}") for c, word in dataset.columns.items()},
        previous=work.base.schema if work.base else None,
        keeps_rows=dataset.mode != "replace",
        on_new=dataset.on_new_column,
        on_changed=dataset.on_changed_type,
        where=work.where,
        empty=raw.empty,
    )
    named = {**dict.fromkeys(dataset.key, "key"), **({dataset.time: "time"} if dataset.time else {})}
    for column, setting in named.items():
        if column not in settled.schema.names:
            raise ProjectError(
                f"there is no column {column!r} (there are: {', '.join(settled.schema.names) or 'none'})",
                where=f"{work.where}.{setting}",
                remedy="correct the name, or add the column",
            )
    _check_time(work, settled.schema)
    for change in settled.changes:
        work.ctx.spool.note("schema_changed", f"{work.name}: {change}", dataset=work.name)
    return settled


def _check_time(work: Work, schema: pa.Schema) -> None:
    time = work.dataset.time
    if time is not None and not is_time(schema.field(time).type):
        raise ProjectError(
            f"the column {time!r} is {word_of(schema.field(time).type)}, and a time is a timestamp or a date",
            where=f"{work.where}.time",
            remedy="name another column; or make a time of it by SQL, such as to_timestamp(seconds)",
        )


def _has_news(work: Work, settled: Settled, connection: DuckDBPyConnection) -> bool:
    """Where rows are asked for again, those that are as they were are left out."""
    base = work.base
    source = work.ctx.project.sources.get(work.dataset.source or "")
    if base is None or source is None or overlap_of(source) is None or work.ctx.spec.force:
        return True
    if dict(zip(settled.schema.names, settled.schema.types, strict=True)) != {f.name: f.type for f in base.schema}:
        return True
    connection.register(PREVIOUS, lake.dataset_at(work.path, base.version))
    return candidate.leave_known(connection, settled.schema.names, work.dataset.key, PREVIOUS)


def _judge_and_commit(
    work: Work, raw: Raw, settled: Settled, connection: DuckDBPyConnection
) -> tuple[Landing, LakeVersion]:
    report = judge(work, raw, connection)
    if work.ctx.stop.is_set():
        raise Preempted
    landing = landing_of(work, raw, settled, report)
    save(work, landing)
    return landing, _commit(work, raw, settled, report, connection)


def _commit(work: Work, raw: Raw, settled: Settled, report: CheckReport, connection: DuckDBPyConnection) -> LakeVersion:
    base, schema, mode = work.base, settled.schema, work.dataset.mode
    texts = [f"SELECT * FROM {identifier(report.good)}"]
    if settled.rewrite and base is not None:
        # The table cannot change a column's type in place: rows that stay are written again with the new ones.
        schema = pa.schema([*schema, *(field for field in base.schema if field.name not in schema.names)])
        texts = [_kept(work, report), *texts]
        mode = "replace"
    # Not one query: DuckDB would make the types meet, and round without a word what only an integer holds.
    batches = (batch for text in texts for batch in connection.sql(text).to_arrow_reader(BATCH_ROWS))
    return lake.commit(
        work.path,
        pa.RecordBatchReader.from_batches(schema, (candidate.conform(b, schema, work.where) for b in batches)),
        mode=mode,
        key=work.dataset.key,
        metadata={
            **raw.metadata,
            lake.FINGERPRINT: raw.fingerprint,
            lake.INGEST: raw.ingest,
            lake.RUN: str(work.ctx.spec.run),
            lake.INPUTS: json.dumps(dict(raw.inputs), sort_keys=True),
        },
        expected=base.version if base else None,
    )


def _kept(work: Work, report: CheckReport) -> str:
    """SQL for the rows of the previous version that stay."""
    if work.dataset.mode != "merge":
        return f"SELECT * FROM {PREVIOUS}"
    same = ", ".join(identifier(column) for column in work.dataset.key)
    return f"SELECT * FROM {PREVIOUS} ANTI JOIN {identifier(report.good)} USING ({same})"
