"""What a monitor watches: the answers of versions that are, or were, in production, or the rows of a dataset."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyarrow as pa

from pipeline.config.monitors import MonitorSection
from pipeline.config.references import nearest
from pipeline.process.spec import WatchedVersion
from pipeline.versions.signature import FeatureKind, Signature
from pipeline.watching.closing import Full
from pipeline.watching.datasettable import DatasetTable, kinds_of
from pipeline.watching.logged import OUTPUT, kind_of
from pipeline.watching.logtable import LogTable
from pipeline.watching.numbers import NumberCells
from pipeline.watching.profile import Cells, Profiles, cells_of, empty, fit, from_document, to_document
from pipeline.watching.reference import inputs_of, output_of, reference, signature_of
from pipeline.watching.stored import Shelf, write_whole
from pipeline.watching.tables import Watched
from pipeline.watching.watermark import labelled_until, logged_until
from store import lake
from store.errors import SchemaChanged
from store.home import Home
from store.lakefiles import live_files

FITTED_ROWS: Final = 200_000
"""That place the cells of a dataset's columns."""


@dataclass(frozen=True)
class Basis:
    """What profiles of a subject are made over, and what it learned from."""

    shelf: Shelf
    table: Watched
    """With all columns of the shelf's cells."""
    learned: Profiles | None = None
    """Of a model."""


@dataclass(frozen=True)
class Answered:
    """A version, and where what it answered is."""

    version: WatchedVersion
    signature: Signature
    predictions: Sequence[Path]
    labels: Sequence[Path]
    """Files of the log, and of the labels."""
    labelled_us: int
    """Labels that came before then are in them."""


@dataclass(frozen=True)
class Subject:
    number: int
    """Of the version; 0 of a dataset."""
    table: Watched
    since_us: int
    before_us: int | None
    """Windows begin before that; None: they go on."""
    until_us: int
    """All rows before are there."""
    identity: str
    """What it is, beside its rows: the version's digest."""
    basis: Callable[[Sequence[Full]], Basis]
    """Dear the first time. It is given the windows that are full."""
    output: str = ""
    """Which output stands under `OUTPUT`."""
    answered: Answered | None = None
    """Of a model."""
    lost: Sequence[str] = ()
    """Inputs of versions before it that it has no more: nothing that was said of them stands."""


def subjects_of(
    home: Home, monitor: str, section: MonitorSection, versions: Sequence[WatchedVersion], now_us: int
) -> list[Subject]:
    """Of a model, each of the versions; of a dataset, that, if it has a version yet. Raises SchemaChanged."""
    if section.model is not None:
        return _versions(home, section.model, versions, now_us)
    found = _dataset(home, monitor, section, now_us)
    return [] if found is None else [found]


def _versions(home: Home, model: str, versions: Sequence[WatchedVersion], now_us: int) -> list[Subject]:
    until, labelled = logged_until(home, model, now_us), labelled_until(home, model, now_us)
    files, labels = live_files(home.predictions(model)), live_files(home.labels(model))
    found = []
    earlier: set[str] = set()
    for one in versions:
        signature = signature_of(home, one.digest)
        inputs, output = inputs_of(signature), output_of(signature)
        table = LogTable(files, one.version, {**inputs, OUTPUT: kind_of(output)}, output)
        found.append(
            Subject(
                number=one.version,
                table=table,
                since_us=one.since_us,
                before_us=one.until_us,
                until_us=until,
                identity=one.digest,
                basis=_learned(home, model, one, table),
                output=output,
                answered=Answered(one, signature, files, labels, labelled),
                lost=sorted(earlier - inputs.keys()),
            )
        )
        earlier |= inputs.keys()
    return found


def _dataset(home: Home, monitor: str, section: MonitorSection, now_us: int) -> Subject | None:
    name, time = section.dataset or "", section.time or ""
    newest = lake.latest(home.dataset(name))
    if newest is None:
        return None
    _require_time(newest.schema, name, time, monitor)
    rows = lake.dataset_at(home.dataset(name), newest.version)
    kinds = kinds_of(newest.schema, time)
    table = DatasetTable(rows, time, kinds)
    last = table.newest_us
    return Subject(
        number=0,
        table=table,
        since_us=table.oldest_us or 0,
        before_us=None,
        until_us=min(now_us, last if last is not None else 0),
        identity=f"{name}.{time}",
        basis=lambda full: _fitted(home, monitor, section, table, full),
    )


def _learned(home: Home, model: str, version: WatchedVersion, table: Watched) -> Callable[[Sequence[Full]], Basis]:
    def basis(full: Sequence[Full]) -> Basis:
        kept = reference(home, version.digest, version.training_set)
        shelf = Shelf(home.profiles / f"model-{model}", cells_of(kept.profiles), kept.cells)
        return Basis(shelf, table, kept.profiles)

    return basis


def _fitted(home: Home, monitor: str, section: MonitorSection, table: DatasetTable, full: Sequence[Full]) -> Basis:
    """Cells are placed by the first windows and stay; a column that comes later gets its own then."""
    folder = home.profiles / f"dataset-{section.dataset}"
    file = folder / f"cells-{monitor}-{section.time}.json"
    cells = _kept(file)
    missing = {name: kind for name, kind in table.kinds.items() if name not in cells}
    if missing and full:
        cells |= fit(_sample(table, full[: section.trailing], missing), missing)
        write_whole(file, json.dumps(to_document(empty(cells)), allow_nan=False).encode())
    kinds: dict[str, FeatureKind] = {
        name: "numeric" if isinstance(one, NumberCells) else "categorical" for name, one in cells.items()
    }
    return Basis(Shelf(folder, cells), DatasetTable(table.rows, table.time, kinds))


def _kept(file: Path) -> dict[str, Cells]:
    try:
        return cells_of(from_document(json.loads(file.read_bytes())))
    except (FileNotFoundError, ValueError):
        return {}


def _sample(table: DatasetTable, full: Sequence[Full], kinds: Mapping[str, FeatureKind]) -> pa.Table:
    """Of the rows of these windows, evenly spaced: the same ones each time."""
    step = -(-sum(one.content.rows for one in full) // FITTED_ROWS)
    batches, seen = [], 0
    for one in full:
        for batch in table.batches(one.window):
            rows = batch.rows.select(list(kinds))
            batches.append(rows.take(pa.array(range(-seen % step, rows.num_rows, step), pa.int64())))
            seen += rows.num_rows
    return pa.Table.from_batches(batches)


def _require_time(schema: pa.Schema, dataset: str, time: str, monitor: str) -> None:
    where = f"monitors.{monitor}.time"
    if time not in schema.names:
        raise SchemaChanged(
            f"{dataset} has no column {time!r}{nearest(time, schema.names)}",
            where=where,
            remedy="correct the name, or make the column in the dataset",
        )
    kind = schema.field(time).type
    if not (pa.types.is_timestamp(kind) or pa.types.is_date(kind)):
        raise SchemaChanged(
            f"{time!r} is no time but {kind}", where=where, remedy="turn it into a timestamp in the dataset"
        )
