"""Two tables whose drift is known: five columns of numbers and two of words, of which three have moved."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

NUMBERS: Final = ("bell", "tail", "zeros", "moved", "wider")
WORDS: Final = ("carrier", "airport")
MOVED: Final = ("airport", "moved", "wider")
BATCH: Final = 65_536


def write_lake(file: Path, rows: int, seed: int, *, moved: bool) -> None:
    """By the lake, as one commit of a dataset: its file, which is given this name."""
    from store import lake

    rng = np.random.default_rng(seed)
    batches = pa.table(_columns(rng, rows, moved)).to_reader(BATCH)
    table = file.with_suffix(".lake")
    lake.commit(table, batches, mode="append", metadata={}, expected=None)
    (written,) = table.glob("*.parquet")
    written.rename(file)


def write(file: Path, rows: int, seed: int, *, moved: bool) -> None:
    """Batch by batch, as the parts of a training set are written."""
    # Here, for peers take the names above where nothing of ours is installed.
    from pipeline.trainingset.files import part_writer

    rng = np.random.default_rng(seed)
    writer = None
    for begin in range(0, rows, 16 * BATCH):
        table = pa.table(_columns(rng, min(16 * BATCH, rows - begin), moved))
        writer = writer or part_writer(file, table.slice(0, BATCH))
        writer.write_table(table, row_group_size=BATCH)
    if writer is not None:
        writer.close()


def _columns(rng: np.random.Generator, rows: int, moved: bool) -> dict[str, Any]:
    airports = np.char.add("airport ", np.arange(60).astype(str))
    weights = np.linspace(2, 1, 60) if not moved else np.r_[np.linspace(2, 1, 40), np.linspace(6, 4, 20)]
    return {
        "bell": rng.normal(size=rows),
        "tail": rng.lognormal(size=rows),
        "zeros": np.maximum(rng.normal(size=rows), 0),
        "moved": rng.normal(0.5 if moved else 0.0, 1, rows),
        "wider": rng.normal(0, 1.7 if moved else 1.0, rows),
        "carrier": np.array(["AA", "UA", "DL", "B6", "WN"])[rng.integers(0, 5, rows)],
        "airport": airports[rng.choice(60, rows, p=weights / weights.sum())],
    }
