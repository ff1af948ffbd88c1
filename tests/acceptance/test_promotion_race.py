"""Two processes promote at the same moment: the record lets one of them win and tells the other who it was."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from store.home import Home
from tests.unit.registry.shelf import Shelf

ROOT = Path(__file__).parents[2]
PROMOTE = """
import json, sys
from pathlib import Path
from pipeline.judging.plan import planned
from store import registry
from store.engine import Record
from store.errors import Conflict
from store.home import Home
from store.times import system_clock
from store.wire import PromoteRequest

version, token = int(sys.argv[2]), sys.argv[3]
record = Record.open(Home(Path(sys.argv[1])), system_clock)
print("ready", flush=True)
sys.stdin.readline()
try:
    with record.transaction() as tx:
        plan = planned(tx.session, "late", version, "production")
        request = PromoteRequest(version=version, token=token)
        registry.promote(tx, "late", request, f"user{version}", plan)
    print(json.dumps("won"))
except Conflict as refused:
    print(json.dumps(refused.what))
"""


@pytest.mark.slow
def test_of_two_processes_that_promote_at_once_one_wins_and_the_other_is_told_who(tmp_path: Path) -> None:
    shelf = Shelf(Home(tmp_path))
    shelf.promote(shelf.version())
    rivals = [shelf.version(), shelf.version()]
    tokens = {version: shelf.plan(version).token for version in rivals}
    shelf.record.close()
    processes = {version: start(tmp_path, version, tokens[version]) for version in rivals}
    for process in processes.values():
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes.values():
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    answers = {version: json.loads(process.communicate(timeout=60)[0]) for version, process in processes.items()}
    winner = next(version for version, answer in answers.items() if answer == "won")
    (told,) = [answer for version, answer in answers.items() if version != winner]
    assert f"user{winner} put it at version {winner}" in told
    assert production(tmp_path) == winner


def start(home: Path, version: int, token: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-P", "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r})\n{PROMOTE}"]
    return subprocess.Popen(
        [*command, str(home), str(version), token], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def production(home: Path) -> int | None:
    shelf = Shelf(Home(home))
    try:
        return shelf.production()
    finally:
        shelf.record.close()
