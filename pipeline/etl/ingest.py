"""Fetching a dataset's source into staging: page by page, new rows only, and on from where a crash left it."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import pyarrow as pa

from pipeline.config.datasets import Dataset
from pipeline.config.sources import AnySource
from pipeline.etl.staging import Staging, remove
from pipeline.etl.work import Unchanged, Work
from pipeline.process.context import Preempted, RunContext
from pipeline.sources import Cursor, Edge, Opening, SourceReader, open_source
from pipeline.sources.times import Times
from pipeline.tables.arrow import contract_type
from pipeline.tables.fingerprint import fingerprint
from store import lake
from store.errors import ProjectError, SourceError
from store.lake import LakeVersion

CONFIG: Final = "trainshed.config"
"""Commit metadata: digest of what the project said of the dataset and its source."""
SOURCE: Final = "trainshed.source"
"""Commit metadata: name of the source that the cursor belongs to."""
VALIDATORS: Final = "trainshed.validators"
"""Commit metadata: address → ETag of everything that was read."""
FORMAT: Final = 1
"""Of what this step makes; a new number makes every dataset anew."""
_REPORT_S: Final = 0.5


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """Everything new is in staging."""

    staging: Staging
    fingerprint: str
    metadata: Mapping[str, str]
    """What the next run has to know, for the commit."""


def fetch(work: Work) -> Fetched | Unchanged:
    """Brings the source's rows, or those that are new, into staging.

    Raises SourceError, ProjectError; Preempted with everything fetched so far saved.
    """
    source_name, source = _source(work)
    config = fingerprint(
        dataset=work.dataset.model_dump(mode="json", exclude={"description"}), source=source.model_dump(mode="json")
    )
    reached = _reached(source_name, source, work.base)
    cursor = _begin(source_name, source, reached)
    opening = _opening(work, source_name, cursor, _validators(work, config))
    reader = open_source(source, opening)
    if opening.validators and reader.unchanged():
        return Unchanged(f"{_named(work)} is up to date: the source says that nothing changed")
    edge = _edge(source, opening, reached, merged=work.dataset.mode == "merge")
    staging = _stage(work, reader, edge, _identity(config, cursor, work.base, reader))
    digest = fingerprint(step="etl", format=FORMAT, config=config, rows=staging.progress.digest)
    reason = _nothing_new(work, source, cursor, staging, digest)
    if reason:
        remove(staging.folder)
        return Unchanged(f"{_named(work)} is up to date: {reason}")
    came_to = staging.progress.edge
    metadata = {CONFIG: config, SOURCE: source_name, VALIDATORS: json.dumps(reader.validators())}
    if came_to is not None and came_to["cursor"] is not None:
        metadata[lake.CURSOR] = came_to["cursor"]
    return Fetched(staging=staging, fingerprint=digest, metadata=metadata)


def _nothing_new(work: Work, source: AnySource, cursor: Cursor | None, staging: Staging, digest: str) -> str:
    """Why what was fetched makes no new version; empty if it does."""
    if work.base is None or work.ctx.spec.force:
        return ""
    if source.incremental is not None and staging.progress.rows == 0:
        return "the source has no new rows" + (f" since {cursor.value}" if cursor else "")
    # An incremental source gave rows behind its cursor, so they are new even if they look like those before.
    same = source.incremental is None and work.base.metadata.get(lake.FINGERPRINT) == digest
    return "the source gave the same rows" if same else ""


def _named(work: Work) -> str:
    return f"{work.name}@{work.base.version}" if work.base else work.name


def _source(work: Work) -> tuple[str, AnySource]:
    """Name and section of the source. Raises ProjectError for what would lose rows."""
    name = work.dataset.source
    assert name is not None
    source = work.ctx.project.sources[name]
    if source.incremental is not None and work.dataset.mode == "replace":
        raise ProjectError(
            f'mode = "replace" would keep only the newest rows: the source {name!r} is read incrementally',
            where=f"{work.where}.mode",
            remedy='use mode = "append", or "merge" with a key; or read everything: remove `incremental`',
        )
    if overlap_of(source) is not None and work.dataset.mode != "merge":
        raise ProjectError(
            f"the source {name!r} asks again for rows that are there, and appended they would be there twice",
            where=f"{work.where}.mode",
            remedy='use mode = "merge" with a key; or remove `incremental.overlap`',
        )
    return name, source


def _validators(work: Work, config: str) -> dict[str, str]:
    """ETags of the last read, if the project says the same as then and a skip would be welcome."""
    if work.base is None or work.ctx.spec.force or work.base.metadata.get(CONFIG) != config:
        return {}
    known: dict[str, str] = json.loads(work.base.metadata.get(VALIDATORS, "{}"))
    return known


def wanted_types(name: str, dataset: Dataset, base: LakeVersion | None) -> dict[str, pa.DataType]:
    """Column → type: of the contract, or else texts of the previous version, which are not to be taken for times."""
    if dataset.columns:
        where = f"datasets.{name}.columns"
        return {column: contract_type(word, f"{where}.{column}") for column, word in dataset.columns.items()}
    old = base.schema if base else []
    return {field.name: field.type for field in old if pa.types.is_string(field.type)}


def overlap_of(source: AnySource) -> timedelta | None:
    """For how long before what was reached it is asked again."""
    return source.incremental.overlap if source.incremental is not None else None


def _reached(source_name: str, source: AnySource, base: LakeVersion | None) -> Cursor | None:
    """How far the last read came."""
    if source.incremental is None or base is None or base.metadata.get(SOURCE) != source_name:
        return None
    return Cursor.from_json(base.metadata[lake.CURSOR]) if lake.CURSOR in base.metadata else None


def _begin(source_name: str, source: AnySource, reached: Cursor | None) -> Cursor | None:
    """From where on this read asks. Raises ProjectError where there is to be an overlap, and no time to count it in."""
    if source.incremental is None:
        return None
    if reached is None:
        initial = source.incremental.initial
        return None if initial is None else Cursor.initial(initial)
    if source.incremental.overlap is None:
        return reached
    begin = reached.before(source.incremental.overlap)
    if begin is None:
        raise ProjectError(
            f"an overlap is a span of time, and {source.incremental.column!r} is none: it came to {reached.value!r}",
            where=f"sources.{source_name}.incremental.overlap",
            remedy="remove it, or name a column of times in ISO 8601",
        )
    return begin


def _identity(config: str, cursor: Cursor | None, base: LakeVersion | None, reader: SourceReader) -> str:
    """What staged rows belong to: with any of it changed, they are rows of something else."""
    return fingerprint(
        config=config,
        cursor=cursor.to_json() if cursor else None,
        base=base.version if base else None,
        source=reader.identity(),
    )


def _opening(work: Work, source_name: str, cursor: Cursor | None, validators: Mapping[str, str]) -> Opening:
    ctx = work.ctx

    def sleep(seconds: float) -> None:
        if ctx.stop.wait(seconds):
            raise Preempted

    scratch = work.folder.parent / "scratch"
    scratch.mkdir(parents=True, exist_ok=True)
    return Opening(
        name=source_name,
        root=ctx.project.root,
        scratch=scratch,
        cursor=cursor,
        types=wanted_types(work.name, work.dataset, work.base),
        validators=validators,
        sleep=sleep,
        now=ctx.now,
        chance=random.Random(ctx.spec.nonce).random,
        scheduled_for=ctx.spec.context.scheduled_for,
    )


def _stage(work: Work, reader: SourceReader, edge: Edge | None, identity: str) -> Staging:
    ctx = work.ctx
    ingest = f"{ctx.spec.run}.{ctx.spec.attempt}:{identity[:16]}"
    staging = Staging(work.folder, identity, ingest, lambda: ctx.now().timestamp())
    if staging.progress.complete:
        return staging
    if edge is not None and staging.progress.edge is not None:
        edge.restore(staging.progress.edge)
    report = _Reporter(ctx)
    resumed = staging.progress.resume is not None
    try:
        for piece in reader.pieces(staging.progress.resume):
            rows = piece.rows
            if edge is not None and rows.num_rows:
                rows = edge.admit(rows, piece.raw)
            staging.add(rows, resume=piece.resume, edge=edge.state() if edge else None)
            report(staging.seen.rows, staging.seen.pages)
            if ctx.stop.is_set():
                raise Preempted
    except Preempted:
        staging.flush()
        raise
    except SourceError as error:
        if resumed and not error.retryable:
            # The place may be what is wrong, such as a page's token that has expired: the next run begins anew.
            remove(staging.folder)
        raise
    staging.complete()
    report(staging.seen.rows, staging.seen.pages, last=True)
    return staging


def _edge(source: AnySource, opening: Opening, reached: Cursor | None, *, merged: bool) -> Edge | None:
    if source.incremental is None:
        return None
    times = Times(where=opening.where, zone=source.timezone, types=opening.types)
    # Where rows are merged, one that changed again in the same moment is news, although its key is known.
    key = [] if merged else source.incremental.key
    ahead = reached if source.incremental.overlap is not None else None
    return Edge(source.incremental.column, key, opening.cursor, times, ahead)


class _Reporter:
    """Says how far fetching is, twice a second at most."""

    def __init__(self, ctx: RunContext) -> None:
        self._ctx = ctx
        self._clock: Callable[[], float] = lambda: ctx.now().timestamp()
        self._last = float("-inf")

    def __call__(self, rows: int, pages: int, *, last: bool = False) -> None:
        now = self._clock()
        if last or now - self._last >= _REPORT_S:
            self._last = now
            said = f"{pages:,} page{'s' if pages != 1 else ''}" if pages else ""
            self._ctx.spool.progress(rows, None, "rows", message=said)
