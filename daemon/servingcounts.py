"""What serving processes have counted between two looks at them. Pure.

Their counts only grow, from nothing when a process starts. So each process is compared with itself: one that is new
since the look before has counted everything since then, and so has one that has taken the number of a dead one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from store.servingsamples import NOBODY, WHICHEVER, Counted

Facts = Mapping[str, Any]
"""A worker's numbers; see pipeline/serving/metrics.py."""
Key = tuple[str, int]
"""(model, version)."""
Counts = Mapping[tuple[str, ...], int]
"""(model, version, what, …) → how many so far."""
_ERRORS: Final = 500
_REFUSED: Final = 400


@dataclass(frozen=True)
class Look:
    """The counts of every worker, by its name, and the rows that waited."""

    workers: Mapping[str, Counts] = field(default_factory=dict)
    waiting: Mapping[Key, int] = field(default_factory=dict)


def look(workers: Iterable[Facts]) -> Look:
    waiting: Counter[Key] = Counter()
    counts: dict[str, Counts] = {}
    for facts in workers:
        counts[facts["worker"]] = Counter(dict(_counts(facts)))
        for model, version, rows in facts.get("waiting", ()):  # a worker of an earlier release does not say
            waiting[_key(model, version)] += rows
    return Look(counts, waiting)


def counted_between(before: Look, now: Look, seconds: float) -> list[Counted]:
    """What every version, every model and the processes have counted in the `seconds` between two looks.

    What did nothing is there if it is loaded: that it rests is known then.
    """
    grown: Counter[tuple[str, ...]] = Counter()
    for worker, counts in now.workers.items():
        grown.update(_growth(before.workers.get(worker, {}), counts))
    of: dict[Key, dict[tuple[str, ...], int]] = {key: {} for key in now.waiting}
    for (model, version, *what), count in grown.items():
        of.setdefault(_key(model, version), {})[tuple(what)] = count
    counted = [_counted(key, found, now.waiting.get(key, 0), seconds) for key, found in sorted(of.items())]
    return [one for one in counted if not one.at_rest or (one.model, one.version) in now.waiting]


def _growth(before: Counts, now: Counts) -> Counts:
    """A count that went back is another process's, which began from nothing."""
    began_anew = any(count < before.get(key, 0) for key, count in now.items())
    return now if began_anew else {key: count - before.get(key, 0) for key, count in now.items()}


def _counts(facts: Facts) -> Iterator[tuple[tuple[str, ...], int]]:
    requests: Counter[tuple[str, ...]] = Counter()
    for model, version, _, status, count in facts["requests"]:
        requests[model, version, "requests"] += count
        requests[model, version, "errors"] += count if status >= _ERRORS else 0
        requests[model, version, "refused"] += count if _REFUSED <= status < _ERRORS else 0
    yield from requests.items()
    for model, version, count in facts["rows"]:
        yield (model, version, "rows"), count
    for model, version, found in facts["batches"]:
        yield (model, version, "runs"), sum(found["counts"])
    for model, version, phase, found in facts["phases"]:
        name = {"total": "latency", "queue": "queued"}.get(phase)
        if name is not None:
            yield from (((model, version, name, str(cell)), n) for cell, n in enumerate(found["counts"]) if n)
    for model, outcome, count in facts["log_predictions"]:
        if outcome == "dropped":
            yield (model, "", "dropped"), count
    yield (NOBODY, "", "compilations"), facts["compilations"]


def _counted(key: Key, found: Mapping[tuple[str, ...], int], waiting: int, seconds: float) -> Counted:
    names = ("requests", "errors", "refused", "rows", "runs", "dropped", "compilations")
    numbers: dict[str, Any] = {name: found.get((name,), 0) for name in names}
    counted = Counted(model=key[0], version=key[1], seconds=seconds, waiting=waiting)
    return replace(counted, **numbers, latency=_cells(found, "latency"), queued=_cells(found, "queued"))


def _cells(found: Mapping[tuple[str, ...], int], name: str) -> Sequence[tuple[int, int]]:
    return sorted((int(what[1]), count) for what, count in found.items() if what[0] == name and count)


def _key(model: str, version: str) -> Key:
    """As the record has it: what came before a version was chosen belongs to the model."""
    return model, int(version) if version.isdigit() else WHICHEVER
