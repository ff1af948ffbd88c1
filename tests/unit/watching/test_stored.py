"""What is kept of a window is found again to the last bit, in files of this release and of the one before."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.watching.packed import counts_of, counts_text, floats_of, floats_text, widened
from pipeline.watching.profile import digest_of, fit, from_document, profile, to_document
from pipeline.watching.stored import Shelf, WindowProfile
from pipeline.watching.windows import Window

WINDOW = Window(0, 3_600_000_000)


def table(rows: int, seed: int) -> pa.Table:
    rng = np.random.default_rng(seed)
    some = pa.array(rng.normal(size=rows), mask=rng.random(rows) < 0.1)
    return pa.table({"x": some, "none": pa.nulls(rows, pa.float64()), "word": rng.choice(list("abcde"), rows)})


CELLS = fit(table(3000, 0), {"x": "numeric", "none": "numeric", "word": "categorical"})


def window(rows: int) -> WindowProfile:
    made = table(rows, 1)
    return WindowProfile("t1", rows, dict.fromkeys(made.column_names, rows), profile(CELLS, made.to_batches()))


def same(one: WindowProfile | None, other: WindowProfile) -> bool:
    assert one is not None
    plain = (one.token, one.rows, one.named) == (other.token, other.rows, other.named)
    return plain and to_document(one.columns) == to_document(other.columns)


@pytest.mark.parametrize("rows", [0, 1, 300, 70_000])
def test_a_window_is_found_again_under_its_token(tmp_path: Path, rows: int) -> None:
    shelf, kept = Shelf(tmp_path, CELLS), window(rows)
    shelf.put(1, WINDOW, kept)
    assert same(shelf.get(1, WINDOW, "t1"), kept)
    assert shelf.get(1, WINDOW, "t2") is None
    (file,) = shelf.files()
    first = file.read_bytes()
    shelf.put(1, WINDOW, kept)
    assert file.read_bytes() == first


def test_what_two_monitors_say_of_one_window_is_kept_of_both(tmp_path: Path) -> None:
    """One took the other's place: with other limits for the same windows, each look assessed all of them anew."""
    shelf = Shelf(tmp_path, CELLS)
    shelf.tell("late", 1, WINDOW, "t1/a", {"labelled": 1})
    shelf.tell("strict", 1, WINDOW, "t1/b", {"labelled": 2})
    assert shelf.told("late", 1, WINDOW, "t1/a") == {"labelled": 1}
    assert shelf.told("strict", 1, WINDOW, "t1/b") == {"labelled": 2}
    assert shelf.told("late", 1, WINDOW, "t2/a") is None
    assert shelf.files() == []


def test_a_window_that_the_release_before_kept_is_found(tmp_path: Path) -> None:
    shelf, kept = Shelf(tmp_path, CELLS), window(300)
    columns: dict[str, Any] = {
        name: {"counts": one.counts.tolist(), **one.moments()} for name, one in kept.columns.items()
    }
    said = {"format": 1, "token": "t1", "rows": 300, "named": dict(kept.named), "columns": columns}
    shelf.put(1, WINDOW, kept)
    (file,) = shelf.files()
    file.write_bytes(gzip.compress(json.dumps(said, sort_keys=True).encode()))
    assert same(shelf.get(1, WINDOW, "t1"), kept)


@pytest.mark.parametrize(
    "damage",
    [b"", b"no archive", gzip.compress(b"{}\n"), gzip.compress(b"no JSON\n123")],
    ids=["empty", "no archive", "no columns", "no JSON"],  # an archive has its second in it: no two processes agreed
)
def test_what_is_damaged_is_not_there(tmp_path: Path, damage: bytes) -> None:
    shelf = Shelf(tmp_path, CELLS)
    shelf.put(1, WINDOW, window(300))
    (file,) = shelf.files()
    file.write_bytes(damage)
    assert shelf.get(1, WINDOW) is None


def test_a_file_that_lost_its_end_or_some_counts_is_not_there(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, CELLS)
    shelf.put(1, WINDOW, window(300))
    (file,) = shelf.files()
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    assert shelf.get(1, WINDOW) is None
    file.write_bytes(gzip.compress(gzip.decompress(whole)[:-8]))
    assert shelf.get(1, WINDOW) is None


def test_cells_have_the_digest_that_they_had_when_their_edges_were_lists(tmp_path: Path) -> None:
    """Windows are kept under it."""
    cells = from_document(
        {
            "format": 1,
            "columns": {
                "x": {
                    **{"kind": "numeric", "edges": [0.5, 1.0, 2.0], "points": True, "centre": 1.0},
                    **{"counts": [0, 1, 1, 0, 0, 0, 0, 0], "sums": ["1p0"] * 4, "range": [1.0, 2.0]},
                },
                "word": {"kind": "categorical", "words": ["a"], "counts": [2, 0, 0], "examples": []},
            },
        }
    )
    known = {name: one.cells for name, one in cells.items()}
    assert digest_of(known) == "45860cf01ee4fcec3924e6a17df465173ce9aeec35b9c84f00396a5afdacdcb8"
    written = json.loads(json.dumps(to_document(cells)))
    assert digest_of({name: one.cells for name, one in from_document(written).items()}) == digest_of(known)
    Shelf(tmp_path, known).put(1, WINDOW, WindowProfile("t", 2, {"x": 2, "word": 2}, cells))
    assert [one.name for one in tmp_path.iterdir()] == [digest_of(known)[:16]]
    assert Shelf(tmp_path, known, digest_of(known)).get(1, WINDOW) is not None


@given(st.lists(st.integers(0, 2**62)), st.lists(st.floats(allow_nan=False)))
def test_numbers_are_read_as_they_were_written(counts: list[int], values: list[float]) -> None:
    assert counts_of(counts_text(np.array(counts, np.int64))).tolist() == counts == counts_of(counts).tolist()
    assert floats_of(floats_text(np.array(values, np.float64))).tolist() == values == floats_of(values).tolist()


def test_numbers_of_another_kind_are_not_read() -> None:
    for said in ("u3:AAAA", "f8:AAAA", "u2:A", "u2:?!"):
        with pytest.raises(ValueError, match=r".+"):
            counts_of(said)
    with pytest.raises(ValueError, match="another release"):
        floats_of("u1:AAAA")
    with pytest.raises(ValueError, match="another release"):
        widened("i9", b"")
