"""What comparisons are judged by: each worker counts what its clients met, and keeps the counts in a file of its own.

One file for each comparison, stage and worker, replaced as a whole twice a second while something changes. So nothing
has to be asked, whoever is dead: files of workers that ended stay, all of them together are the stage, and their sum
never goes back. Units that had an event are kept by their hash, because one that failed in two workers failed once.
"""

from __future__ import annotations

import json
import os
from base64 import b64decode, b64encode
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import reduce
from hashlib import blake2b
from math import log
from pathlib import Path
from typing import Any, Final, Literal

ERRORS: Final = "errors"
SLOW: Final = "slow answers"
REFUSED: Final = "refusals"
"""What a version takes no request like: who sends nonsense does so to all, so more of them in an arm are its own."""
Event = Literal["errors", "slow answers", "refusals"]
MOST_UNITS: Final = 10_000
"""Units with an event of a kind that one worker keeps of a stage. Then it counts no more of that kind, in any arm: what
is there is as good as before, and a version that does harm was found out long ago.
"""
_BITS: Final = 1 << 16
_FULL: Final = 0.98
"""Of the bits; beyond that the number of units is not known."""


@dataclass
class _Stage:
    """One worker's counts of one stage."""

    requests: defaultdict[int, int] = field(default_factory=lambda: defaultdict(int))
    """By version; what was refused is none."""
    events: defaultdict[tuple[str, int], int] = field(default_factory=lambda: defaultdict(int))
    units: defaultdict[str, set[tuple[int, str]]] = field(default_factory=lambda: defaultdict(set))
    """Kind of event → (version, hash of the unit)."""
    seen: dict[int, bytearray] = field(default_factory=dict)
    """Version → a bit for each hash of its units."""
    changed: bool = False


class Tally:
    """One worker's; belongs to the thread of its event loop."""

    def __init__(self, folder: Path, writer: str, most_units: int = MOST_UNITS) -> None:
        """`writer`: a name that no process ever had."""
        self._folder = folder
        self._writer = writer
        self._most_units = most_units
        self._stages: dict[tuple[int, int], _Stage] = {}

    def saw(self, comparison: int, stage: int, version: int, unit: str, events: Collection[Event]) -> None:
        """A unit that is compared was answered, or refused, or we failed to; `events`: what it met."""
        found = self._stages.get((comparison, stage))
        if found is None:
            found = self._stages[comparison, stage] = _Stage()
        found.changed = True
        if REFUSED not in events:
            found.requests[version] += 1
        digest = blake2b(unit.encode(errors="surrogatepass"), digest_size=8).digest()
        bits = found.seen.get(version)
        if bits is None:
            bits = found.seen[version] = bytearray(_BITS // 8)
        bits[digest[0] | (digest[1] & 0x1F) << 8] |= 1 << (digest[1] >> 5)
        for event in events:
            found.events[event, version] += 1
            units = found.units[event]
            if len(units) < self._most_units:
                units.add((version, digest.hex()))

    def pending(self) -> list[tuple[Path, bytes]]:
        """Files that have to be replaced, with their contents."""
        changed = [(key, stage) for key, stage in self._stages.items() if stage.changed]
        for _, stage in changed:
            stage.changed = False
        return [(self._folder / f"{key[0]}-{key[1]}-{self._writer}.json", _document(stage)) for key, stage in changed]

    def keep_only(self, comparisons: Collection[int | None]) -> None:
        """Lets go of comparisons that are over; their files stay, and are the daemon's to remove."""
        self._stages = {key: stage for key, stage in self._stages.items() if key[0] in comparisons or stage.changed}


@dataclass(frozen=True)
class Counted:
    """A stage, of all workers together."""

    requests: Mapping[int, int]
    """By version: answered, or failed to."""
    events: Mapping[str, Mapping[int, int]]
    """Kind → version → answers that were one."""
    hit: Mapping[str, Mapping[int, int]]
    """Kind → version → units that had one, each once."""
    units: Mapping[int, int | None]
    """Version → units, to some 1 %; None: too many to tell."""


def write(files: Iterable[tuple[Path, bytes]]) -> None:
    """Replaces them. A disk that is full is no reason to answer nobody: the next time counts all."""
    for file, contents in files:
        with suppress(OSError):
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            aside = file.with_name(f".{file.name}")
            aside.write_bytes(contents)
            os.replace(aside, file)


def read(folder: Path, comparison: int, stage: int) -> Counted:
    """What all workers, dead ones too, have counted of a stage."""
    found = [_read(file) for file in sorted(folder.glob(f"{comparison}-{stage}-*.json"))]
    requests: defaultdict[int, int] = defaultdict(int)
    events: defaultdict[str, defaultdict[int, int]] = defaultdict(lambda: defaultdict(int))
    units: defaultdict[str, set[tuple[int, str]]] = defaultdict(set)
    seen: defaultdict[int, list[int]] = defaultdict(list)
    for one in found:
        for version, count in one["requests"]:
            requests[version] += count
        for kind, version, count in one["events"]:
            events[kind][version] += count
        for kind, hit in one["units"].items():
            units[kind] |= {(version, unit) for version, unit in hit}
        for version, bits in one["seen"]:
            seen[version].append(int.from_bytes(b64decode(bits), "little"))
    by_version = {kind: _by_version(hit) for kind, hit in units.items()}
    return Counted(requests, events, by_version, {version: _number(bits) for version, bits in seen.items()})


def forget(folder: Path, running: Collection[int]) -> None:
    """Removes what was counted of comparisons that are over."""
    for file in folder.glob("*-*.json"):
        comparison = file.name.partition("-")[0]
        if comparison.isdigit() and int(comparison) not in running:
            file.unlink(missing_ok=True)


def _document(stage: _Stage) -> bytes:
    said = {
        "requests": list(stage.requests.items()),
        "events": [[*key, count] for key, count in stage.events.items()],
        "units": {kind: list(units) for kind, units in stage.units.items()},
        "seen": [[version, b64encode(bits).decode()] for version, bits in stage.seen.items()],
    }
    return json.dumps(said, separators=(",", ":")).encode()


def _read(file: Path) -> Any:
    try:
        return json.loads(file.read_bytes())
    except (OSError, ValueError):  # a power cut may leave an empty one; what it held is counted no more
        return {"requests": [], "events": [], "units": {}, "seen": []}


def _by_version(hit: Iterable[tuple[int, str]]) -> dict[int, int]:
    counts: defaultdict[int, int] = defaultdict(int)
    for version, _ in hit:
        counts[version] += 1
    return dict(counts)


def _number(bits: Iterable[int]) -> int | None:
    """Linear counting (Whang, Vander-Zanden & Taylor 1990): -m·ln(share of the m bits that nobody set)."""
    share = reduce(int.__or__, bits).bit_count() / _BITS
    return None if share > _FULL else round(-_BITS * log(1.0 - share))
