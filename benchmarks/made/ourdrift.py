"""`python ourdrift.py FOLDER`: the same files by profiles; of the reference, of the window, and the verdict between."""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.made.driftdata import NUMBERS, WORDS
from pipeline.trainingset.reading import read_batches, sample_ids, take_rows
from pipeline.versions.signature import FeatureKind
from pipeline.watching.learned import FITTED_ROWS
from pipeline.watching.logged import as_profiled
from pipeline.watching.measures import measures
from pipeline.watching.profile import cells_of, fit, from_document, profile, to_document
from pipeline.watching.verdict import Rules, decided

KINDS: dict[str, FeatureKind] = {**dict.fromkeys(NUMBERS, "numeric"), **dict.fromkeys(WORDS, "categorical")}


def batches(file: Path) -> Iterator[pa.RecordBatch]:
    for batch in read_batches(file):
        yield from as_profiled(pa.Table.from_batches([batch]), KINDS).to_batches()


def main() -> None:
    folder = Path(sys.argv[1])
    at = [time.process_time()]
    reference = folder / "reference.parquet"
    rows = pq.read_metadata(reference).num_rows
    ids = sample_ids(rows, FITTED_ROWS, 0)
    sample = as_profiled(take_rows(reference, ids) if ids is not None else pq.read_table(reference), KINDS)
    before = profile(fit(sample, KINDS), batches(reference))
    del sample
    at.append(time.process_time())
    now = profile(cells_of(before), batches(folder / "current.parquet"))
    at.append(time.process_time())
    known, window = (from_document(json.loads(json.dumps(to_document(one)))) for one in (before, now))
    drifted = [
        name
        for name in KINDS
        if decided([measures(known[name], window[name])], Rules(windows=1, needed=1)).answer == "drifted"
    ]
    at.append(time.process_time())
    spent = [round(end - start, 3) for start, end in pairwise(at)]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    named = dict(zip(("reference_s", "window_s", "verdict_s"), spent, strict=True))
    print(json.dumps({"cpu_s": sum(spent), **named, "peak_mb": peak, "drifted": sorted(drifted)}))


if __name__ == "__main__":
    main()
