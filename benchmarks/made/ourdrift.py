"""`python ourdrift.py FOLDER`: the same files by profiles; of the reference, of the window, and the verdict between.

The reference's profile is kept in the folder: called again, only the window is profiled, as it is of a version.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.made.driftdata import NUMBERS, WORDS
from pipeline.process.pages import keep_freed_memory
from pipeline.trainingset.reading import read_batches, sample_ids
from pipeline.versions.signature import FeatureKind
from pipeline.watching.measures import all_measures
from pipeline.watching.profile import Profiles, cells_of, fitted, from_document, profile, to_document
from pipeline.watching.verdict import Rules, decided

KINDS: dict[str, FeatureKind] = {**dict.fromkeys(NUMBERS, "numeric"), **dict.fromkeys(WORDS, "categorical")}


FITTED: Final = 65_536
"""Rows of the reference that place its cells."""


def batches(file: Path) -> Iterator[pa.RecordBatch]:
    for batch in read_batches(file, WORDS, threads=False):
        yield from as_profiled(pa.Table.from_batches([batch]), KINDS).to_batches()


def as_profiled(table: pa.Table, kinds: dict[str, FeatureKind]) -> pa.Table:
    """As `pipeline.watching.logged` has it, which would load DuckDB."""
    numbers = {name: table.column(name).cast(pa.float32(), safe=False) for name in kinds if kinds[name] == "numeric"}
    return pa.table({name: numbers.get(name, table.column(name)) for name in kinds})


def main() -> None:
    keep_freed_memory(os.environ)
    folder, at = Path(sys.argv[1]), [time.process_time()]
    kept = folder / "reference.json"
    if not kept.exists():
        kept.write_text(json.dumps(to_document(reference(folder / "reference.parquet"))))
    at.append(time.process_time())
    before = from_document(json.loads(kept.read_bytes()))
    now = profile(cells_of(before), batches(folder / "current.parquet"))
    at.append(time.process_time())
    rules = Rules(windows=1, needed=1)
    drifted = [name for name, one in all_measures(before, now).items() if decided([one], rules).answer == "drifted"]
    at.append(time.process_time())
    spent = [round(end - start, 3) for start, end in pairwise(at)]
    named = dict(zip(("reference_s", "window_s", "verdict_s"), spent, strict=True))
    print(json.dumps({"cpu_s": sum(spent), **named, "peak_mb": peak_mb(), "drifted": sorted(drifted)}))


def peak_mb() -> float:
    """Of this program's memory alone: `getrusage` knows that of the process which started it, too."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) * 1024 / 1e6


def reference(file: Path) -> Profiles:
    """As `pipeline.watching.learned` makes it."""
    return fitted(KINDS, lambda: batches(file), sample_ids(pq.read_metadata(file).num_rows, FITTED, 0))


if __name__ == "__main__":
    main()
