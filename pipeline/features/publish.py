"""From a view's version in the lake to its online file: for each entity what answers now, and what will answer later.

The rows are those of the point-in-time join, by the same SQL; only such as were succeeded before the moment of
publishing are left out. So a lookup at any later moment finds what a training row of that moment would have found in
this version.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from duckdb import DuckDBPyConnection

from pipeline.config.datasets import FeatureView
from pipeline.features.columns import feature_columns
from pipeline.features.online import Facts, read_facts
from pipeline.features.pit import Lookup, column_types, seen_rows, type_family
from pipeline.tables.duck import connect
from pipeline.tables.storage import storage_faults
from store import lake
from store.disk import sync
from store.home import Home
from store.times import to_us

_ROWS: Final = 10_000
"""Written at a time."""


def put_online(home: Home, name: str, view: FeatureView, version: int, now: datetime) -> None:
    """Makes the online file hold this version, if the view is to have one; removes it if not. Raises StorageError."""
    file = home.online(name)
    if not view.online:
        file.unlink(missing_ok=True)
        return
    known = read_facts(file)
    if known is not None and known.version == version:
        return
    with storage_faults(file), closing(connect()) as connection:
        connection.register("_view", lake.dataset_at(home.feature_view(name), version))
        publish(connection, "_view", view, file, version=version, now_us=to_us(now))


def publish(
    connection: DuckDBPyConnection, relation: str, view: FeatureView, file: Path, *, version: int, now_us: int
) -> None:
    """Replaces `file` by one with the rows of `relation` that can answer at `now_us` or later."""
    kinds = column_types(connection, relation)
    features = _features(view, kinds)
    facts = Facts(
        version=version,
        published_us=now_us,
        entity={column: type_family(kinds[column]) for column in view.entity},
        features=features,
        ttl_us=None if view.ttl is None else view.ttl // timedelta(microseconds=1),
        strict=view.strict,
    )
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    aside = file.with_name(f"{file.name}.new")
    aside.unlink(missing_ok=True)
    with closing(sqlite3.connect(aside)) as target:
        _write(target, facts, _rows(connection, relation, view, features, now_us))
    sync(aside)
    os.replace(aside, file)
    sync(file.parent)


def _features(view: FeatureView, kinds: Mapping[str, str]) -> dict[str, str]:
    """Feature → `numeric` or `categorical`; what is neither can be no model's input."""
    found = {}
    for column in feature_columns(view, list(kinds)):
        kind = kinds[column]
        if type_family(kind) in {"integer", "float"} or kind.startswith("DECIMAL"):
            found[column] = "numeric"
        elif kind in {"VARCHAR", "BOOLEAN"}:
            found[column] = "categorical"
    return found


def _rows(
    connection: DuckDBPyConnection, relation: str, view: FeatureView, features: Mapping[str, str], now_us: int
) -> Iterator[list[tuple[Any, ...]]]:
    """Entity as text, seen, event, values."""
    keys = [f"_k{place}" for place in range(len(view.entity))]
    lookup = Lookup(
        view=view,
        rows=relation,
        examples="",
        row="",
        at="",
        on={column: column for column in view.entity},
        features={column: column for column in features},
        where="",
    )
    types = {"numeric": "DOUBLE", "categorical": "VARCHAR"}
    values = "".join(f", _f{place}::{types[kind]}" for place, kind in enumerate(features.values()))
    entity = ", ".join(f"{key}::VARCHAR" for key in keys)
    event = "_e" if view.ttl is not None else "_seen"
    whole = " AND ".join(f"{key} IS NOT NULL" for key in keys)
    found = connection.execute(
        f"""SELECT {entity}, _seen, {event}{values} FROM ({seen_rows(lookup, keys)}) WHERE {whole}
            WINDOW following AS (PARTITION BY {", ".join(keys)} ORDER BY _seen)
            QUALIFY coalesce(lead(_seen) OVER following >= {now_us}, TRUE)"""
    )
    while rows := found.fetchmany(_ROWS):
        yield rows


def _write(target: sqlite3.Connection, facts: Facts, rows: Iterator[list[tuple[Any, ...]]]) -> None:
    keys = [f"k{place}" for place in range(len(facts.entity))]
    columns = [f"f{place}" for place in range(len(facts.features))]
    # It is synced as a whole, and renamed then.
    target.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;")
    target.execute("CREATE TABLE facts (document TEXT NOT NULL)")
    target.execute("INSERT INTO facts VALUES (?)", (json.dumps(facts.document()),))
    declared = [*(f"{key} TEXT NOT NULL" for key in keys), "seen INTEGER NOT NULL", "event INTEGER NOT NULL", *columns]
    target.execute(f"CREATE TABLE found ({', '.join(declared)}, PRIMARY KEY ({', '.join(keys)}, seen)) WITHOUT ROWID")
    marks = ", ".join("?" * (len(keys) + 2 + len(columns)))
    for batch in rows:
        target.executemany(f"INSERT INTO found VALUES ({marks})", batch)
    target.commit()
