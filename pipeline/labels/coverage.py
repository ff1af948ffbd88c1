"""`python -P -m pipeline.labels.coverage LABELS PREDICTIONS`: how many requests have a label, as JSON.

With `--post ID`: what became of the labels that came with it. A program of its own, because the daemon that asks for it
loads nothing that reads the lake; by DuckDB alone, because somebody waits for its answer.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipeline.labels.joined import ANSWERED, joined, parquet, standing
from pipeline.tables.duck import connect
from store.commits import commit_metadata, newest_version
from store.lakefiles import live_files

_REPEATED, _DAMAGED = "trainshed.repeated", "trainshed.damaged"
"""As in `pipeline.labels.ingest`, which is dear to load; a test holds them together."""


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser("pipeline.labels.coverage", description="How many requests have a label.")
    parser.add_argument("labels", type=Path, help="folder of the Delta table of labels")
    parser.add_argument("predictions", type=Path, help="folder of the Delta table of predictions")
    parser.add_argument("--name", default="label", help="of the labels")
    parser.add_argument("--post", help="only what came with it")
    asked = parser.parse_args(argv)
    if asked.post is None:
        print(json.dumps(coverage(asked.labels, asked.predictions, asked.name)))
    else:
        print(json.dumps(posted(asked.labels, asked.post)))
    return 0


def posted(labels: Path, post: str) -> dict[str, int]:
    """{"new", "restated"}: the labels of a post that said something new."""
    files = live_files(labels)
    if not files:
        return {"new": 0, "restated": 0}
    with closing(connect(readable=files)) as connection:
        query = f'SELECT count(*) FILTER (NOT "restates"), count(*) FILTER ("restates") FROM {parquet(files)}'
        ((new, restated),) = connection.execute(query + ' WHERE "post" = ?', [post]).fetchall()
    return {"new": int(new), "restated": int(restated)}


def coverage(labels: Path, predictions: Path, name: str) -> dict[str, Any]:
    """What `store.wire.LabelsView` has, without the model."""
    asked, known = live_files(predictions), live_files(labels)
    said = commit_metadata(labels, newest_version(labels))
    found: dict[str, Any] = {
        "name": name,
        "requests": 0,
        "labelled": 0,
        "versions": [],
        "labels": 0,
        "strays": 0,
        "restated": 0,
        "repeated": int(said.get(_REPEATED, 0)),
        "damaged": int(said.get(_DAMAGED, 0)),
        "names": {},
        "newest": None,
    }
    with closing(connect(readable=[*asked, *known])) as connection:
        if known:
            counted = f'SELECT "name", count(DISTINCT "key") FROM {parquet(known)} GROUP BY "name" ORDER BY "name"'
            found["names"] = dict(connection.execute(counted).fetchall())
            mine = f'FROM {parquet(known)} WHERE "name" = ?'
            query = f'SELECT count(DISTINCT "key"), count(*) FILTER ("restates"), epoch_us(max("arrived")) {mine}'
            ((found["labels"], found["restated"], newest),) = connection.execute(query, [name]).fetchall()
            found["newest"] = None if newest is None else datetime.fromtimestamp(newest / 1e6, UTC).isoformat()
            found["strays"] = found["labels"]
        if asked and known:
            query = f'SELECT count(DISTINCT "key") FROM {joined(_logged(asked), standing(known, name))}'
            ((met,),) = connection.execute(query).fetchall()
            found["strays"] = found["labels"] - int(met)
        if asked:
            found["versions"] = [
                dict(zip(("version", "requests", "labelled", "delay_s"), row, strict=True))
                for row in connection.execute(_by_version(asked, known, name)).fetchall()
            ]
    for key in ("requests", "labelled"):
        found[key] = sum(one[key] for one in found["versions"])
    return found


def _logged(files: Sequence[Path]) -> str:
    return f"(SELECT * FROM {parquet(files)} WHERE {ANSWERED})"


def _by_version(asked: Sequence[Path], known: Sequence[Path], name: str) -> str:
    """Version, requests, labelled, median seconds from the request to the arrival of its label."""
    if not known:
        return f'SELECT "version", count(*), 0, NULL FROM {_logged(asked)} GROUP BY "version" ORDER BY "version" DESC'
    delay = 'median(epoch_us(l."arrived") - epoch_us(p."at")) / 1e6'
    return f"""
        SELECT p."version", count(*), count(l."segment"), {delay}
        FROM {_logged(asked)} p LEFT JOIN {joined(_logged(asked), standing(known, name))} l USING ("segment", "offset")
        GROUP BY p."version" ORDER BY p."version" DESC
    """


if __name__ == "__main__":
    sys.exit(main())
