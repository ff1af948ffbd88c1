"""Programs of ours that do without pandas."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.process.lean import lean

pytestmark = pytest.mark.slow
PROGRAM = """
import json, sys
import pyarrow as pa, pyarrow.parquet as pq

rows = pa.table({"a": pa.array([1, None])})
pq.write_table(rows, sys.argv[1])
print(json.dumps({
    "name": __name__,
    "arguments": sys.argv[1:],
    "rows": pq.read_table(sys.argv[1]).to_pylist(),
    "loaded": sys.modules.get("pandas") is not None,
}))
"""


@pytest.mark.parametrize("leanly", [True, False])
def test_a_program_hears_its_arguments_and_arrow_works_with_pandas_and_without(leanly: bool, tmp_path: Path) -> None:
    (tmp_path / "asked.py").write_text(PROGRAM)
    table = str(tmp_path / "a.parquet")
    words = lean("asked", [table, "--last=3"]) if leanly else ["-P", "-m", "asked", table, "--last=3"]
    paths = os.pathsep.join([str(tmp_path), str(Path(__file__).parents[3])])
    done = subprocess.run(
        [sys.executable, *words], env=os.environ | {"PYTHONPATH": paths}, capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout) == {
        "name": "__main__",
        "arguments": [table, "--last=3"],
        "rows": [{"a": 1}, {"a": None}],
        "loaded": not leanly,
    }
