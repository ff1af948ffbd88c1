"""What `doctor` thinks of the facts: pure judgements, each a finding with its remedy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from store.words import Verdict

PACKAGES: Final = ("daemon", "pipeline", "store", "tui", "assets")
"""Our top-level packages. The names are short, so another distribution may claim one."""
WAL_FIXED: Final = (3, 51, 3)
"""First SQLite without the WAL-reset bug (https://sqlite.org/wal.html#walresetbug), which damages a database when two
connections write or checkpoint at the same instant."""
_REMOTE: Final = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "fuse.sshfs", "fuse.rclone"})
_FLEETING: Final = frozenset({"tmpfs", "ramfs", "overlay"})
_LOW_MEMORY: Final = 2_000_000_000
_LOW_FILES: Final = 1024
_RENEW_BEFORE: Final = timedelta(days=14)


class HasVerdict(Protocol):
    @property
    def verdict(self) -> Verdict: ...


@dataclass(frozen=True, kw_only=True)
class Finding:
    about: str
    verdict: Verdict
    fact: str
    remedy: str = ""
    """What to do; empty when all is well."""


def ok(about: str, fact: str) -> Finding:
    return Finding(about=about, verdict="ok", fact=fact)


def python(version: Sequence[int]) -> Finding:
    fact = ".".join(map(str, version[:3]))
    if (3, 11) <= tuple(version[:2]) <= (3, 13):
        return ok("python", fact)
    return Finding(about="python", verdict="fail", fact=fact, remedy="install Trainshed with Python 3.11, 3.12 or 3.13")


def names(owners: Mapping[str, Sequence[str]]) -> Finding:
    """`owners`: import name → the distributions that claim it."""
    clashes = {name: sorted(set(owners.get(name, ())) - {"trainshed"}) for name in PACKAGES}
    found = [f"{name} is also {', '.join(others)}'s" for name, others in clashes.items() if others]
    if not found:
        return ok("package names", "nobody else's")
    return Finding(
        about="package names",
        verdict="fail",
        fact="; ".join(found),
        remedy="give Trainshed an environment of its own: `uv tool install trainshed`",
    )


def sqlite(version: tuple[int, ...]) -> Finding:
    fact = ".".join(map(str, version))
    if version < (3, 35):
        return Finding(about="sqlite", verdict="fail", fact=fact, remedy="a Python with SQLite 3.35 or newer is needed")
    if version >= WAL_FIXED:
        return ok("sqlite", fact)
    return Finding(
        about="sqlite",
        verdict="warn",
        fact=f"{fact} has the WAL-reset bug (fixed in 3.51.3); Trainshed, with its one writer, never meets it",
        remedy="let no other program write to trainshed.db while the daemon runs (Litestream is one)",
    )


def file_system(kind: str, folder: str) -> Finding:
    fact = f"{kind} at {folder}"
    if kind in _REMOTE:
        return Finding(
            about="file system",
            verdict="fail",
            fact=f"{fact}: its locks do not hold what SQLite needs",
            remedy="put the home on a local disk, by TRAINSHED_HOME",
        )
    if kind in _FLEETING:
        return Finding(
            about="file system",
            verdict="warn",
            fact=f"{fact}: it goes with the machine or the container",
            remedy="put the home on a disk that stays, by TRAINSHED_HOME",
        )
    return ok("file system", fact)


def free_space(free: int, wanted: int) -> Finding:
    fact = f"{free / 1e9:.1f} GB free"
    if free >= wanted:
        return ok("disk", fact)
    return Finding(
        about="disk",
        verdict="fail",
        fact=f"{fact}, and no run starts below {wanted / 1e9:.1f} GB (daemon.min_free)",
        remedy="free space, or put the home on a larger disk by TRAINSHED_HOME",
    )


def clock(now: float, newest: float | None, zones: bool) -> Finding:
    """`now` and `newest` (the last write to the record) in Unix seconds; `zones`: time zone data were found."""
    if not zones:
        return Finding(
            about="clock",
            verdict="fail",
            fact="there are no time zone data",
            remedy="install the package tzdata",
        )
    if newest is not None and now < newest - 60:
        return Finding(
            about="clock",
            verdict="warn",
            fact=f"it is {newest - now:.0f} s behind the last write to the record",
            remedy="set the clock (`timedatectl`); schedules wait until it has caught up",
        )
    return ok("clock", "runs forward, time zones are known")


def certificate(until: datetime, now: datetime) -> Finding:
    """Of the endpoints, `until` which it is valid."""
    left, day = until - now, f"{until:%Y-%m-%d}"
    if left > _RENEW_BEFORE:
        return ok("certificate", f"valid until {day}")
    over = left <= timedelta(0)
    return Finding(
        about="certificate",
        verdict="fail" if over else "warn",
        fact=f"it was valid until {day}: clients refuse it" if over else f"it is valid until {day} only",
        remedy="renew the files of [serving.tls]; endpoints show the new one within a second",
    )


def home(writable: str | None, mode: int | None, folder: str) -> Finding:
    """`writable`: why it cannot be written, or None; `mode`: its permission bits, None if it is not made yet."""
    if writable is not None:
        remedy = "mend its permissions, or name another place with TRAINSHED_HOME"
        return Finding(about="home", verdict="fail", fact=f"{folder} cannot be written: {writable}", remedy=remedy)
    if mode is not None and mode & 0o077:
        remedy = f"chmod 700 {folder}"
        return Finding(about="home", verdict="warn", fact=f"{folder} is open to other users", remedy=remedy)
    return ok("home", folder if mode is not None else f"{folder}, not made yet")


def daemon(owner: str | None, answers: bool, socket: bool) -> Finding:
    """`owner`: who holds the lock; `answers`: somebody accepts on the socket; `socket`: its file is there."""
    if owner is not None and answers:
        return ok("daemon", f"{owner}, answers")
    if owner is not None:
        return Finding(
            about="daemon",
            verdict="fail",
            fact=f"{owner} holds the home and does not answer",
            remedy="see the end of daemon.log in the home; end it with `kill` and start another: runs go on",
        )
    if socket:
        fact = "none runs; the socket of an earlier one is there, and the next one replaces it"
        return Finding(about="daemon", verdict="warn", fact=fact, remedy="`trainshed up --detach`")
    return ok("daemon", "none runs (`trainshed up --detach` starts it)")


def writers(others: Sequence[int]) -> Finding:
    """`others`: processes besides the daemon that have the record open."""
    if not others:
        return ok("record", "no other program has it open")
    fact = f"opened by process {', '.join(map(str, others))} too"
    return Finding(about="record", verdict="warn", fact=fact, remedy="end them, or see that they only read")


def gpu(found: Sequence[str], driver: bool, plugin: str | None) -> Finding:
    """`found`: names of the GPUs; `driver`: NVIDIA's is loaded; `plugin`: JAX's distribution for them."""
    if not found and not driver:
        return ok("gpu", "none; training uses the CPU")
    if not found:
        fact = "the driver is loaded, but does not answer"
        return Finding(about="gpu", verdict="warn", fact=fact, remedy="`nvidia-smi` says why; often a restart mends it")
    named = ", ".join(found)
    if plugin is None:
        remedy = "install it: `uv tool install 'trainshed[cuda]'`"
        return Finding(about="gpu", verdict="warn", fact=f"{named}, but JAX has no plugin for it", remedy=remedy)
    return ok("gpu", f"{named} with {plugin}")


def memory(limit: int | None, total: int) -> Finding:
    """`limit`: of the control group, None without one."""
    fact = f"{total / 1e9:.1f} GB" if limit is None or limit >= total else f"{limit / 1e9:.1f} GB, by control group"
    if min(limit or total, total) >= _LOW_MEMORY:
        return ok("memory", fact)
    remedy = "training wants 2 GB or more: raise the limit, or make batch_size smaller"
    return Finding(about="memory", verdict="warn", fact=fact, remedy=remedy)


def open_files(soft: int) -> Finding:
    if soft >= _LOW_FILES:
        return ok("open files", f"{soft} at once")
    remedy = f"ulimit -n {_LOW_FILES}, or LimitNOFILE= in the systemd unit"
    return Finding(about="open files", verdict="warn", fact=f"only {soft} at once", remedy=remedy)


def worst(findings: Sequence[HasVerdict]) -> Verdict:
    order: tuple[Verdict, ...] = ("fail", "warn", "ok")
    return next((verdict for verdict in order if any(f.verdict == verdict for f in findings)), "ok")
