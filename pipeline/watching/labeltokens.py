"""Which labels a window's requests have: counted, and told apart by a hash, so that a window is assessed anew when some
have come or changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path

from pipeline.labels.joined import ANSWERED, joined, parquet, standing
from pipeline.labels.record import LABEL
from pipeline.tables.duck import connect
from pipeline.watching.logtable import moment
from pipeline.watching.windows import Window


def label_tokens(
    predictions: Sequence[Path], labels: Sequence[Path], version: int, windows: Sequence[Window]
) -> Mapping[Window, str]:
    """Of each window in which requests of the version have labels. They do not overlap."""
    if not (predictions and labels and windows):
        return {}
    spans = ", ".join(f"({one.start_us}, {one.end_us})" for one in windows)
    seen = f"""(SELECT "request", "unit", "why", "at", "segment", "offset", "version" FROM {parquet(predictions)}
        WHERE {ANSWERED} AND "at" >= {moment(min(windows).start_us)})"""
    with closing(connect(readable=[*predictions, *labels])) as connection:
        found = connection.execute(f"""
            SELECT w."start", w."end", count(*), bit_xor(hash(m."key", m."value", m."segment", m."offset"))
            FROM (VALUES {spans}) AS w("start", "end")
            JOIN (
                SELECT epoch_us(p."at") AS "us", l."key", l."value", l."segment", l."offset"
                FROM {joined(seen, standing(labels, LABEL))} l JOIN {seen} p USING ("segment", "offset")
                WHERE p."version" = {int(version)}
            ) m ON m."us" >= w."start" AND m."us" < w."end"
            GROUP BY ALL
        """).fetchall()
    return {Window(start, end): f"{count}-{mixed:x}" for start, end, count, mixed in found}
