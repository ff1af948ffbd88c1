"""A small history that tells something: a shop that learns which orders come late. The same at every call.

1 etl:orders      succeeded, orders@0              8 train:late   failed, not a number (bob)
2 features:habits succeeded                        9 backup       cancelled
3 train:late      succeeded, late 1: production   10 train:late   lost
4 etl:orders      failed, a check refused it      11 etl:orders   failed, no file
5 etl:orders      succeeded, orders@1             12 train:late   upstream failed
6 features:habits skipped                         13 train:late   RUNNING, second attempt, metrics, logs
7 train:late      succeeded, late 2: candidate    14 etl:orders   starting
                                                  15 train:late   queued
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, cast

from daemon import definitions
from daemon.core import Daemon
from pipeline.judging.plan import planned
from store import datasets, lifecycle, metrics, progress, queue, registry, results, samples, schedules
from store.engine import Transaction
from store.metrics import Chunk
from store.queue import NewRun
from store.samples import Sample
from store.wire import Fault, PromoteRequest
from store.words import JobKind
from tests.unit.ui import findings, shop
from tests.unit.ui.moments import Hand

LIVING: Final = 13
"""The training that runs."""
_MEGA: Final = 1_000_000


class History:
    """Writes it through the store's own functions; the daemon dispatches nothing meanwhile."""

    def __init__(self, daemon: Daemon, clock: Hand) -> None:
        self.daemon = daemon
        self.clock = clock
        self.record = daemon.record

    def write(self) -> None:
        self.clock.back(days=3)
        with self.record.transaction() as tx:
            definitions.sync(tx, self.daemon.project, self.daemon.jobs)
        self._first_version()
        self._second_version()
        self._bad_hours()
        self._now()
        self.clock.back(seconds=0)

    # ---- what happened -----------------------------------------------------------------------------------------------

    def _first_version(self) -> None:
        self.clock.back(days=2, hours=6)
        with self._run("etl:orders", 12) as (tx, run):
            datasets.add_version(tx, run, findings.orders(version=0, rows=48_200, added=48_200))
            datasets.add_checks(tx, run, "orders", 0, [findings.unique(48_200), findings.in_range(48_200, 2)])
        with self._run("features:habits", 5, trigger="upstream") as (tx, run):
            datasets.add_version(tx, run, findings.habits(version=0, rows=9_120, orders=0))
        with self._run("train:late", 310) as (tx, run):
            self._train(tx, run, steps=1_200, auc=0.7521, seed=1)
            results.put_training_set(tx, run, findings.training_set(run, 1))
            registry.add_version(tx, findings.version(run, 1, auc=0.7521, baseline=0.7478, production=None), run)
        self._move(1, "production", "the first that beats the baseline")

    def _second_version(self) -> None:
        self.clock.back(days=1, hours=5)
        found = [findings.unique(50_340, failing=61), findings.in_range(50_340, 2)]
        with self._failing("etl:orders", 9, shop.refused(), schedule="hourly") as (tx, run):
            datasets.add_checks(tx, run, "orders", None, found)
        with self._run("etl:orders", 14, schedule="hourly") as (tx, run):
            datasets.add_version(
                tx, run, findings.orders(version=1, rows=50_279, added=2_081, removed=2, quarantined=61)
            )
            datasets.add_checks(tx, run, "orders", 1, [findings.unique(50_279), findings.in_range(50_279, 560)])
        with self._run("features:habits", 1, end="skipped", why="nothing it is made from has changed"):
            pass
        with self._run("train:late", 402, schedule="nightly") as (tx, run):
            self._train(tx, run, steps=1_600, auc=0.7714, seed=2)
            results.put_training_set(tx, run, findings.training_set(run, 2))
            registry.add_version(tx, findings.version(run, 2, auc=0.7714, baseline=0.7502, production=0.7530), run)
        self._move(2, "candidate", "")

    def _bad_hours(self) -> None:
        self.clock.back(hours=8)
        with self._failing("train:late", 66, shop.not_a_number(), actor="bob") as (tx, run):
            self._train(tx, run, steps=239, auc=0.52, seed=8, learning_rate=3.0)
        backup = self._queue(_new("backup"))
        with self.record.transaction() as tx:
            lifecycle.request_cancel(tx, backup, "ann")
        with self._run("train:late", 900, end="lost", why="its process is gone: the box was switched off"):
            pass
        self.clock.back(hours=2)
        with self.record.transaction() as tx:
            first = _new("etl:orders", trigger="upstream")
            orders, _ = queue.submit(tx, [first, _new("train:late", depends_on=("etl:orders",))])
        self._start(orders)
        self.clock.forward(2)
        self._settle(orders, "failed", "orders.csv is not there", shop.no_file())

    def _now(self) -> None:
        """What runs and what waits."""
        self.clock.back(minutes=41)
        with self.record.transaction() as tx:
            schedules.pause(tx, "hourly", "ann", "the source is being moved")
        living = self._queue(_new("train:late", priority=5, max_attempts=3))
        assert living == LIVING
        self._start(living)
        self.clock.forward(300)
        retry_at = int(self.clock.now.timestamp()) * _MEGA
        with self.record.transaction() as tx:
            lifecycle.settle(
                tx,
                living,
                "lost",
                reason="its process is gone",
                retry_at=retry_at,
                exit_code=None,
                signal=9,
                cpu_s=291.0,
            )
        self._start(living)
        self._live(living)
        self.clock.back(minutes=1)
        starting = self._queue(_new("etl:orders"))
        with self.record.transaction() as tx:
            lifecycle.start_attempt(tx, starting, "n" * 32)
        waiting = self._queue(_new("train:late", actor="bob", priority=-5))
        with self.record.transaction() as tx:
            queue.explain_wait(tx, waiting, "waits for a free slot of pool default: 2 of 2 are taken")

    def _live(self, run: int) -> None:
        """What the living training has said so far: 1,400 of 2,000 steps, with a spike in its loss at step 700."""
        for minute in range(30):
            self.clock.forward(60)
            with self.record.transaction() as tx:
                samples.add_samples(tx, [Sample(run, 90 + 40 * math.sin(minute / 3), (300 + 9 * minute) * _MEGA)])
                samples.add_samples(
                    tx, [Sample(samples.BOX, 96 + 40 * math.sin(minute / 3), (2_000 + 9 * minute) * _MEGA)]
                )
        with self.record.transaction() as tx:
            self._train(tx, run, steps=1_400, auc=0.776, seed=3)
            for step in (400, 800, 1_200):
                results.put_checkpoint(
                    tx,
                    run,
                    step=step,
                    path=f"checkpoints/{run}/{step}",
                    digest=f"{step}".ljust(64, "0"),
                    bytes=2_480_132,
                )
            progress.report_progress(
                tx, run, done=1_400, total=2_000, unit="steps", message="validation auc 0.7748", eta_s=780.0
            )
        folder = self.daemon.home.attempt(run, 2)
        folder.root.mkdir(parents=True)
        folder.stdout.write_text("".join(f"step {n:5} loss {_loss(n, 1_400, 3):.4f}\n" for n in range(1, 1_401)))
        folder.stderr.write_text(shop.STDERR)
        first = self.daemon.home.attempt(run, 1)
        first.root.mkdir(parents=True)
        first.stdout.write_text("step     1 loss 0.6931\n")
        first.stderr.write_text("")

    # ---- how it is written -------------------------------------------------------------------------------------------

    def _queue(self, new: NewRun) -> int:
        with self.record.transaction() as tx:
            return queue.submit(tx, [new])[0]

    def _start(self, run: int) -> None:
        self.clock.forward(1)
        with self.record.transaction() as tx:
            attempt = lifecycle.start_attempt(tx, run, "n" * 32)
            attempt.pid = 4_000 + run
            lifecycle.mark_running(tx, run, attempt.number)

    def _settle(self, run: int, state: Any, reason: str, fault: Fault | None = None) -> None:
        code = 1 if fault else None if state == "lost" else 0
        with self.record.transaction() as tx:
            lifecycle.settle(
                tx, run, state, reason=reason, fault=fault, exit_code=code, peak_rss=410 * _MEGA, cpu_s=33.5
            )

    @contextmanager
    def _run(
        self, job: str, seconds: float, *, end: str = "succeeded", why: str = "", **fields: Any
    ) -> Iterator[tuple[Transaction, int]]:
        """A whole run: what the block does happens just before its end."""
        run = self._queue(_new(job, **fields))
        self._start(run)
        self.clock.forward(seconds)
        with self.record.transaction() as tx:
            yield tx, run
        self._settle(run, end, why)

    @contextmanager
    def _failing(self, job: str, seconds: float, fault: Fault, **fields: Any) -> Iterator[tuple[Transaction, int]]:
        run = self._queue(_new(job, **fields))
        self._start(run)
        self.clock.forward(seconds)
        with self.record.transaction() as tx:
            yield tx, run
        self._settle(run, "failed", fault.what, fault)

    def _train(
        self, tx: Transaction, run: int, *, steps: int, auc: float, seed: int, learning_rate: float = 0.002
    ) -> None:
        """Curves and parameters of a training whose last step was now; one step took half a second… or a second."""
        results.put_params(
            tx,
            run,
            {
                "baseline": "gbdt",
                "dataset": "orders",
                "numeric": ["amount", "orders_7d"],
                "network.kind": "tabm",
                "network.width": 64,
                "training.batch": 256,
                "training.learning_rate": learning_rate,
                "training.optimizer": "adamw",
                "training.seed": seed,
            },
        )
        every = list(range(1, steps + 1))
        chunks = [
            Chunk(
                run,
                tx.now - (steps - part[-1]) * _MEGA,
                part,
                {
                    "train/loss": [_loss(step, steps, seed) for step in part],
                    "train/learning_rate": [learning_rate * math.cos(step / steps * 1.5) for step in part],
                },
            )
            for part in (every[first : first + 50] for first in range(0, steps, 50))
        ]
        for number in range(1, 8):
            step = steps * number // 7
            near = math.exp(-number / 2)
            values = {"validation/auc": auc - 0.2 * near, "validation/loss": 0.45 + 0.25 * near}
            chunks.append(
                Chunk(run, tx.now - (steps - step) * _MEGA, [step], {name: [value] for name, value in values.items()})
            )
        metrics.add_points(tx, chunks)

    def _move(self, version: int, alias: str, reason: str) -> None:
        self.clock.forward(600)
        request = PromoteRequest(version=version, alias=alias, reason=reason)
        with self.record.transaction() as tx:
            plan = planned(tx.session, "late", version, alias)
            registry.promote(tx, "late", request, "ann", plan)


def _new(
    job: str, *, actor: str = "ann", trigger: Any = "manual", schedule: str | None = None, **fields: Any
) -> NewRun:
    kind, _, target = job.partition(":")
    if schedule is not None:
        actor, trigger = "daemon", "schedule"
    return NewRun(
        job=job,
        kind=cast(JobKind, kind),
        target=target or "home",
        trigger=trigger,
        actor=actor,
        schedule=schedule,
        **fields,
    )


def _loss(step: int, steps: int, seed: int) -> float:
    """Falls from 0.69, a little restless, with one spike half way."""
    calm = 0.44 + 0.25 * math.exp(-4 * step / steps) + 0.02 * math.sin(step * (seed + 0.7))
    return 1.9 if step == steps // 2 and seed == 3 else calm
