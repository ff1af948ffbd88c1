"""Rows in memory or on disk: where they go and why, the same bits, no memory that grows, nothing left behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.training.batches import Rows
from pipeline.training.storage import (
    Layout,
    choose_storage,
    free_memory,
    refuse_room,
    store_rows,
)
from store.errors import StorageError

LAYOUT = Layout(rows=150, numeric=3, categorical=0, target="float32")
ROOT = Path(__file__).parents[3]


def pieces(rows: Rows, size: int = 40) -> Iterator[Rows]:
    for start in range(0, rows.size, size):
        yield rows.take(np.arange(start, min(start + size, rows.size)))


def child(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_rows_go_to_disk_when_they_take_more_than_their_share_of_the_free_memory() -> None:
    small = choose_storage("auto", rows_bytes=4_000, free_memory=10_000)
    large = choose_storage("auto", rows_bytes=12_300_000_000, free_memory=24_000_000_000)
    assert (small.place, large.place) == ("memory", "disk")
    assert large.reason == "the training rows take 12.3 GB, 40% of the free memory is 9.6 GB: they lie on disk"


def test_a_setting_decides_whatever_memory_there_is() -> None:
    forced = choose_storage("disk", rows_bytes=5, free_memory=10**12)
    assert forced.place == "disk"
    assert 'training.storage = "disk"' in forced.reason
    assert choose_storage("memory", rows_bytes=10**12, free_memory=5).place == "memory"


def test_the_free_memory_is_that_of_the_control_group_where_it_has_less(tmp_path: Path) -> None:
    whole = free_memory(tmp_path)
    (tmp_path / "memory.max").write_text("3000\n")
    (tmp_path / "memory.current").write_text("1000\n")
    assert (free_memory(tmp_path), whole > 2000) == (2000, True)
    (tmp_path / "memory.max").write_text("max\n")
    assert free_memory(tmp_path) > 2000


def test_a_disk_without_the_room_is_told_with_what_is_needed_and_where(tmp_path: Path) -> None:
    refusal = refuse_room(12_300_000_000, 3_100_000_000, tmp_path)
    assert refusal is not None
    assert "need 12.3 GB on disk, and 3.1 GB are free" in refusal.what
    assert refusal.where == str(tmp_path)
    assert refuse_room(5, 5, tmp_path) is None
    with pytest.raises(StorageError, match="TB on disk"):
        store_rows(iter(()), Layout(10**13, 100, 0, "float32"), "disk", tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("place", ["memory", "disk"])
def test_pieces_come_back_as_one_bit_for_bit(place: Any, rows: Callable[..., Rows], tmp_path: Path) -> None:
    whole = rows(150)
    kept = store_rows(pieces(whole), LAYOUT, place, tmp_path)
    for column, expected in zip(kept, whole, strict=True):
        assert np.asarray(column).tobytes() == np.asarray(expected).tobytes()
        assert np.asarray(column).dtype == np.asarray(expected).dtype
    assert isinstance(kept.numeric, np.memmap) == (place == "disk")
    assert LAYOUT.nbytes == whole.nbytes
    assert not list(tmp_path.iterdir()), "the files have no name"


@pytest.mark.slow
def test_a_training_on_disk_gives_the_bits_of_one_in_memory(
    bench: Any, rows: Callable[..., Rows], digest: Callable[[Any], str], tmp_path: Path
) -> None:
    whole = rows(150)
    in_memory = bench.fit(bench.lesson(train=store_rows(pieces(whole), LAYOUT, "memory", tmp_path)))
    on_disk = bench.fit(bench.lesson(train=store_rows(pieces(whole), LAYOUT, "disk", tmp_path)))
    assert digest(on_disk.state) == digest(in_memory.state)
    assert digest(on_disk.leaves) == digest(in_memory.leaves)
    assert on_disk.progress == in_memory.progress


FULL = """
import resource, sys
from pathlib import Path
import numpy as np
from pipeline.training.batches import Rows
from pipeline.training.storage import Layout, store_rows
from store.errors import StorageError
folder, limit = Path(sys.argv[1]), 200_000
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
layout = Layout(100_000, 3, 0, "float32")
try:
    store_rows(iter(()), layout, "disk", folder)
except StorageError as error:
    print(error)
print(list(folder.iterdir()))
"""


@pytest.mark.slow
def test_a_disk_that_is_full_is_told_before_a_row_is_written_and_keeps_nothing(tmp_path: Path) -> None:
    """A real limit of the operating system, in a process of its own: no file may be larger than 200 kB."""
    done = child(f"import sys; sys.argv = ['', {str(tmp_path)!r}]\n{FULL}")
    assert "a file may not get this large here" in done.stdout, done.stderr
    assert "free space" in done.stdout
    assert done.stdout.strip().endswith("[]")


KILLED = """
import os, signal, sys
from pathlib import Path
import numpy as np
from pipeline.training.batches import Rows
from pipeline.training.storage import Layout, store_rows
from store.workspace import workspace
count = 1_000_000
with workspace(Path(sys.argv[1])) as folder:
    (folder / "spill").mkdir()
    (folder / "spill" / "duckdb").write_bytes(b"x")
    column = Rows(np.ones((count, 1), np.float32), np.zeros((count, 0), np.int32), np.ones(count, np.float32))
    kept = store_rows(iter([column]), Layout(count, 1, 0, "float32"), "disk", folder)
    print(sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.slow
def test_what_a_killed_run_put_aside_is_freed_at_once_or_swept_by_the_next(tmp_path: Path) -> None:
    from store.workspace import workspace

    done = child(f"import sys; sys.argv = ['', {str(tmp_path)!r}]\n{KILLED}")
    assert done.returncode == -9, done.stderr
    assert done.stdout.strip() == "1", "eight megabytes of rows never had a name"
    assert len(list(tmp_path.iterdir())) == 1
    with workspace(tmp_path) as mine:
        assert list(tmp_path.iterdir()) == [mine]
    assert not list(tmp_path.iterdir())


MEASURED = """
import json, sys, threading, time
from pathlib import Path
import pyarrow.parquet as pq
import jax
from pipeline.training.batches import BatchPlan, HostFeed
from pipeline.training.encoder import encode_batches, fit_signature, layout_of
from pipeline.training.figures import prepare, target_scale
from pipeline.training.storage import store_rows
from pipeline.trainingset import Feature
from pipeline.trainingset.reading import read_batches
import pyarrow.dataset as pads
file, place = Path(sys.argv[1]), sys.argv[2]
folder, count = file.parent, pq.ParquetFile(file).metadata.num_rows
def private():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon"))
peak, over = [0], threading.Event()
def watch():
    while not over.wait(0.005):
        peak[0] = max(peak[0], private())
threading.Thread(target=watch, daemon=True).start()
features = [*(Feature(f"x{i}", "numeric") for i in range(16)), Feature("word", "categorical")]
signature = fit_signature(pads.dataset(file), features, "y", "binary", spill=folder / "spill")
layout = layout_of(count, signature)
rows = store_rows(encode_batches(read_batches(file), signature), layout, place, folder)
prepare(rows, signature, 8, 0)
target_scale(rows)
feed = HostFeed(rows, BatchPlan(count, 256, 0), 16)
for step in range(0, 640, 16):
    jax.block_until_ready(feed.load(step, 16).slots)
over.set()
print(json.dumps({"peak": peak[0], "rows": layout.nbytes}))
"""


def write_rows(file: Path, count: int, block: int = 20_000) -> Path:
    schema = pa.schema([*((f"x{i}", pa.float64()) for i in range(16)), ("word", pa.string()), ("y", pa.int64())])
    rng, words = np.random.default_rng(0), pa.array([str(n) for n in range(5000)])
    with pq.ParquetWriter(file, schema) as writer:
        for _ in range(0, count, block):
            columns = [rng.normal(size=block) for _ in range(16)]
            word = words.take(pa.array(rng.integers(0, 5000, block)))
            writer.write_batch(pa.record_batch([*columns, word, (columns[0] > 0).astype(np.int64)], schema=schema))
    return file


@pytest.mark.slow
def test_five_times_the_rows_take_no_more_memory_on_disk_and_five_times_as_much_in_it(tmp_path: Path) -> None:
    """Private memory, sampled: pages of the mapped files are the kernel's, which takes them back when it needs them."""

    def measured(file: Path, place: str) -> dict[str, int]:
        done = child(f"import sys; sys.argv = ['', {str(file)!r}, '{place}']\n{MEASURED}")
        assert done.returncode == 0, done.stderr
        found: dict[str, int] = json.loads(done.stdout)
        return found

    small, large = write_rows(tmp_path / "small.parquet", 200_000), write_rows(tmp_path / "large.parquet", 1_000_000)
    few, many, held = measured(small, "disk"), measured(large, "disk"), measured(large, "memory")
    # What does grow: four bytes a row for the order. The 200,000 rows that quantiles are taken from are in both.
    assert many["peak"] - few["peak"] < 0.6 * (many["rows"] - few["rows"]), (few, many)
    assert held["peak"] - many["peak"] > 0.6 * many["rows"], (many, held)
