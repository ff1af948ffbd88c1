"""The beginning and the end of an attempt: rows, order file, settlement."""

from __future__ import annotations

import os

from daemon.children import ShimId, Status, fence, sweep
from daemon.settle import AttemptEnd, settle
from daemon.spoolfile import last_word
from pipeline.process import procfs
from pipeline.process.spec import RunSpec
from store import lifecycle
from store.engine import Record
from store.home import AttemptDir
from store.queue import get_run
from store.tables import Attempt
from store.times import us
from store.words import ACTIVE


def write_order(directory: AttemptDir, spec: RunSpec) -> None:
    """`spec.json`, whole or not at all, in a folder of its own. Raises OSError."""
    if directory.root.exists():
        _put_aside(directory, spec.nonce)
    directory.root.mkdir(parents=True)
    partial = directory.root / "spec.partial"
    partial.write_text(spec.model_dump_json(), encoding="utf-8")
    os.replace(partial, directory.spec)


def _put_aside(directory: AttemptDir, nonce: str) -> None:
    """What a run with the same number left, unknown to a restored record: what it said would count as ours."""
    left = Status.read(directory)
    if left is not None and not fence(directory):
        sweep(left.nonce, left.shim)  # it works for what is over
    directory.root.rename(directory.root.with_name(f"{directory.root.name}.before-{nonce[:8]}"))


def note_shim(record: Record, run: int, number: int, shim: ShimId) -> bool:
    """Writes down which process carries out the attempt; True if its end was asked for meanwhile."""
    with record.transaction() as tx:
        row = lifecycle.get_attempt(tx.session, run, number)
        row.boot_id, row.pid, row.pid_created = shim.boot_id, shim.pid, shim.created
        return get_run(tx.session, run).cancel_requested is not None


def settle_attempt(
    record: Record,
    *,
    run: int,
    number: int,
    directory: AttemptDir,
    timed_out: bool = False,
    oom: str | None = None,
) -> None:
    """Ends the attempt in the record by what it left behind; nothing if it has ended there already.

    To be called when no process of it is left and its spool is stored.
    """
    status = Status.read(directory)
    said = last_word(directory.events)
    with record.transaction() as tx:
        row = get_run(tx.session, run)
        if row.attempt != number or row.state not in ACTIVE:
            return
        attempt = lifecycle.get_attempt(tx.session, run, number)
        if status is not None and status.nonce != attempt.nonce:
            status = None
        verdict = settle(
            AttemptEnd(
                attempt=number,
                max_attempts=row.max_attempts,
                retry_delay_s=row.retry_delay_s,
                said=said,
                final=status is not None and status.ended,
                exit_code=status.exit_code if status is not None else None,
                signal=status.signal if status is not None else None,
                started=status is not None or attempt.pid is not None,
                same_boot=_boot(status, attempt) in (None, procfs.boot_id()),
                cancelled_by=row.cancel_requested,
                timed_out_after_s=row.timeout_s if timed_out else None,
                oom=oom,
            )
        )
        if not verdict.counts:
            row.max_attempts += 1
        lifecycle.settle(
            tx,
            run,
            verdict.state,
            reason=verdict.reason,
            fault=verdict.fault,
            retry_at=tx.now + us(verdict.retry_in) if verdict.retry_in is not None else None,
            exit_code=status.exit_code if status is not None else None,
            signal=status.signal if status is not None else None,
            peak_rss=status.peak_rss if status is not None else None,
            cpu_s=status.cpu_s if status is not None else None,
        )


def _boot(status: Status | None, attempt: Attempt) -> str | None:
    return status.shim.boot_id if status is not None else (attempt.boot_id or None)
