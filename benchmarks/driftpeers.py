"""Drift of seven columns, five of numbers and two of words, against Evidently and NannyML: the same two files, in turn.

    python benchmarks/driftpeers.py [--environments DIR] [--rows 1000000] [--times 3] [name ...]

Each runs in a process of its own, by its defaults for tables with declared column types; Evidently and NannyML in
environments of their own, made by pip at the first run and kept. CPU seconds, libraries' loading left out, and the
process's peak memory: all run in turn, `times` times, and of each that run is told which has its median CPU; `cpu` has
all of them. Of ours: `reference_s`, which a version costs once; `window_s` and `verdict_s`, which each window costs.
`ratio`: their CPU to all of ours; `ratio_window`: to that of a window. The reference is written as a training set's
part is (`part_writer`), the window as the lake writes one commit of a dataset; all read the same two files. `kb`: the
window's size.

What they compute: ours of each column PSI, Kolmogorov-Smirnov, Wasserstein, Jensen-Shannon, Hellinger, chi-square,
missing and new words, of one window; Evidently one measure a column, of all rows; NannyML Jensen-Shannon of ten chunks
of the window, and of ten of the reference, from which its limits follow. With one chunk of each it takes no less
(`made/peers/nannyml_drift.py FOLDER 1`). All read both files. Of the seven columns three have moved (airport, moved,
wider); `values` is what each says of them, `drifted` what ours finds.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.made.driftdata import MOVED, write, write_lake
from pipeline.process.pages import SMALL_PAGES

ROOT: Final = Path(__file__).resolve().parent.parent
PEERS: Final = {
    "evidently": ("evidently==0.7.23", "pandas<3", "pyarrow"),
    "nannyml": ("nannyml==0.13.1", "statsmodels", "pyarrow"),
}
MADE: Final = ROOT / "benchmarks" / "made"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("names", nargs="*", default=list(PEERS), help=f"of {', '.join(PEERS)}")
    parser.add_argument("--environments", type=Path, default=Path.home() / ".cache" / "trainshed-peers")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--times", type=int, default=3)
    asked = parser.parse_args()
    pythons = {name: environment(asked.environments / name, PEERS[name]) for name in asked.names}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        write(folder / "reference.parquet", asked.rows, 1, moved=False)
        write_lake(folder / "current.parquet", asked.rows, 2, moved=True)
        told: dict[str, list[dict[str, Any]]] = {name: [] for name in ("ours", *pythons)}
        for _ in range(asked.times):
            (folder / "reference.json").unlink(missing_ok=True)
            told["ours"].append(figures(Path(sys.executable), MADE / "ourdrift.py", folder))
            for name, python in pythons.items():
                told[name].append(figures(python, MADE / "peers" / f"{name}_drift.py", folder))
        kb = round((folder / "current.parquet").stat().st_size / 1000)
    of = {name: middle(runs) for name, runs in told.items()}
    window = of["ours"]["window_s"] + of["ours"]["verdict_s"]
    for name in pythons:
        of[name]["ratio"] = round(of[name]["cpu_s"] / of["ours"]["cpu_s"], 1)
        of[name]["ratio_window"] = round(of[name]["cpu_s"] / window, 1)
    found = {"rows": asked.rows, "kb": kb, "moved": list(MOVED), **of}
    print(json.dumps(found, indent=2))


def environment(home: Path, packages: tuple[str, ...]) -> Path:
    """The Python that has them, made if it is not there."""
    python = home / "bin" / "python"
    if not (home / "whole").exists():
        subprocess.run([sys.executable, "-m", "venv", str(home)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", *packages], check=True)
        (home / "whole").touch()
    return python


def middle(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """The run of median CPU, and the CPU of all."""
    ordered = sorted(runs, key=lambda one: one["cpu_s"])
    return {**ordered[(len(ordered) - 1) // 2], "cpu": [one["cpu_s"] for one in runs]}


def figures(python: Path, script: Path, folder: Path) -> dict[str, Any]:
    """What the script prints last."""
    environ = {**os.environ, **SMALL_PAGES, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [str(python), str(script), str(folder)], env=environ, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{script.name} failed:\n{done.stderr[-2000:]}")
    said: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return {name: round(one, 3) if isinstance(one, float) else one for name, one in said.items()}


if __name__ == "__main__":
    main()
