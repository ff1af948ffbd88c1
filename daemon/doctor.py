"""`python -P -m daemon.doctor`: looks at everything the work depends on. Exit 1 if something fails.

Gathers facts here and judges them in `daemon/findings.py`. Works without a project, and beside a running daemon.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import resource
import socket
import sqlite3
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import psutil

from daemon import findings
from daemon.disk import free_bytes
from daemon.findings import Finding
from daemon.gpus import DRIVER, Gpus
from daemon.service import owner_of
from pipeline.config import Project
from pipeline.config.load import load_project
from pipeline.secrets import is_reference, resolve
from pipeline.serving.tls import valid_until
from store.errors import ProjectError, SecretMissing
from store.home import Home
from store.sockets import short_path

_MARKS: Final = {"ok": "✔", "warn": "!", "fail": "✘"}
_JAX_PLUGINS: Final = ("jax-cuda13-plugin", "jax-cuda12-plugin")
_DEFAULT_MIN_FREE: Final = 2_000_000_000


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser("daemon.doctor", description="Looks at everything the work depends on.")
    parser.add_argument("--project", type=Path, metavar="DIR", help="the project's folder")
    parser.add_argument("--json", action="store_true", dest="as_json", help="one JSON document")
    asked = parser.parse_args(argv)
    found = list(examine(asked.project))
    worst = findings.worst(found)
    if asked.as_json:
        print(json.dumps({"verdict": worst, "findings": [asdict(f) for f in found]}, indent=2))
    else:
        print("\n".join(_line(f) for f in found))
    return 1 if worst == "fail" else 0


def examine(folder: Path | None) -> Iterator[Finding]:
    """All findings: of the machine, and with a project of that and of its home."""
    yield from of_the_machine()
    if folder is None:
        yield findings.ok("project", "none here (`trainshed init DIR` makes one)")
        return
    project: Project | None = None
    try:
        project = load_project(folder)
        yield findings.ok("project", f"{project.project.name} in {folder}")
    except ProjectError as error:
        fact = f"{error.where}: {error.what}"
        yield Finding(about="project", verdict="fail", fact=fact, remedy=error.remedy)
    if project is not None:
        yield of_secrets(project)
        yield from of_the_doors(project)
    yield from of_the_home(Home.of_project(folder), project.daemon.min_free if project else _DEFAULT_MIN_FREE)


def of_the_machine() -> Iterator[Finding]:
    yield findings.python(sys.version_info[:3])
    yield findings.names(packages_distributions())
    yield findings.sqlite(sqlite3.sqlite_version_info)
    yield findings.memory(memory_limit(), psutil.virtual_memory().total)
    yield findings.open_files(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    gpus = [view.name for view in Gpus().views()]
    yield findings.gpu(gpus, DRIVER.exists(), _jax_plugin())


def of_the_home(home: Home, min_free: int) -> Iterator[Finding]:
    ground = next(folder for folder in (home.root, *home.root.parents) if folder.exists())
    mode = home.root.stat().st_mode & 0o777 if home.root.exists() else None
    yield findings.home(_why_not_writable(ground), mode, str(home.root))
    yield findings.file_system(*mount_of(ground, Path("/proc/self/mountinfo").read_text()))
    yield findings.free_space(free_bytes(ground), min_free)
    written = [file.stat().st_mtime for file in home.root.glob("trainshed.db*")] if home.root.exists() else []
    yield findings.clock(time.time(), max(written, default=None), _knows_zones())
    owner = owner_of(home)
    who = f"pid {owner.pid}, {owner.version}, since {owner.since}" if owner else None
    yield findings.daemon(who, _answers(home.socket), home.socket.exists())
    yield findings.writers([pid for pid in holders(home.database) if owner is None or pid != owner.pid])


def of_secrets(project: Project) -> Finding:
    """Whether every reference in the project file leads somewhere. Never shows a value."""
    references = sorted(set(_references(project.model_dump(include={"sources", "alerts"}))))
    missing = []
    for reference in references:
        try:
            resolve(reference, project.root)
        except SecretMissing as error:
            missing.append(f"{reference}: {error.what}")
    if missing:
        remedy = "set them where the daemon starts, or write the files"
        return Finding(about="secrets", verdict="fail", fact="; ".join(missing), remedy=remedy)
    return findings.ok("secrets", f"{len(references)} references, all found" if references else "none are used")


def of_the_doors(project: Project) -> Iterator[Finding]:
    """The certificate of the endpoints, if they have one."""
    tls = project.serving.tls
    if tls is None:
        return
    try:
        until = valid_until(project.root / tls.cert, project.root / tls.key)
        yield findings.certificate(until, datetime.now(UTC))
    except ProjectError as error:
        yield Finding(about="certificate", verdict="fail", fact=f"{error.where}: {error.what}", remedy=error.remedy)


def mount_of(folder: Path, mountinfo: str) -> tuple[str, str]:
    """Kind of file system and mount point of a folder, from the text of /proc/self/mountinfo (proc(5))."""
    best = ("unknown", "/")
    place = folder.resolve()
    for line in mountinfo.splitlines():
        left, _, right = line.partition(" - ")
        point = left.split()[4].replace("\\040", " ")
        # Later lines are mounted over earlier ones, so the last of the longest wins.
        if place.is_relative_to(point) and len(point) >= len(best[1]):
            best = (right.split()[0], point)
    return best


def memory_limit(root: Path = Path("/sys/fs/cgroup")) -> int | None:
    """Bytes that this process's control group may use; None without a limit."""
    for file in (root / "memory.max", root / "memory" / "memory.limit_in_bytes"):
        with contextlib.suppress(OSError, ValueError):
            return int(file.read_text())
    return None


def holders(file: Path) -> list[int]:
    """Processes of ours that have a file open, by /proc; other users' cannot be seen."""
    found = []
    for folder in Path("/proc").glob("[0-9]*/fd"):
        with contextlib.suppress(OSError):
            if any(os.readlink(entry) == str(file) for entry in folder.iterdir()):
                found.append(int(folder.parent.name))
    return [pid for pid in found if pid != os.getpid()]


def _references(value: object) -> Iterator[str]:
    if isinstance(value, str) and is_reference(value):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from _references(part)
    elif isinstance(value, list):
        for part in value:
            yield from _references(part)


def _why_not_writable(folder: Path) -> str | None:
    try:
        probe = folder / f".probe-{os.getpid()}"
        probe.touch(mode=0o600)
        probe.unlink()
    except OSError as error:
        return error.strerror
    return None


def _answers(path: Path) -> bool:
    if not path.exists():
        return False
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as caller:
        caller.settimeout(1.0)
        try:
            with short_path(path) as address:
                caller.connect(address)
        except OSError:
            return False
    return True


def _knows_zones() -> bool:
    try:
        ZoneInfo("Europe/Berlin")
    except ZoneInfoNotFoundError:
        return False
    return True


def _jax_plugin() -> str | None:
    for name in _JAX_PLUGINS:
        with contextlib.suppress(PackageNotFoundError):
            return f"{name} {version(name)}"
    return None


def _line(finding: Finding) -> str:
    remedy = f"\n{'':24}→ {finding.remedy}" if finding.remedy else ""
    return f"{_MARKS[finding.verdict]} {finding.verdict:<5} {finding.about:<15} {finding.fact}{remedy}"


if __name__ == "__main__":
    sys.exit(main())
