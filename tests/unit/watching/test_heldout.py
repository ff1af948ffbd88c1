"""Rows that a version had not seen, kept beside its profiles."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from pipeline.trainingset.build import open_training_set
from pipeline.trainingset.files import write_set
from pipeline.versions.bundle import load_bundle
from pipeline.watching.heldout import held_out, most_rows
from store.errors import NotFound
from store.home import Home
from tests.unit.serving.bench import Bench

pytestmark = pytest.mark.slow  # a version is made with JAX


def training_set(home: Home, rows: int = 300) -> str:
    """As `build_training_set` records them."""
    rng = np.random.default_rng(0)
    carriers = rng.choice(["AA", "UA", "QQ"], rows)
    columns = {"id": range(rows), "late": rng.random(rows) < 0.3, "distance": rng.normal(500, 99, rows)}
    table = pa.table({**columns, "carrier": carriers, "hour": rng.integers(0, 24, rows)})
    features = [("distance", "numeric"), ("carrier", "categorical"), ("hour", "numeric")]

    def manifest(counts: Any, row_hash: str) -> dict[str, Any]:
        known: dict[str, Any] = {"task": "binary", "label": "late", "key": ["id"], "time": None, "query": ""}
        left = dict.fromkeys(("dropped_unlabelled", "dropped_untimed", "left_in_gap"), 0)
        named = [{"name": name, "kind": kind} for name, kind in features]
        empty: dict[str, Any] = {"slices": [], "inputs": {}, "rows": dict(counts), "row_hash": row_hash}
        return {**known, **left, **empty, "features": named}

    return write_set(home.training_sets, lambda part: table.to_reader(), manifest)


def test_they_are_the_test_rows_with_the_versions_answers_and_come_back_the_same(tmp_path: Any) -> None:
    home = Home(tmp_path)
    digest, learned_from = Bench(home).version(), training_set(home)
    found = held_out(home, digest, learned_from)
    rows = open_training_set(home, learned_from).read("test")
    assert found.columns.column_names == ["distance", "carrier", "hour"]
    assert found.columns.column("carrier").to_pylist() == rows.column("carrier").to_pylist()
    assert found.labels.tolist() == [int(one) for one in rows.column("late").to_pylist()]
    assert found.scores.tolist() == load_bundle(home.bundle(digest)).predict(rows).astype(np.float64).tolist()
    file = home.references / f"{digest}.rows.parquet"
    first = file.read_bytes()
    again = held_out(home, digest, "gone")  # what is kept needs no training set
    assert (again.scores == found.scores).all()
    assert again.columns.equals(found.columns)
    file.write_bytes(b"damaged")
    held_out(home, digest, learned_from)
    assert file.read_bytes() == first
    file.unlink()
    with pytest.raises(NotFound, match="no training set gone"):
        held_out(home, digest, "gone")
    assert sorted(one.name for one in home.references.iterdir()) == []


def test_of_wide_rows_fewer_are_kept() -> None:
    assert [most_rows(columns) for columns in (0, 10, 400, 4000, 10**6)] == [20_000, 20_000, 10_000, 5000, 5000]
