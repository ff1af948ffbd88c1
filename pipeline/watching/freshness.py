"""How old is what a dataset knows? The age of its newest row, and of its newest version."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pipeline.labels.joined import parquet
from pipeline.tables.duck import connect
from pipeline.tables.sqltext import identifier, literal
from pipeline.watching.assessed import Answer, Assessed
from store import lake
from store.lakefiles import live_files
from store.times import to_us


def freshness_of(table: Path, dataset: str, time: str | None, now: datetime, limit: timedelta) -> Assessed:
    """Of a dataset in the lake by its column of times; without one by when its newest version was made."""
    if time is not None:
        return freshness_assessed(dataset, newest_row(live_files(table), time, now), None, now, limit)
    made = lake.latest(table)
    return freshness_assessed(dataset, None, None if made is None else made.at, now, limit)


def newest_row(files: Sequence[Path], column: str, now: datetime) -> datetime | None:
    """The largest value of a column of moments, of those that have been; where all are to come, the largest of them.

    By one row of the year 2999 a source that has ended would be fresh for ever. DuckDB has the largest of all from the
    files' statistics, so rows are read only where that is to come.
    """
    if not files:
        return None
    largest = f"SELECT epoch_us(max({identifier(column)})) FROM {parquet(files)}"
    with closing(connect(readable=files)) as connection:
        ((newest,),) = connection.execute(largest).fetchall()
        if newest is not None and newest > to_us(now):
            ((been,),) = connection.execute(f"{largest} WHERE {identifier(column)} <= {literal(now)}").fetchall()
            newest = newest if been is None else been
    return None if newest is None else datetime.fromtimestamp(newest / 1e6, UTC)


def freshness_assessed(
    dataset: str, newest: datetime | None, made: datetime | None, now: datetime, limit: timedelta
) -> Assessed:
    """`newest`: time of its newest row; None where rows have none. `made`: when its newest version was committed.

    The newest row counts, or where there is none the version: a version of old rows is no fresh one.
    """
    counts = newest if newest is not None else made
    if counts is None:
        return Assessed(
            kind="freshness",
            subject=dataset,
            answer="not yet",
            title=f"{dataset} has no rows yet",
            reason=f"{dataset} has no version yet, or no row with a time",
        )
    age = now - counts
    answer: Answer = "found" if age > limit else "clear"
    what = "newest row" if newest is not None else "newest version"
    also = f"; its newest version is {_span(now - made)} old" if newest is not None and made is not None else ""
    ahead = f"the {what} of {dataset} is {_span(-age)} ahead of the clock"
    behind = f"the {what} of {dataset} is {_span(age)} old where {_span(limit)} are allowed"
    evidence = {"newest": _text(newest), "made": _text(made), "age_s": age.total_seconds()}
    return Assessed(
        kind="freshness",
        subject=dataset,
        answer=answer,
        title=f"{dataset} is stale" if answer == "found" else f"{dataset} is fresh",
        reason=(ahead if age < timedelta(0) else behind) + also,
        evidence={**evidence, "limit_s": limit.total_seconds()},
        suggestion=f"`trainshed runs list` shows whether etl:{dataset} ran; `trainshed run etl:{dataset}` asks anew"
        if answer == "found"
        else "",
    )


def _text(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).isoformat()


def _span(span: timedelta) -> str:
    seconds = span.total_seconds()
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.3g} s"
