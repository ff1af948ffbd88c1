"""Writing a spool: whole lines, numbers without gaps, whatever the disk does."""

from __future__ import annotations

import json
import resource
import signal
import subprocess
import sys
from pathlib import Path

from pipeline.process.spool import Spool

FILE_TOO_LARGE = f"""
import json, resource, signal, sys
from pathlib import Path
from pipeline.process.spool import Spool
signal.signal(signal.{signal.SIGXFSZ.name}, signal.SIG_IGN)
file = Path(sys.argv[1])
spool = Spool(file, lambda: 1.0)
spool.write("hello")
resource.setrlimit(resource.RLIMIT_FSIZE, (200, {resource.RLIM_INFINITY}))
try:
    spool.write("note", message="x" * 500)
except OSError as error:
    print("refused", file.stat().st_size < 200)
resource.setrlimit(resource.RLIMIT_FSIZE, ({resource.RLIM_INFINITY}, {resource.RLIM_INFINITY}))
spool.write("done")
"""


def test_a_line_that_did_not_fit_leaves_nothing_behind(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    command = [sys.executable, "-P", "-c", FILE_TOO_LARGE, str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "refused True\n"
    assert [(e["n"], e["e"]) for e in map(json.loads, file.read_text().splitlines())] == [(1, "hello"), (2, "done")]


def test_numbers_go_on_after_a_restart(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    for kind in ("hello", "done"):
        spool = Spool(file, lambda: 1.0)
        spool.write(kind)
        spool.close()
    assert [json.loads(line)["n"] for line in file.read_text().splitlines()] == [1, 2]
