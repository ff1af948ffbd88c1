from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from pipeline.serving.logbound import keep_bounded


def test_a_log_that_others_hold_open_begins_anew_and_they_go_on_in_it(tmp_path: Path) -> None:
    file = tmp_path / "serving.log"
    with open(file, "ab") as ours:
        said = "import sys; input(); sys.stdout.write('second')"
        with subprocess.Popen([sys.executable, "-c", said], stdin=subprocess.PIPE, stdout=ours) as other:
            ours.write(b"first " * 100)
            ours.flush()
            keep_bounded(file, 600)
            assert file.stat().st_size == 600, "it may have so many"
            os.write(ours.fileno(), b"!")
            keep_bounded(file, 600)
            assert file.read_bytes() == b""
            other.communicate(b"\n")
        os.write(ours.fileno(), b", third")
    assert file.read_bytes() == b"second, third"
    assert (tmp_path / "serving.log.1").read_bytes() == b"first " * 100 + b"!"
