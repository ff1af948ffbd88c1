"""What serving workers have counted, added up; see pipeline/serving/metrics.py. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pipeline.serving.histogram import SECONDS, added, quantile

Facts = Mapping[str, Any]
"""A worker's numbers; or what the supervisor says of one."""


def requests(workers: Iterable[Facts], model: str, version: str | None, least: int = 0) -> int:
    """Answered with a status of `least` or more. `version`: None for all."""
    return sum(
        count
        for facts in workers
        for one, label, _, status, count in facts["requests"]
        if one == model and version in (None, label) and status >= least
    )


def counted(workers: Iterable[Facts], name: str, *key: str) -> int:
    """A counter by its labels; 0 of a worker of the release before, which has it not."""
    return sum(count for facts in workers for *labels, count in facts.get(name, ()) if labels == list(key))


def histogram(workers: Iterable[Facts], name: str, key: tuple[str, ...]) -> list[int] | None:
    found: list[int] | None = None
    for facts in workers:
        for *parts, one in facts[name]:
            if tuple(parts) == key:
                found = one["counts"] if found is None else added(found, one["counts"])
    return found


def milliseconds(counts: Sequence[int] | None, share: int) -> float | None:
    """Of a histogram of seconds, the quantile at so many percent."""
    seconds = None if counts is None else quantile(SECONDS, counts, share / 100)
    return None if seconds is None else round(seconds * 1000, 3)


def missing(crew: Iterable[Facts], model: str, version: str) -> str:
    """Why a worker could not load a version; "" if all of them have it."""
    reasons = [worker.get("missing", {}).get(f"{model} {version}") for worker in crew]
    return next((reason for reason in reasons if reason), "")


def loaded(workers: Iterable[Facts], model: str, version: str) -> bool:
    """Whether a worker can run a version, at once or after its sleep."""
    return any([model, version] == labels for facts in workers for *labels, _ in facts.get("waiting", ()))


def is_asleep(workers: Sequence[Facts], model: str) -> bool:
    """Whether no worker has it loaded; one of a release before keeps all."""
    return bool(workers) and all([model, 1] in facts.get("asleep", ()) for facts in workers)


def cold_starts(workers: Iterable[Facts], model: str) -> int:
    return sum(count for facts in workers for one, count, _, _ in facts.get("cold", ()) if one == model)


def last_cold_ms(workers: Iterable[Facts], model: str) -> float | None:
    """What the newest cold start took."""
    found = [(at, took) for facts in workers for one, _, took, at in facts.get("cold", ()) if one == model]
    return round(max(found)[1] * 1000, 1) if found else None
