"""How an endpoint answered in a window of time: requests, rows, throughput, latency and errors, by the log."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from pipeline.labels.joined import parquet
from pipeline.stats.shares import wilson
from pipeline.tables.duck import connect
from pipeline.watching.assessed import Answer, Assessed, plain

LEAST_REQUESTS: Final = 100
_OURS: Final = 500
"""From this status on a request was ours to answer, and was not; what a client did wrong is not in the log."""


@dataclass(frozen=True, kw_only=True)
class Service:
    """Of a window. Shadows' copies are left out: nobody waited for them."""

    seconds: float
    requests: int
    errors: int
    rows: int | None
    """Of the answers; where payloads are kept of a share of the requests, reckoned from that. None: kept of none."""
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    slower: int
    """Requests that took longer than the limit on p99; 0 without one."""

    @property
    def requests_s(self) -> float:
        return self.requests / self.seconds

    @property
    def rows_s(self) -> float | None:
        return None if self.rows is None else self.rows / self.seconds

    @property
    def error_rate(self) -> float | None:
        return self.errors / self.requests if self.requests else None

    def document(self) -> dict[str, Any]:
        shares = {"requests_s": self.requests_s, "rows_s": self.rows_s, "error_rate": self.error_rate}
        found: dict[str, Any] = plain({**asdict(self), **shares})
        return found


def service(
    predictions: Sequence[Path], version: int | None, since_us: int, until_us: int, p99_ms: float | None = None
) -> Service:
    """Requests from `since_us` on and before `until_us` that `version` got, or all. `p99_ms`: a limit to count against.

    Quantiles are of the requests themselves, failed ones too: the smallest latency that a share p of them do not exceed
    (type 1 of Hyndman & Fan 1996). Nothing but sums leaves DuckDB.
    """
    seconds = (until_us - since_us) / 1e6
    if not predictions:
        return _service(seconds, (0, 0, None, None, None, None, None, 0))
    with closing(connect(readable=predictions)) as connection:
        wanted = "" if version is None else f' AND "version" = {int(version)}'
        latency = '"latency_us" / 1000.0'
        quantiles = ", ".join(f"quantile_disc({latency}, {share})" for share in (0.5, 0.95, 0.99))
        slower = "0" if p99_ms is None else f"count(*) FILTER ({latency} > {float(p99_ms)})"
        (found,) = connection.execute(f"""
            SELECT count(*), count(*) FILTER ("status" >= {_OURS}), sum({_ROWS}), count({_ROWS}), {quantiles}, {slower}
            FROM {parquet(predictions)}
            WHERE "why" <> 'shadow' AND "at" >= make_timestamptz({int(since_us)})
              AND "at" < make_timestamptz({int(until_us)}){wanted}
        """).fetchall()
    return _service(seconds, found)


_ROWS: Final = """json_array_length(replace(replace("outputs", 'NaN', '0'), 'Infinity', '0'), '$.score')"""
"""Rows of an answer. Python writes NaN and infinities, which are no JSON."""


def _service(seconds: float, found: tuple[Any, ...]) -> Service:
    requests, errors, rows, kept, p50, p95, p99, slower = found
    answered = requests - errors
    return Service(
        seconds=seconds,
        requests=requests,
        errors=errors,
        rows=round(int(rows) * answered / kept) if kept else (0 if not requests else None),
        p50_ms=p50,
        p95_ms=p95,
        p99_ms=p99,
        slower=slower,
    )


def service_assessed(
    found: Service, *, p99_ms: float | None, errors: float | None, least: int = LEAST_REQUESTS
) -> list[Assessed]:
    """Of each limit that is set, what is to say. `errors`: a share.

    A limit is broken when it is for certain: p99 lies above the limit when more than 1 % of the requests were slower,
    and the 95 % interval of that share (Wilson 1927) has to lie above 1 %; that of the errors above theirs.
    """
    told = []
    if p99_ms is not None:
        told.append(_slow(found, p99_ms, least))
    if errors is not None:
        told.append(_failing(found, errors, least))
    return told


def _slow(found: Service, limit: float, least: int) -> Assessed:
    low = wilson(found.slower, found.requests)[0]
    reason = (
        f"p99 {found.p99_ms or 0:.3g} ms where {limit:g} ms are allowed: {found.slower:,} of {found.requests:,} "
        f"requests took longer, at least {low:.1%} for certain (p50 {found.p50_ms or 0:.3g} ms, "
        f"p95 {found.p95_ms or 0:.3g} ms)"
    )
    suggestion = "`trainshed endpoints history` shows since when; more workers, smaller batches or a smaller model help"
    return _told(
        "latency", "answers are slow", found, low > 0.01, reason, suggestion, least, {"limit": limit, "low": low}
    )


def _failing(found: Service, limit: float, least: int) -> Assessed:
    low, high = wilson(found.errors, found.requests)
    reason = (
        f"{found.errors:,} of {found.requests:,} requests failed, {found.error_rate or 0:.2%} "
        f"({low:.2%} to {high:.2%}) where {limit:.2%} are allowed"
    )
    suggestion = "the log of the serving processes says why; a rollback brings the version before back at once"
    told = {"limit": limit, "low": low, "high": high}
    return _told("errors", "requests fail", found, low > limit, reason, suggestion, least, told)


def _told(
    subject: str,
    title: str,
    found: Service,
    broken: bool,
    reason: str,
    suggestion: str,
    least: int,
    evidence: dict[str, Any],
) -> Assessed:
    answer: Answer = "found" if broken else "clear"
    if found.requests < least:
        answer, reason = "not yet", f"{found.requests:,} requests in this window, and at least {least:,} are needed"
    return Assessed(
        kind="service",
        subject=subject,
        answer=answer,
        title=title if answer == "found" else f"{subject}: {'too little to say' if answer == 'not yet' else 'holds'}",
        reason=reason,
        evidence={**found.document(), **evidence},
        suggestion=suggestion if answer == "found" else "",
    )
