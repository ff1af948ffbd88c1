"""Starts training workers and ends them at chosen steps; run as a program of its own by test_resume.py.

It has everything imported and no JAX backend, as the warm process has, and forks a real worker for each attempt.

    python -P resume_driver.py HOME PROJECT < {run: [[step, signal], …], …}

Each pair is an attempt that gets the signal once it has reported that step; then one attempt runs to the end of its
training (run 1: to the end of the job). Prints JSON: for each run the exit statuses of its attempts, and a digest of
its final checkpoint.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from pipeline.process.spec import RunSpec
from pipeline.process.worker import work
from store.home import AttemptDir, Home


def main(home: Home, project: Path, plan: dict[str, list[tuple[int, int]]]) -> dict[str, Any]:
    importlib.import_module("pipeline.training.learn")
    answer = {}
    for run, ends in plan.items():
        tries = enumerate([*ends, None], start=1)
        statuses = [attempt(home, project, int(run), number, end) for number, end in tries]
        answer[run] = {"statuses": statuses, **final(home, int(run))}
    return answer


def attempt(home: Home, project: Path, run: int, number: int, end: tuple[int, int] | None) -> int:
    """One worker: ended by a signal at a step, or let go on until its training is over. Its exit status or -signal."""
    folder = home.attempt(run, number)
    folder.root.mkdir(parents=True)
    spec = RunSpec(
        run=run,
        attempt=number,
        nonce=f"{run}.{number}",
        job="train:late",
        kind="train",
        target="late",
        project=project,
        home=home.root,
    )
    folder.spec.write_text(spec.model_dump_json(), encoding="utf-8")
    pid = os.fork()
    if pid == 0:
        os._exit(run_worker(folder))
    while (found := os.waitpid(pid, os.WNOHANG)) == (0, 0):
        reached, over = look(folder)
        if end is not None and reached >= end[0]:
            os.kill(pid, end[1])
            found = os.waitpid(pid, 0)
            break
        if end is None and run > 1 and over:
            os.kill(pid, signal.SIGKILL)  # the rest of the job is the same for all
        time.sleep(0.005)
    return os.waitstatus_to_exitcode(found[1])


def run_worker(folder: AttemptDir) -> int:
    for stream, file in ((1, folder.stdout), (2, folder.stderr)):
        os.dup2(os.open(file, os.O_WRONLY | os.O_CREAT), stream)
    return work(folder)


def look(folder: AttemptDir) -> tuple[int, bool]:
    """(last step that was reported, whether the training has ended)."""
    step, over = 0, False
    if folder.events.exists():
        for line in folder.events.read_text().splitlines():
            if '"e":"metrics"' in line and line.endswith("}"):
                event = json.loads(line)
                step = max(step, event["steps"][-1])
                over = over or "goodput" in event["values"]
    return step, over


def final(home: Home, run: int) -> dict[str, Any]:
    """SHA-256 over every leaf of the last checkpoint, and what stands beside them. In a child: it starts a backend."""
    reading, writing = os.pipe()
    if os.fork() == 0:
        os.write(writing, json.dumps(digest(home.checkpoints(run))).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        answer: dict[str, Any] = json.load(pipe)
    os.wait()
    return answer


def digest(folder: Path) -> dict[str, Any]:
    import jax
    import numpy as np
    import orbax.checkpoint as ocp

    step = max(int(entry.name) for entry in folder.iterdir() if entry.name.isdigit())
    with ocp.StandardCheckpointer() as checkpointer:
        arrays = checkpointer.restore(folder.resolve() / str(step) / "state")
    hashed = hashlib.sha256()
    leaves = jax.tree.leaves(arrays)
    for leaf in leaves:
        hashed.update(np.asarray(leaf).tobytes())
    facts = json.loads((folder / str(step) / "run" / "metadata").read_text())
    return {"leaves": len(leaves), "digest": hashed.hexdigest(), "progress": facts["progress"]}


if __name__ == "__main__":
    print(json.dumps(main(Home(Path(sys.argv[1])), Path(sys.argv[2]), json.load(sys.stdin))))
