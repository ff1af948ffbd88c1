"""Service figures of a window, from the log."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.watching.service import Service, service, service_assessed
from store.home import Home
from tests.unit.watching.log import START, files, line, log, plain


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def seen(home: Home, since: float, until: float, version: int | None = 3, p99_ms: float | None = None) -> Service:
    return service(files(home)[0], version, START + int(since * 1e6), START + int(until * 1e6), p99_ms)


def test_figures_are_those_of_the_requests_themselves(home: Home) -> None:
    took = np.random.default_rng(1).lognormal(2, 1, 500)
    lines = [line(str(n), n / 10, [0.5, float("nan")], latency_us=int(ms * 1000)) for n, ms in enumerate(took)]
    lines += [line("failed", 1, [0.5], status=503, outputs=None), line("copy", 1, [0.5], why="shadow")]
    lines += [line("other", 1, [0.5], version=2), line("later", 60, [0.5])]
    log(home, lines)
    found = seen(home, 0, 50, p99_ms=50)
    ms = np.sort(np.r_[np.floor(took * 1000) / 1000, 9.0])
    assert (found.requests, found.errors, found.rows, found.seconds) == (501, 1, 1000, 50.0)
    shares = [np.quantile(ms, share, method="inverted_cdf") for share in (0.5, 0.95, 0.99)]
    assert [found.p50_ms, found.p95_ms, found.p99_ms] == pytest.approx(shares)
    assert found.slower == (ms > 50).sum()
    assert (found.requests_s, found.rows_s, found.error_rate) == (10.02, 20.0, 1 / 501)
    assert seen(home, 0, 50, version=None).requests == 502
    plain(found.document())


def test_rows_are_reckoned_from_the_requests_whose_payload_was_kept(home: Home) -> None:
    log(home, [line(str(n), n, [[0.1, 0.2], [0.3, 0.4]], **({} if n < 3 else {"outputs": None})) for n in range(9)])
    assert seen(home, 0, 9).rows == 18
    assert seen(home, 3, 9).rows is None
    assert seen(home, 3, 9).rows_s is None


def test_an_empty_window_and_an_empty_lake_have_figures(home: Home) -> None:
    empty = seen(home, 0, 10)
    assert (empty.requests, empty.rows, empty.p99_ms, empty.error_rate) == (0, 0, None, None)
    log(home, [line("a", 50, [0.1])])
    assert seen(home, 0, 10) == empty


def figures(requests: int = 5000, errors: int = 0, slower: int = 0) -> Service:
    return Service(
        seconds=60, requests=requests, errors=errors, rows=requests, p50_ms=4, p95_ms=9, p99_ms=12, slower=slower
    )


def test_a_limit_is_broken_when_it_is_for_certain() -> None:
    slow, failing = service_assessed(figures(slower=80, errors=70), p99_ms=10, errors=0.01)
    assert (slow.kind, slow.subject, slow.answer) == ("service", "latency", "found")
    assert slow.reason == (
        "p99 12 ms where 10 ms are allowed: 80 of 5,000 requests took longer, at least 1.3% for certain "
        "(p50 4 ms, p95 9 ms)"
    )
    assert (failing.subject, failing.answer) == ("errors", "found")
    assert failing.reason == "70 of 5,000 requests failed, 1.40% (1.11% to 1.76%) where 1.00% are allowed"
    holds = service_assessed(figures(slower=55, errors=55), p99_ms=10, errors=0.01)
    assert [one.answer for one in holds] == ["clear", "clear"]
    plain([one.document() for one in holds])


def test_a_handful_of_requests_says_nothing_and_what_has_no_limit_is_not_judged() -> None:
    (told,) = service_assessed(figures(requests=40, errors=40), p99_ms=None, errors=0.01)
    assert (told.answer, told.reason) == ("not yet", "40 requests in this window, and at least 100 are needed")
    assert service_assessed(figures(), p99_ms=None, errors=None) == []
