"""`python nannyml_drift.py FOLDER [CHUNKS]`: NannyML's univariate drift (Jensen-Shannon), ten chunks."""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from pathlib import Path

os.environ["NML_DISABLE_USAGE_LOGGING"] = "1"

import nannyml
import pandas as pd

from benchmarks.made.driftdata import NUMBERS, WORDS

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    began = time.process_time()
    columns = [*NUMBERS, *WORDS]
    calculator = nannyml.UnivariateDriftCalculator(
        column_names=columns,
        treat_as_categorical=list(WORDS),
        continuous_methods=["jensen_shannon"],
        categorical_methods=["jensen_shannon"],
        chunk_number=int(sys.argv[2]) if len(sys.argv) > 2 else 10,
    )
    calculator.fit(pd.read_parquet(folder / "reference.parquet"))
    found = calculator.calculate(pd.read_parquet(folder / "current.parquet")).filter(period="analysis").to_df()
    spent = time.process_time() - began
    alarms = {name: int(found[(name, "jensen_shannon", "alert")].sum()) for name in columns}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    print(json.dumps({"cpu_s": spent, "peak_mb": peak, "values": alarms}))
