"""`python evidently_drift.py FOLDER`: Evidently's DataDriftPreset of current.parquet against reference.parquet."""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from pathlib import Path

os.environ["DO_NOT_TRACK"] = "1"

import pandas as pd
from evidently import DataDefinition, Dataset, Report
from evidently.presets import DataDriftPreset

from benchmarks.made.driftdata import NUMBERS, WORDS

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    began = time.process_time()
    definition = DataDefinition(numerical_columns=list(NUMBERS), categorical_columns=list(WORDS))
    reference, current = (
        Dataset.from_pandas(pd.read_parquet(folder / f"{name}.parquet"), data_definition=definition)
        for name in ("reference", "current")
    )
    found = Report([DataDriftPreset()]).run(current, reference).dict()
    spent = time.process_time() - began
    drifted = {}
    for metric in found["metrics"]:
        name = str(metric)
        for column in (*NUMBERS, *WORDS):
            if f"column={column}" in name or f"'{column}'" in name:
                drifted[column] = metric["value"]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    print(json.dumps({"cpu_s": spent, "peak_mb": peak, "values": drifted}))
