"""The terminal UI in a real pseudo-terminal, beside a bare Textual application, btop and top, in one run.

    python benchmarks/tui.py [--homes DIR] [--sizes 1000,100000] [--idle 20] [--repeat 5]

`--homes` holds filled projects (`benchmarks/fill.py DIR/SIZE --runs SIZE`), made where they are missing; a real daemon
serves each. Prints one JSON object; 120x40, truecolor. CPU is the UI's own, in s or ms; bytes are those sent.
Goals: start 1.25 times the bare application's CPU, cursor 500 B and 6 ms, jump 9 kB, box 4 kB, view 10 kB, idle 0 B/s
and 0.3 %, fifty living runs 4 kB/s and 2 %, lite 1 kB/s. On a box that works besides CPU seconds grow: read the ratios.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.made.living import living
from benchmarks.terminal import Reaction, Terminal

HERE = Path(__file__).resolve().parent
PYTHON = sys.executable
TRAINSHED = str(Path(sys.executable).with_name("trainshed"))
ENVIRON = {name: value for name, value in os.environ.items() if name not in {"NO_COLOR", "TMUX"}}
DOWN, ESCAPE = "j", "\x1b"
SETTLE_S = 1.0
"""A picture is over when nothing came for so long: on a busy machine the answers of the daemon take their time."""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--homes", type=Path)
    parser.add_argument("--sizes", default="1000,100000")
    parser.add_argument("--idle", type=float, default=20.0)
    parser.add_argument("--repeat", type=int, default=5)
    asked = parser.parse_args()
    sizes = [int(size) for size in asked.sizes.split(",")]
    with tempfile.TemporaryDirectory() as scratch:
        homes = asked.homes or Path(scratch) / "homes"
        report: dict[str, Any] = {"load": os.getloadavg(), "bare": bare(asked.repeat, asked.idle)}
        report["others"] = {name: other(name, command, asked.idle) for name, command in others().items()}
        for size in sizes:
            report[f"runs_{size}"] = ours(filled(homes, size), asked.repeat, asked.idle)
        report["fifty_living_runs"] = busy(Path(scratch) / "busy", asked.idle, [])
        report["fifty_living_runs_lite"] = busy(Path(scratch) / "lite", asked.idle, ["--lite"])
    print(json.dumps(report, indent=1))


# ---- what is measured against -------------------------------------------------------------------------------------


def bare(repeat: int, idle: float) -> dict[str, Any]:
    """The smallest Textual application: header, a line, footer."""
    starts = [bare_start() for _ in range(repeat)]
    with terminal([PYTHON, str(HERE / "bare.py")]) as screen:
        screen.until("bare and ready")
        screen.quiet()
        return {**_start(starts), "rss_mb": round(screen.rss_mb(), 1), **_rest(screen, idle)}


def bare_start() -> tuple[float, float]:
    """Seconds, and CPU seconds."""
    with terminal([PYTHON, str(HERE / "bare.py")]) as screen:
        return screen.until("bare and ready"), screen.cpu()


def others() -> dict[str, list[str]]:
    """Those of them that are installed."""
    wanted = {"btop": ["btop"], "top": ["top", "-d1"]}
    return {name: [str(shutil.which(c[0])), *c[1:]] for name, c in wanted.items() if shutil.which(c[0])}


def other(name: str, command: list[str], idle: float) -> dict[str, Any]:
    with terminal(command) as screen:
        screen.quiet(timeout=5)
        down = screen.key("\x1b[B")
        return {"rss_mb": round(screen.rss_mb(), 1), "down_bytes": down.bytes, **_rest(screen, idle)}


# ---- ours -----------------------------------------------------------------------------------------------------------


def ours(folder: Path, repeat: int, idle: float) -> dict[str, Any]:
    with daemon_of(folder):
        starts, firsts, bares = [], [], []
        for _ in range(repeat):
            bares.append(bare_start())  # side by side: the machine is never as quiet as it was a minute ago
            with ui(folder) as screen:
                firsts.append(screen.until("trainshed"))
                wall = screen.until("actions")
                starts.append((wall, screen.cpu()))
        with ui(folder) as screen:
            screen.until("actions")
            screen.quiet(SETTLE_S)
            rest_overview = _rest(screen, idle)
            found: dict[str, Any] = {
                **_start(starts),
                "cpu_of_bare": _ratio([cpu for _, cpu in starts], [cpu for _, cpu in bares]),
                "first_bytes_ms": round(1000 * statistics.median(firsts), 1),
                "overview_at_rest": rest_overview,
                "to_runs": _one(screen.key("2", SETTLE_S)),
                "rss_mb": round(screen.rss_mb(), 1),
                "down": _many(screen, repeat * 3, lambda: DOWN),
                "last_row": _one(screen.key("G", SETTLE_S)),
                "page_up": _many(screen, repeat, lambda: "\x1b[5~"),
                "first_row": _one(screen.key("g", SETTLE_S)),
                "page_down": _many(screen, repeat, lambda: "\x1b[6~"),
                "runs_at_rest": _rest(screen, idle),
            }
            screen.key("g", SETTLE_S)
            found["box_open"] = _one(screen.key("K", SETTLE_S))
            found["box_close"] = _one(screen.key(ESCAPE, SETTLE_S))
            screen.key("/", SETTLE_S)
            found["filter_letters"] = [_one(screen.key(letter, SETTLE_S)) for letter in "train"]
            screen.key("\r", SETTLE_S)
            screen.key(ESCAPE, SETTLE_S)
            found["view_back"] = _one(screen.key("1", SETTLE_S))
            found["view_again"] = _one(screen.key("2", SETTLE_S))
            found["rss_at_the_end_mb"] = round(screen.rss_mb(), 1)
        return found


def busy(folder: Path, seconds: float, options: list[str]) -> dict[str, Any]:
    """Fifty living runs with two metrics a second each, in the list of runs."""
    with living(folder, "--seconds", str(int(seconds) + 10)) as (go, _), ui(folder, *options) as screen:
        screen.until("actions")
        screen.key("2", SETTLE_S)
        go()
        screen.rest(3)
        return _rest(screen, seconds)


def filled(homes: Path, size: int) -> Path:
    folder = homes / str(size)
    if not (folder / "trainshed.toml").exists():
        subprocess.run([PYTHON, str(HERE / "fill.py"), str(folder), "--runs", str(size)], check=True, stdout=sys.stderr)
    return folder


@contextmanager
def daemon_of(folder: Path) -> Iterator[None]:
    subprocess.run([TRAINSHED, "up", "--detach", "--project", str(folder)], check=True, stdout=sys.stderr)
    try:
        yield
    finally:
        subprocess.run([TRAINSHED, "down", "--project", str(folder)], check=True, stdout=sys.stderr)


@contextmanager
def ui(folder: Path, *options: str) -> Iterator[Terminal]:
    with terminal([TRAINSHED, *options, "--project", str(folder)]) as screen:
        yield screen


def terminal(command: list[str]) -> Terminal:
    return Terminal(command, environ=ENVIRON, folder=Path("/"))


# ---- figures --------------------------------------------------------------------------------------------------------


def _start(starts: list[tuple[float, float]]) -> dict[str, float]:
    return {
        "live_ms": round(1000 * statistics.median(wall for wall, _ in starts), 1),
        "live_cpu_s": round(statistics.median(cpu for _, cpu in starts), 3),
    }


def _ratio(ours: list[float], bares: list[float]) -> dict[str, float]:
    """Of the medians; of the lowest of each, which the rest of the machine disturbs least; median of the pairs."""
    return {
        "median": round(statistics.median(ours) / statistics.median(bares), 3),
        "lowest": round(min(ours) / min(bares), 3),
        "pairs": round(statistics.median(one / other for one, other in zip(ours, bares, strict=True)), 3),
    }


def _rest(screen: Terminal, seconds: float) -> dict[str, float]:
    sent, percent = screen.rest(seconds)
    return {"bytes_per_s": round(sent / seconds, 1), "cpu_percent": round(percent, 3)}


def _one(reaction: Reaction) -> dict[str, float]:
    return {"bytes": reaction.bytes, "first_ms": round(reaction.first_ms, 1), "cpu_ms": round(reaction.cpu_ms, 1)}


def _many(screen: Terminal, count: int, key: Callable[[], str]) -> dict[str, float]:
    found = [screen.key(key()) for _ in range(count)]
    firsts = sorted(reaction.first_ms for reaction in found)
    return {
        "bytes": statistics.median(reaction.bytes for reaction in found),
        "first_ms_p50": round(statistics.median(firsts), 1),
        "first_ms_p95": round(firsts[int(0.95 * (len(firsts) - 1))], 1),
        "cpu_ms": round(statistics.median(reaction.cpu_ms for reaction in found), 1),
    }


if __name__ == "__main__":
    main()
