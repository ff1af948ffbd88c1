"""Candidates replayed on the last logged requests, for plans: in a child process, one at a time, and kept.

First, what was logged and is not in the lake yet is taken there. What was found is kept under `replays/` in the home
for the two versions and the place in the log. While the log grows, who waits for nothing is shown what was found
before, with its time.
"""

from __future__ import annotations

import json
import logging
import math
import os
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from daemon.program import ask_program
from pipeline.serving.starting import computing_environment
from store.commits import newest_version
from store.errors import TrainshedError
from store.home import Home
from store.wire import ReplayView

LONGEST_S: Final = 180.0
FRESH_S: Final = 60.0
"""How long the log's way into the lake is waited for; what has come by then is replayed."""
AGAIN_S: Final = 60.0
"""What failed by the moment, such as a box too busy, is tried again then; what is wrong with a version stays so."""
FORMAT: Final = 2
"""Of what is kept; another one is made anew."""
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Pair:
    """What is replayed."""

    model: str
    candidate: str
    """Digest."""
    live: str | None
    last: int
    """Requests at most."""


class Replays:
    """Its methods may be called from any thread."""

    def __init__(
        self,
        home: Home,
        environ: Mapping[str, str] | None = None,
        *,
        behind: Callable[[], bool] = lambda: False,
        fresh: Callable[[float], bool] = lambda _: True,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`behind`: whether something was logged that is not in the lake; `fresh` takes it there, within seconds."""
        self._home = home
        self._environ = computing_environment(os.environ if environ is None else environ)
        self._behind = behind
        self._fresh = fresh
        self._lock = threading.Lock()
        self._turn = threading.Lock()
        self._running: dict[Pair, threading.Event] = {}
        self._monotonic = monotonic
        self._faults: dict[tuple[Pair, int], tuple[str, float]] = {}
        """Why it failed at this place in the log, and until when that stands."""

    def of(self, pair: Pair, against: int | None, wait: float) -> ReplayView:
        """What is known, after at most `wait` seconds for what is not. `against`: the live version's number."""
        current = not self._behind() and self._is_known(pair)
        if not current:
            current = self._begin(pair).wait(wait) and self._is_known(pair)
        place, found = self._place(pair.model), self._kept(pair)
        if found is not None:
            return view(found["said"], against, current=current)
        if self._fails(pair, place):
            note = f"the last requests could not be replayed: {self._faults[pair, place][0]}"
            return ReplayView(state="failed", note=note, against=against)
        if current:
            note = f"no requests logged yet: nothing that {pair.model} was asked is in the log"
            return ReplayView(state="nothing", note=note, against=against)
        note = f"the last requests of {pair.model} are being replayed; make the plan anew in a moment"
        return ReplayView(state="under way", note=note, against=against)

    def _place(self, model: str) -> int:
        """How far the log in the lake has come; -1 before its first line."""
        table = self._home.predictions(model)
        return newest_version(table) if (table / "_delta_log").is_dir() else -1

    def _is_known(self, pair: Pair) -> bool:
        """Whether a replay would find nothing new."""
        place, found = self._place(pair.model), self._kept(pair)
        return place < 0 or self._fails(pair, place) or (found is not None and found["place"] == place)

    def _fails(self, pair: Pair, place: int) -> bool:
        """Whether it failed there, for good or a moment ago."""
        _, until = self._faults.get((pair, place), ("", -math.inf))
        return self._monotonic() < until

    def _begin(self, pair: Pair) -> threading.Event:
        with self._lock:
            ended = self._running.get(pair)
            if ended is None:
                ended = self._running[pair] = threading.Event()
                threading.Thread(target=self._run, args=(pair, ended), name="replay", daemon=True).start()
            return ended

    def _run(self, pair: Pair, ended: threading.Event) -> None:
        try:
            with self._turn:
                self._fresh(FRESH_S)
                if not self._is_known(pair):
                    self._replay(pair, self._place(pair.model))
        finally:
            with self._lock:
                del self._running[pair]
            ended.set()

    def _replay(self, pair: Pair, place: int) -> None:
        arguments = [str(self._home.root), pair.model, pair.candidate, pair.live or "-", str(pair.last)]
        try:
            said = ask_program("pipeline.judging.replay", arguments, LONGEST_S, self._environ)
            if "fault" in said:
                self._faults[pair, place] = said["fault"], math.inf
            else:
                self._keep(pair, place, said)
        except (TrainshedError, OSError) as error:
            why = error.what if isinstance(error, TrainshedError) else str(error)
            self._faults[pair, place] = why, self._monotonic() + AGAIN_S
            log.warning("a replay failed: %s", error, extra={"action": "replay_failed"})

    def _kept(self, pair: Pair) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = json.loads(self._file(pair).read_bytes())
        except (FileNotFoundError, ValueError):
            return None
        return found if (found.get("format"), found.get("last")) == (FORMAT, pair.last) else None

    def _keep(self, pair: Pair, place: int, said: Any) -> None:
        file = self._file(pair)
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        aside = file.with_suffix(".new")
        aside.write_text(
            json.dumps({"format": FORMAT, "place": place, "last": pair.last, "said": said}), encoding="utf-8"
        )
        os.replace(aside, file)

    def _file(self, pair: Pair) -> Path:
        return self._home.replays / f"{pair.model}-{pair.candidate[:32]}-{(pair.live or 'none')[:32]}.json"


def view(said: Mapping[str, Any], against: int | None, *, current: bool) -> ReplayView:
    """What the program found, with a word where there is nothing to compare."""
    note = ""
    if not said["requests"]:
        note = "no inputs are in the log: `payloads` of [serving.log] is 0, or the endpoint answered nothing yet"
        return ReplayView(state="nothing", note=note, against=against)
    if "why_not" in said:
        note = f"nothing to compare: {said['why_not']}"
    elif against is None:
        note = "nothing is live, so no answer would change"
    elif not said.get("rows"):
        note = "it would refuse all of them"
    elif not current:
        note = "the log has grown since; the next plan has more"
    return ReplayView(state="done", note=note, against=against, **{k: v for k, v in said.items() if k != "why_not"})
