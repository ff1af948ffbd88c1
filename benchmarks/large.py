"""Training with its rows on disk against training with its rows in memory, on the same rows.

    python benchmarks/large.py [ROWS]

Each contender is a process of its own over one Parquet file: vocabularies and classes, encoding, statistics, then a
real training of one epoch (a TabM of 16 units and 4 members, 4,096 rows a step). Rounds are interleaved; medians. One
JSON object:

    encode_rows_per_s      from Parquet to encoded rows
    train_rows_per_s       in the loop, by the wall clock
    cold_rows_per_s        the same with the rows thrown out of the page cache first, as if they were larger than memory
    private_mb, peak_mb    private memory at its most, and resident memory with the mapped files
    digest                 of the trained weights: equal, or the script ends with an error
    disk_to_memory         ratios of the two

Expected: about four minutes of CPU with 1,000,000 rows.
"""

from __future__ import annotations

import hashlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pyarrow as pa
import pyarrow.dataset as pads
import pyarrow.parquet as pq

from pipeline.config.models import Tabm, Training
from pipeline.models.flat import flatten
from pipeline.models.network import network_builder
from pipeline.training.batches import Rows
from pipeline.training.encoder import encode_batches, fit_signature, layout_of
from pipeline.training.figures import prepare, target_scale
from pipeline.training.looks import Objective
from pipeline.training.steps import Trace
from pipeline.training.stopping import Evaluation
from pipeline.training.storage import Place, store_rows
from pipeline.training.train import Lesson, fit
from pipeline.trainingset.reading import read_batches
from pipeline.versions.signature import InputColumn

ROUNDS = 3
NUMERIC, WORDS, BLOCK = 24, 500, 50_000
FEATURES = [InputColumn(name=f"x{i}", kind="numeric") for i in range(NUMERIC)] + [
    InputColumn(name="word", kind="categorical")
]
FIGURES = ("encode_rows_per_s", "train_rows_per_s", "private_mb", "peak_mb")


class Silent:
    """A watcher that adds up the seconds of the chunks."""

    seconds = 0.0

    def compiled(self, seconds: float) -> None: ...

    def chunk(self, first: int, trace: Trace, seconds: float) -> None:
        self.seconds += seconds

    def evaluated(self, found: Evaluation, is_best: bool, seconds: float) -> None: ...


def write_rows(file: Path, rows: int) -> None:
    schema = pa.schema([*((f.name, pa.float64()) for f in FEATURES[:-1]), ("word", pa.string()), ("y", pa.int64())])
    rng, words = np.random.default_rng(0), pa.array([f"w{n}" for n in range(WORDS)])
    with pq.ParquetWriter(file, schema) as writer:
        for start in range(0, rows, BLOCK):
            count = min(BLOCK, rows - start)
            columns = [rng.normal(size=count) for _ in range(NUMERIC)]
            word = words.take(pa.array(rng.integers(0, WORDS, count)))
            truth = (columns[0] * columns[1] > 0).astype(np.int64)
            writer.write_batch(pa.record_batch([*columns, word, truth], schema=schema))


def measured(file: Path, place: Place, cold: bool) -> dict[str, Any]:
    """One contender, in this process."""
    peaks, over = {"RssAnon": 0, "VmRSS": 0}, threading.Event()
    threading.Thread(target=_watch, args=(peaks, over), daemon=True).start()
    signature = fit_signature(pads.dataset(file), FEATURES, "y", "binary", spill=file.parent / "spill")
    count = pq.ParquetFile(file).metadata.num_rows
    started = time.perf_counter()
    rows = store_rows(encode_batches(read_batches(file), signature), layout_of(count, signature), place, file.parent)
    encoded = time.perf_counter() - started
    training = Training(epochs=1, batch=4096, patience=None)
    build = network_builder(
        Tabm(width=16, members=4), prepare(rows, signature, 24, 0), task="binary", classes=2, target=target_scale(rows)
    )
    flat, leaves = flatten(build, 0)
    objective = Objective(name="none", higher_is_better=True, measure=lambda labels, scores: 0.0)
    validate = rows.take(np.arange(2000))
    lesson = Lesson(model=flat, leaves=leaves, train=rows, validate=validate, training=training, objective=objective)
    if cold:
        _throw_out(rows)
    watcher = Silent()
    fitted = fit(lesson, watcher=watcher, clock=time.monotonic, stop=threading.Event())
    over.set()
    digest = hashlib.sha256(b"".join(np.asarray(leaf).tobytes() for leaf in jax.tree.leaves(fitted.leaves)))
    return {
        "encode_rows_per_s": count / encoded,
        "train_rows_per_s": count / watcher.seconds,
        "private_mb": peaks["RssAnon"] / 1000,
        "peak_mb": peaks["VmRSS"] / 1000,
        "rows_mb": rows.nbytes / 1e6,
        "digest": digest.hexdigest()[:16],
    }


def _watch(peaks: dict[str, int], over: threading.Event) -> None:
    """Kilobytes at their most."""
    while not over.wait(0.01):
        for line in Path("/proc/self/status").read_text().splitlines():
            name, _, value = line.partition(":")
            if name in peaks:
                peaks[name] = max(peaks[name], int(value.split()[0]))


def _throw_out(rows: Rows) -> None:
    """The mapped files leave this process and then the page cache: each nameless file is reached by its map."""
    import mmap

    for column in (column for column in rows if isinstance(column, np.memmap)):
        column._mmap.madvise(mmap.MADV_DONTNEED)  # type: ignore[attr-defined]
    for entry in Path("/proc/self/map_files").iterdir():
        try:
            if "deleted" in os.readlink(entry):
                descriptor = os.open(entry, os.O_RDONLY)
                os.fsync(descriptor)
                os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
                os.close(descriptor)
        except OSError:
            continue


def contender(file: Path, place: str, cold: bool) -> dict[str, Any]:
    command = [sys.executable, __file__, "--one", str(file), place, *(["cold"] if cold else [])]
    found: dict[str, Any] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return found


def main(rows: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder).resolve() / "train.parquet"
        write_rows(file, rows)
        found: dict[str, list[dict[str, Any]]] = {"memory": [], "disk": []}
        for _ in range(ROUNDS):
            for place, rounds in found.items():
                rounds.append(contender(file, place, cold=False))
        cold = contender(file, "disk", cold=True)
    medians = {p: {n: statistics.median(r[n] for r in rounds) for n in FIGURES} for p, rounds in found.items()}
    digests = {one["digest"] for rounds in found.values() for one in rounds} | {cold["digest"]}
    print(
        json.dumps(
            {
                "rows": rows,
                "rows_mb": round(cold["rows_mb"], 1),
                **{p: {name: round(value) for name, value in one.items()} for p, one in medians.items()},
                "cold_rows_per_s": round(cold["train_rows_per_s"]),
                "disk_to_memory": {name: round(medians["disk"][name] / medians["memory"][name], 3) for name in FIGURES},
                "digest": sorted(digests),
            }
        )
    )
    if len(digests) != 1:
        sys.exit("the two places gave different weights")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        print(
            json.dumps(measured(Path(sys.argv[2]), "disk" if sys.argv[3] == "disk" else "memory", "cold" in sys.argv))
        )
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
