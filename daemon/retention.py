"""The thread that removes what is old: windows of monitors, and runs with their folders. Which runs, decides
`store.retention`; how rows go, `store.removal`.

A round takes away so many runs at most, a few in each transaction, and rests between them for as long as one took:
whoever else writes is before it. A record that has grown for years is cleared in many rounds.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from typing import Final

from daemon.keeping import policy_of
from daemon.oldwindows import OldWindows
from daemon.roundsman import Roundsman
from daemon.runfolders import remove_folders, sync_removals
from pipeline.config import Project
from pipeline.config.base import duration_text
from store import oldruns, removal
from store.engine import Record
from store.oldruns import START
from store.retention import Policy
from store.times import Clock, to_us

FIRST_S: Final = 120.0
EVERY_S: Final = 3600.0
SOON_S: Final = 15.0
"""To the next round, while there is more to remove."""
MOST: Final = 2000
"""Runs in a round."""
BATCH: Final = 25
"""Runs in a transaction."""
log = logging.getLogger(__name__)


class Retention(Roundsman):
    def __init__(self, record: Record, project: Callable[[], Project], clock: Clock) -> None:
        trouble = "what is old is not removed"
        super().__init__(
            "retention",
            trouble=trouble,
            action="retention_trouble",
            first_s=FIRST_S,
            again_s=EVERY_S,
            patience_s=None,  # it ends between two transactions
        )
        self._record = record
        self._project = project
        self._clock = clock
        self._old_windows = OldWindows(record, project, clock)
        self._by = "daemon"

    def ask(self, by: str) -> None:
        """The next round begins now, in the name of who asked for it."""
        self._by = by
        self.wake()

    def _round(self) -> float:
        self._old_windows.tidy()
        more = self.remove(self._by)
        if not more:
            self._by = "daemon"
        return SOON_S if more else EVERY_S

    def remove(self, by: str) -> bool:
        """Takes away runs that are old, and tells of it; True while there are more."""
        self._finish_what_is_left()
        policy = policy_of(self._project())
        removed, place = 0, START
        while self._goes_on(removed) and (found := self._page(policy, place)) is not None:
            place, runs = found
            for begin in range(0, len(runs), BATCH):
                if self._goes_on(removed):
                    removed += self._remove(policy, runs[begin : begin + BATCH])
        with self._record.transaction() as tx:
            told = removal.tell(tx, by, _words(policy, self._project()))
        if told is not None:
            log.info("%d old runs are removed, %d bytes", told.runs, told.bytes, extra={"action": "runs_removed"})
        return removed >= MOST

    def _goes_on(self, removed: int) -> bool:
        return removed < MOST and not self._stopping

    def _page(self, policy: Policy, place: oldruns.Place) -> tuple[oldruns.Place, list[int]] | None:
        """Those of the next page that go."""
        now = to_us(self._clock())
        with self._record.read() as session:
            found = oldruns.page(session, policy, now, place)
            return None if found is None else (found[0], oldruns.going(session, found[1], policy, now))

    def _remove(self, policy: Policy, runs: Sequence[int]) -> int:
        """How many went: what has come to rest on one since it was looked at keeps it."""
        began = time.monotonic()
        with self._record.transaction() as tx:
            going = oldruns.going(tx.session, runs, policy, tx.now)
            if going:
                removal.remove(tx, going)
        took = time.monotonic() - began
        self._rest(took)
        self._finish(going)
        return len(going)

    # ----------------------------------------------------------------------------------------------- what is left

    def _finish_what_is_left(self) -> None:
        """Curves and folders of runs that an earlier round, which was cut short, has removed from the record."""
        after = 0
        while not self._stopping:
            with self._record.read() as session:
                runs = removal.left(session, after, BATCH)
            if not runs:
                return
            self._finish(runs)
            after = runs[-1]

    def _finish(self, runs: Sequence[int]) -> None:
        """What of them cannot be removed stays for the next round."""
        more = bool(runs)
        while more and not self._stopping:
            began = time.monotonic()
            with self._record.transaction() as tx:
                more = removal.remove_points(tx, runs)
            self._rest(time.monotonic() - began)
        if runs and not more:
            self._free(runs)

    def _free(self, runs: Sequence[int]) -> None:
        freed = {}
        for run in runs:
            try:
                freed[run] = remove_folders(self._record.home, run)
            except OSError as error:
                why = "the folder of run %d, which is no more in the record, cannot be removed: %s"
                log.warning(why, run, error, extra={"action": "retention_trouble"})
        sync_removals(self._record.home)
        with self._record.transaction() as tx:
            removal.settle(tx, freed)

    def _rest(self, seconds: float) -> None:
        """As long as others were kept from writing, they are before this."""
        if not self._stopping:
            time.sleep(min(seconds, 1.0))


def _words(policy: Policy, project: Project) -> str:
    keep = project.daemon.keep_runs
    said = "daemon.keep_runs is " + ('"off"' if keep is None else duration_text(keep))
    return said + (", and jobs have their own" if policy.of_jobs else "")
