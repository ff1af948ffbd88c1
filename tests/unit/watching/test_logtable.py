"""A window's rows are those of the requests that the log says lie in it, whatever else it holds, group by group."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.predictions.ingest import SCHEMA
from pipeline.versions.signature import FeatureKind
from pipeline.watching.logged import OUTPUT
from pipeline.watching.logtable import LogTable
from pipeline.watching.windows import Window

KINDS: dict[str, FeatureKind] = {"x": "numeric", "word": "categorical", OUTPUT: "numeric"}
WINDOW = Window(1000, 2000)


def request(at_us: int, inputs: Any, scores: list[Any] | None, **other: Any) -> dict[str, Any]:
    line = dict.fromkeys(SCHEMA.names) | {"request": f"r{at_us}", "at": at_us, "model": "late", "version": 1}
    line |= {"why": "no unit", "epoch": 1, "latency_us": 900, "status": 200, "segment": "s", "offset": at_us}
    outputs = None if scores is None else json.dumps({"score": scores})
    return line | {"inputs": None if inputs is None else json.dumps(inputs), "outputs": outputs} | other


def written(folder: Path, lines: list[dict[str, Any]], group: int = 1000) -> LogTable:
    file = folder / "log.parquet"
    pq.write_table(pa.Table.from_pylist(lines, SCHEMA), file, row_group_size=group)
    return LogTable([file], 1, KINDS, "score")


def read(table: LogTable, window: Window = WINDOW) -> dict[str, list[Any]]:
    batches = [batch.rows for batch in table.batches(window)]
    return pa.Table.from_batches(batches).to_pydict() if batches else {}


def test_only_what_the_version_answered_in_the_window_is_read(tmp_path: Path) -> None:
    asked = {"x": [1.0], "word": ["a"]}
    lines = [
        request(999, asked, [0.1]),
        request(1000, asked, [0.2]),
        request(1500, asked, [0.3], version=2),
        request(1501, asked, [0.4], status=500),
        request(1502, asked, [0.5], why="shadow"),
        request(1503, None, [0.6]),
        request(1504, asked, None),
        request(1999, asked, [0.7], status=400),
        request(2000, asked, [0.8]),
    ]
    table = written(tmp_path, lines, group=2)
    assert read(table)[OUTPUT] == pytest.approx([0.2, 0.7])
    assert table.contents([WINDOW])[WINDOW].rows == 2
    assert read(table, Window(5000, 6000)) == {}


def test_values_are_what_the_model_met(tmp_path: Path) -> None:
    odd = [math.nan, math.inf, -math.inf, None, 2**60 + 1, True]
    words = ["a", None, True, 1, 2.5, "é"]
    table = written(tmp_path, [request(1000, {"x": odd, "word": words}, [0.1] * 6), request(1001, {"x": [7]}, [0.2])])
    (batch,) = table.batches(WINDOW)
    numbers = batch.rows["x"].to_pylist()
    assert math.isnan(numbers[0])
    assert numbers[1:] == [math.inf, -math.inf, None, float(np.float32(2**60)), 1.0, 7.0]
    assert batch.rows["word"].to_pylist() == ["a", None, "true", "1", "2.5", "é", None]
    assert batch.named == {"x": 7, "word": 6, OUTPUT: 7}


@pytest.mark.slow
def test_wide_rows_are_put_together_from_few_at_a_time(tmp_path: Path) -> None:
    wide: dict[str, FeatureKind] = {f"c{place}": "numeric" for place in range(300)}
    rng = np.random.default_rng(0)
    given = {name: rng.normal(size=1500).astype(np.float32).tolist() for name in wide}
    lines = [
        request(1000 + part, {name: values[part * 15 : part * 15 + 15] for name, values in given.items()}, [0.5] * 15)
        for part in range(100)
    ]
    table = LogTable(written(tmp_path, lines, group=30).files, 1, {**wide, OUTPUT: "numeric"}, "score")
    (batch,) = table.batches(WINDOW)
    assert {name: batch.rows[name].to_pylist() for name in wide} == given
    assert set(batch.named.values()) == {1500}
