"""How an attempt ended: a pure decision from what was left behind, with its reason.

facts                                                   settlement
the worker's `done` line, exit 0                        succeeded (skipped, if it said there was nothing to do)
its end was asked for by a person                       cancelled
it ran over its time                                    failed, not tried again: it would again
exit 75 without a fault                                 stopped with its work saved: queued again, not counted
a `fault` line                                          failed; tried again if the fault is of the passing kind
a signal, an exit status without a last line            failed; tried again after a signal or a full disk
shim and worker gone without a word                     lost, with the best guess why; tried again
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from store.wire import Fault
from store.words import RunState

PREEMPTED: Final = 75
NO_SPACE: Final = 74
LONGEST_DELAY_S: Final = 3600.0
_AFTERWARDS: Final = (
    "`trainshed runs logs RUN --stderr` shows its last words; `trainshed runs retry RUN` tries again, from the last "
    "checkpoint if there is one"
)
_SPEECHLESS: Final = Fault(
    code="StorageError",
    what="the disk is full or read-only: there was no room for its last words",
    remedy="free space (`trainshed doctor` shows it), then `trainshed runs retry RUN`: it goes on from what is saved",
)
EXIT_STATUS: Final[dict[int, str]] = {
    65: "bad data",
    69: "the device is missing",
    70: "training diverged",
    71: "out of memory",
    73: "a checkpoint could not be saved or is damaged",
    74: "the disk is full or read-only",
    77: "the source refuses us",
    78: "the project file, or a file it names, is wrong",
    126: "the program could not be executed",
    127: "the program was not found",
}
"""What exit statuses of a worker mean (sysexits.h, store/errors.py)."""
SIGNALS: Final[dict[int, str]] = {
    1: "SIGHUP", 2: "SIGINT", 4: "SIGILL: an instruction this processor does not have",
    6: "SIGABRT: a library gave up, see stderr", 7: "SIGBUS: often a full disk behind a mapped file",
    8: "SIGFPE", 9: "SIGKILL", 11: "SIGSEGV: a crash in native code", 15: "SIGTERM",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class LastWord:
    """The worker's closing event."""

    kind: str
    """`done`, `skip` or `fault`."""
    text: str = ""
    fault: Fault | None = None
    retryable: bool = False


@dataclass(frozen=True, kw_only=True)
class AttemptEnd:
    """Everything known about an attempt that is over."""

    attempt: int
    max_attempts: int
    retry_delay_s: float
    said: LastWord | None
    final: bool
    """Whether the shim wrote how the worker ended; the next two are its words."""
    exit_code: int | None = None
    signal: int | None = None
    started: bool = True
    """Whether a shim ever took it."""
    same_boot: bool = True
    cancelled_by: str | None = None
    timed_out_after_s: float | None = None
    oom: str | None = None
    """What says that memory ran out, or None."""


@dataclass(frozen=True, kw_only=True)
class Settlement:
    state: RunState
    reason: str
    fault: Fault | None = None
    retry_in: timedelta | None = None
    """Queue the run again after so long; None: it has ended."""
    counts: bool = True
    """Whether this attempt is one of the `max_attempts`."""


def settle(end: AttemptEnd) -> Settlement:
    """What becomes of the run."""
    if end.said is not None and end.said.kind != "fault" and end.final and end.exit_code == 0:
        return _went_well(end.said)
    if end.cancelled_by is not None:
        return Settlement(state="cancelled", reason=f"cancelled by {end.cancelled_by}")
    if end.timed_out_after_s is not None:
        return _timed_out(end.timed_out_after_s)
    if end.said is not None and end.said.kind == "fault":
        return _gave_up(end, end.said)
    if not end.started:
        return _again(end, "lost", "the daemon died before a process was started", counts=False)
    if not end.final:
        return _again(end, "lost", _why_lost(end))
    if end.exit_code == PREEMPTED:
        return _again(end, "cancelled", "stopped from outside, with its work saved (exit status 75)", counts=False)
    if end.exit_code == NO_SPACE:
        return _again(end, "failed", _SPEECHLESS.what, fault=_SPEECHLESS)
    return _again(end, "failed", _how_ended(end), retryable=end.signal is not None)


def delay(first_s: float, attempt: int) -> timedelta:
    """Before the attempt after `attempt`: doubled each time, at most an hour."""
    return timedelta(seconds=min(LONGEST_DELAY_S, first_s * 2.0 ** min(attempt - 1, 30)))


def _went_well(said: LastWord) -> Settlement:
    state: RunState = "skipped" if said.kind == "skip" else "succeeded"
    return Settlement(state=state, reason=said.text)


def _timed_out(seconds: float) -> Settlement:
    what = f"it took longer than its timeout of {seconds:g} s and was killed"
    remedy = "raise `timeout` of the job in trainshed.toml, or find out with `trainshed runs logs` what it waited for"
    return Settlement(state="failed", reason=what, fault=Fault(code="TimedOut", what=what, remedy=remedy))


def _gave_up(end: AttemptEnd, said: LastWord) -> Settlement:
    assert said.fault is not None
    return _again(end, "failed", said.fault.what, fault=said.fault, retryable=said.retryable)


def _again(
    end: AttemptEnd,
    state: RunState,
    reason: str,
    *,
    fault: Fault | None = None,
    retryable: bool = True,
    counts: bool = True,
) -> Settlement:
    fault = fault or Fault(code="Ended", what=reason, remedy=_AFTERWARDS)
    last = counts and end.attempt >= end.max_attempts
    if not retryable or last:
        return Settlement(state=state, reason=reason, fault=fault)
    wait = delay(end.retry_delay_s, end.attempt if counts else 1) if end.started else timedelta()
    return Settlement(state=state, reason=reason, fault=fault, retry_in=wait, counts=counts)


def _why_lost(end: AttemptEnd) -> str:
    if not end.same_boot:
        return "the machine was rebooted while it ran"
    if end.oom is not None:
        return f"its processes are gone: out of memory ({end.oom})"
    return "its processes are gone and left no word: killed from outside (SIGKILL)"


def _how_ended(end: AttemptEnd) -> str:
    if end.signal is not None:
        if end.signal == 9 and end.oom is not None:
            return f"out of memory: the kernel killed it ({end.oom})"
        return f"killed by signal {end.signal} ({SIGNALS.get(end.signal, 'see signal(7)')})"
    if end.exit_code == 0:
        return "it ended without saying that it was done: something called exit() inside the step"
    meaning = EXIT_STATUS.get(end.exit_code or 0, "see stderr")
    return f"it ended with exit status {end.exit_code} ({meaning})"
