"""Lists in pages, runs side by side, datasets and events as they are shown, and what changed since a revision."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert

from store import changes, datasets, events, lifecycle, metrics, progress, queue, results, runs, samples
from store.engine import Record
from store.errors import NotFound, Refused
from store.facts import CheckFacts, ColumnFacts, DatasetFacts, TrainingSetFacts
from store.keyset import decode_token, encode_token
from store.metrics import Chunk
from store.patience import driver_of
from store.queue import NewRun
from store.tables import ModelVersion
from store.times import SECOND, from_us, to_us
from store.wire import MOST_CHANGES, Page, RunView


def _submit(record: Record, job: str = "train:late", **fields: Any) -> int:
    kind, _, target = job.partition(":")
    new = NewRun(job=job, kind=kind, target=target, trigger="manual", actor="ann", **fields)  # type: ignore[arg-type]
    with record.transaction() as tx:
        return queue.submit(tx, [new])[0]


def _now(record: Record) -> int:
    with record.transaction() as tx:
        return tx.now


def _pages(record: Record, **filters: Any) -> list[list[int]]:
    """Ids page by page, two a page."""
    found: list[list[int]] = []
    after: str | None = None
    while True:
        with record.read() as session:
            page: Page[RunView] = runs.list_runs(session, 0, limit=2, after=after, **filters)
        found.append([run.id for run in page.items])
        if page.next is None:
            return found
        after = page.next


# ---------------------------------------------------------------------------------------------------------- runs


def test_runs_are_listed_newest_first_in_pages_that_new_runs_do_not_shift(record: Record) -> None:
    for _ in range(5):
        _submit(record)
    assert _pages(record) == [[5, 4], [3, 2], [1]]
    with record.read() as session:
        first = runs.list_runs(session, 0, limit=2)
    _submit(record)
    with record.read() as session:
        second = runs.list_runs(session, 0, limit=2, after=first.next)
    assert [run.id for run in second.items] == [3, 2]


def test_a_full_last_page_has_no_next(record: Record) -> None:
    for _ in range(4):
        _submit(record)
    assert _pages(record) == [[4, 3], [2, 1]]


@pytest.mark.slow
def test_filters_narrow_the_list(record: Record) -> None:
    one, other, third = _submit(record), _submit(record, "etl:flights"), _submit(record, "etl:weather")
    with record.transaction() as tx:
        lifecycle.request_cancel(tx, third, "ann")
    assert _pages(record, job="etl:flights") == [[other]]
    assert _pages(record, kind="etl") == [[third, other]]
    assert _pages(record, kind="etl", states=["queued"]) == [[other]]
    assert _pages(record, states=["queued", "cancelled"]) == [[third, other], [one]]
    assert _pages(record, schedule="nightly") == [[]]


@given(st.text(max_size=30))
def test_a_page_token_that_is_not_ours_is_refused(token: str) -> None:
    try:
        (number,) = decode_token(token, int)
    except Refused as error:
        assert error.remedy  # noqa: PT017
    else:
        assert isinstance(number, int)


@pytest.mark.slow
@given(st.lists(st.integers() | st.text(), min_size=1, max_size=3))
def test_a_page_token_carries_its_key(key: list[int | str]) -> None:
    assert decode_token(encode_token(*key), *[type(part) for part in key]) == tuple(key)


@pytest.mark.slow
def test_a_run_in_detail_has_everything_that_is_known_of_it(record: Record) -> None:
    run = _submit(record, params={"seed": 1, "epochs": 3})
    with record.transaction() as tx:
        lifecycle.start_attempt(tx, run, "nonce")
        lifecycle.mark_running(tx, run, 1)
        results.put_params(tx, run, {"seed": 7, "batch": [1, 2]})
        results.put_artifact(tx, run, name="report", kind="html", path="a/b", digest="d", bytes=10)
        results.put_checkpoint(tx, run, step=50, path="c", digest="e", bytes=20)
        facts = TrainingSetFacts(digest="t", model="late", path="p", rows=9, columns=[], inputs={}, query="q")
        results.put_training_set(tx, run, facts)
        results.put_training_set(tx, run, facts)
        metrics.add_points(tx, [Chunk(run, 5, [1, 2], {"loss": [0.2, 0.1]})])
        progress.report_progress(tx, run, done=2, total=10, unit="step", message="epoch 1", eta_s=4.0)
        datasets.add_version(tx, run, _facts(version=3))
        lifecycle.settle(tx, run, "succeeded", reason="", exit_code=0)
    with record.read() as session:
        detail = runs.detail(session, run, _now(record))
    assert detail.params == {"seed": 7, "epochs": 3, "batch": [1, 2]}
    assert [(one.name, one.bytes) for one in detail.artifacts] == [("report", 10)]
    assert [one.step for one in detail.checkpoints] == [50]
    assert [(one.name, one.value) for one in detail.metrics] == [("loss", 0.1)]
    assert [(one.number, one.state, one.exit_code) for one in detail.attempts] == [(1, "succeeded", 0)]
    assert (detail.run.done, detail.run.total, detail.run.unit, detail.run.eta_seconds) == (2, 10, "step", None)
    assert detail.produced == ["flights@3"]
    assert detail.events[0].kind == "run.succeeded"
    with pytest.raises(NotFound), record.read() as session:
        runs.detail(session, 99, 0)


def test_a_silent_run_is_shown_as_stalled_until_it_speaks(record: Record, clock: Any) -> None:
    run = _submit(record, stall_s=60.0)
    with record.transaction() as tx:
        lifecycle.start_attempt(tx, run, "nonce")
        lifecycle.mark_running(tx, run, 1)

    def stalled() -> bool:
        with record.read() as session:
            return runs.view(session, run, to_us(clock())).stalled

    clock.forward(60)
    assert not stalled()
    clock.forward(1)
    assert stalled()
    with record.transaction() as tx:
        progress.heard(tx, run)
    assert not stalled()


def test_runs_are_compared_by_what_differs(record: Record) -> None:
    one, two = _submit(record, params={"seed": 1, "rate": 0.1}), _submit(record, params={"seed": 2, "rate": 0.1})
    with record.transaction() as tx:
        metrics.add_points(tx, [Chunk(one, 0, [1], {"loss": [0.5]}), Chunk(two, 0, [1], {"loss": [0.4], "auc": [0.7]})])
    with record.read() as session:
        compared = runs.compare(session, [two, one], 0)
    assert [run.id for run in compared.runs] == [two, one]
    assert compared.params == {"seed": [2, 1]}
    assert compared.metrics == {"auc": [0.7, None], "loss": [0.4, 0.5]}
    with pytest.raises(Refused, match="nothing to compare"), record.read() as session:
        runs.compare(session, [one], 0)


def test_the_last_run_of_each_job_and_the_count_of_each_state(record: Record) -> None:
    _submit(record)
    newest, etl = _submit(record), _submit(record, "etl:flights")
    with record.transaction() as tx:
        lifecycle.start_attempt(tx, etl, "nonce")
        progress.set_fingerprint(tx, etl, "abc")
        lifecycle.settle(tx, etl, "succeeded", reason="")
    with record.read() as session:
        assert {
            job: run.id
            for job, run in runs.last_runs(session, 0, ["train:late", "etl:flights", "etl:weather", "never"]).items()
        } == {
            "train:late": newest,
            "etl:flights": etl,
        }
        assert runs.count_by_state(session) == {"queued": 2, "succeeded": 1}
        assert [run.id for run in runs.waiting(session, 0)] == [1, newest]
        assert runs.running(session, 0) == []
        good = runs.last_good(session, "etl:flights")
        assert good is not None
        assert (good.id, good.fingerprint) == (etl, "abc")
        assert runs.last_good(session, "train:late") is None


# ---------------------------------------------------------------------------------------------------------- data


def _facts(version: int = 1, **fields: Any) -> DatasetFacts:
    return DatasetFacts(
        **{
            "dataset": "flights",
            "kind": "dataset",
            "version": version,
            "rows": 100 * version,
            "added": 100,
            "bytes": 5000,
            "columns": [ColumnFacts(name="day", type="date", nulls=0)],
            "inputs": {"raw": 4},
            "fingerprint": "f",
            "newest_us": 7_000_000,
            "sample": [{"day": "2013-01-01"}],
            **fields,
        }
    )


def _check(name: str, outcome: str, failing: int = 0) -> CheckFacts:
    detail = f"{name}: {failing} of 10 rows"
    return CheckFacts(
        name=name,
        kind="not_null",
        severity="fail",
        outcome=outcome,
        failing=failing,
        total=10,
        allowed=0.0,
        detail=detail,
    )


def test_a_dataset_is_shown_with_its_newest_version_and_its_last_checks(record: Record) -> None:
    run = _submit(record, "etl:flights")
    with record.transaction() as tx:
        datasets.add_version(tx, run, _facts(1))
        datasets.add_checks(tx, run, "flights", 1, [_check("old", "fail", 10)])
    later = _submit(record, "etl:flights")
    with record.transaction() as tx:
        datasets.add_version(tx, later, _facts(2, quarantined=3))
        datasets.add_checks(tx, later, "flights", 2, [_check("a", "pass"), _check("b", "warn", 5)])
    with record.read() as session:
        detail = datasets.dataset_detail(session, "flights", "dataset", ["raw"])
        history = datasets.versions(session, "flights", limit=1)
        following = datasets.versions(session, "flights", limit=1, after=history.next)
        views = datasets.dataset_views(session, [("weather", "dataset", ["noaa"])])
        past = datasets.checks(session, "flights", limit=2)
        first = datasets.get_version(session, "flights", 1)
    assert (detail.dataset.version, detail.dataset.rows, detail.dataset.checks) == (2, 200, {"pass": 1, "warn": 1})
    assert detail.dataset.newest == from_us(7_000_000)
    assert detail.latest is not None
    assert detail.latest.columns[0].name == "day"
    assert detail.sample == [{"day": "2013-01-01"}]
    assert [check.share for check in detail.checks] == [0.0, 0.5]
    assert [one.version for one in history.items + following.items] == [2, 1]
    assert following.next is None
    assert [(view.name, view.version, view.made_from) for view in views] == [
        ("weather", None, ["noaa"]),
        ("flights", 2, ["raw"]),
    ]
    assert [check.check for check in past.items] == ["b", "a"]
    assert past.next is not None
    assert first.rows == 100
    with pytest.raises(NotFound, match="there is no flights@9"), record.read() as session:
        datasets.get_version(session, "flights", 9)


def test_a_version_reported_again_by_a_retried_run_stays_one(record: Record) -> None:
    run = _submit(record, "etl:flights")
    for rows in (100, 101):
        with record.transaction() as tx:
            datasets.add_version(tx, run, _facts(1, rows=rows))
    with record.read() as session:
        assert [version.rows for version in datasets.versions(session, "flights").items] == [101]


def test_broken_checks_are_told_and_good_ones_are_not(record: Record) -> None:
    run = _submit(record, "etl:flights")
    with record.transaction() as tx:
        datasets.add_checks(tx, run, "flights", None, [_check("a", "pass"), _check("b", "fail", 4)])
        datasets.add_checks(tx, run, "weather", 2, [_check("a", "pass")])
    with record.read() as session:
        told = events.list_events(session, kind="checks").items
    assert [(event.kind, event.subject, event.message) for event in told] == [
        ("checks.failed", "flights", "flights: b: 4 of 10 rows")
    ]


# -------------------------------------------------------------------------------------------------- events, samples


def test_all_of_a_noun_are_paged_newest_first_and_no_sign_in_it_stands_for_others(record: Record) -> None:
    kinds = ["run.queued", "key.added", "run.failed", "runs.other", "key.added", "run.queued", "run", "key.revoked"]
    with record.transaction() as tx:
        for kind in kinds:
            events.append(tx, actor="ann", kind=kind, subject="x", message=kind)
    with record.read() as session:

        def pages(noun: str) -> list[str]:
            found: list[str] = []
            after = None
            while True:
                page = events.list_events(session, kind=noun, limit=2, after=after)
                found += [event.kind for event in page.items]
                after = page.next
                if after is None:
                    return found

        assert pages("run") == ["run.queued", "run.failed", "run.queued"]
        assert pages("key") == ["key.revoked", "key.added", "key.added"]
        assert [pages(noun) for noun in ("r_n", "%", "nothing", "")] == [[], [], [], []]


def test_of_a_rare_noun_or_of_a_subject_not_all_events_are_read(record: Record) -> None:
    with record.read() as session:
        asked: list[str] = []
        driver = driver_of(session)
        driver.set_trace_callback(asked.append)
        events.list_events(session, kind="key")
        of_a_noun, asked[:] = list(asked), []
        for kind in ("run", "run.queued"):
            events.list_events(session, kind=kind, subject="run 1")
        driver.set_trace_callback(None)

        def steps(statements: list[str]) -> list[str]:
            return [row[3] for one in statements for row in driver.execute(f"EXPLAIN QUERY PLAN {one}")]

        assert not [step for step in steps(of_a_noun) if step.startswith("SCAN")]
        assert steps(asked) == ["SEARCH event USING INDEX ix_event_subject (subject=?)"] * 2


def test_news_are_found_by_their_revision_whatever_there_is_besides(record: Record) -> None:
    """A UI that looks asks for them at each change; of a long history it had all runs, events and windows read."""
    asked: list[str] = []
    with record.read() as session:
        driver = driver_of(session)
        driver.set_trace_callback(asked.append)
        changes.changes_since(session, record.revision, 0)
        driver.set_trace_callback(None)
        statements = [one for one in asked if one.startswith("SELECT")]
        steps = [row[3] for one in statements for row in driver.execute(f"EXPLAIN QUERY PLAN {one}")]
    assert len(steps) > 8
    grow = ("run", "event", "alert", "dataset_version", "model_version", "watch_window", "drift_report", "notification")
    assert not [step for step in steps if step.startswith(tuple(f"SCAN {table}" for table in grow))]


def test_who_was_away_for_long_hears_of_the_newest_versions_only(record: Record) -> None:
    with record.transaction() as tx:
        asked = [
            NewRun(job=f"train:m{n}", kind="train", target="m", trigger="manual", actor="ann")
            for n in range(MOST_CHANGES + 1)
        ]
        made = queue.submit(tx, asked)
        row: dict[str, Any] = dict.fromkeys(("digest", "path", "task", "objective", "training_set", "fingerprint"), "x")
        row |= {name: {} for name in ("metrics", "baseline", "evidence", "signature", "lineage")}
        row |= {"model": "m", "created_at": 1, "rev": tx.rev}
        rows = [{**row, "number": number, "run": run} for number, run in enumerate(made)]
        tx.connection.execute(insert(ModelVersion), rows)
    with record.read() as session:
        found = changes.changes_since(session, 0, to_us(record._clock())).versions
    assert len(found) == MOST_CHANGES


def test_events_are_found_by_subject_kind_and_time(record: Record, clock: Any) -> None:
    first = _submit(record)
    then = to_us(clock())
    clock.forward(10)
    second = _submit(record)
    with record.transaction() as tx:
        lifecycle.request_cancel(tx, second, "bob")
    with record.read() as session:
        every = events.list_events(session).items
        of_second = events.list_events(session, subject=f"run {second}").items
        cancelled = events.list_events(session, kind="run.cancelled").items
        of_runs = events.list_events(session, kind="run").items
        as_it_stood = events.list_events(session, at=then + SECOND).items
        page = events.list_events(session, limit=2)
        rest = events.list_events(session, limit=2, after=page.next)
    assert [event.kind for event in of_second] == ["run.cancelled", "run.queued"]
    assert [event.actor for event in cancelled] == ["bob"]
    assert len(of_runs) == len(every) == 3
    assert [event.subject for event in as_it_stood] == [f"run {first}"]
    assert [event.id for event in page.items + rest.items] == [event.id for event in every]


def test_samples_of_a_run_and_of_the_box_are_kept_apart_and_in_order(record: Record, clock: Any) -> None:
    for percent in (10.0, 20.0, 30.0):
        with record.transaction() as tx:
            samples.add_samples(tx, [samples.Sample(4, percent, 1000), samples.Sample(samples.BOX, 99.0, 5000, 7)])
        clock.forward(2)
    with record.read() as session:
        assert [point.cpu_percent for point in samples.samples_of(session, 4, limit=2)] == [20.0, 30.0]
        assert [point.gpu_memory for point in samples.samples_of(session, samples.BOX)] == [7, 7, 7]
    with record.transaction() as tx:
        samples.forget_box_before(tx, tx.now - 3 * SECOND)
    with record.read() as session:
        assert len(samples.samples_of(session, samples.BOX)) == 1
        assert len(samples.samples_of(session, 4)) == 3


def test_stretches_of_the_past_stay_the_same_as_time_passes(record: Record, clock: Any) -> None:
    """A chart moves on by one of them, and is not another one everywhere each time it is read."""

    def history() -> list[Any]:
        now = _now(record)
        with record.read() as session:
            return samples.box_history(session, now - 60 * SECOND, now + 1, 6).points

    for number in range(40):
        with record.transaction() as tx:
            samples.add_samples(tx, [samples.Sample(samples.BOX, float(number), 5000)])
        clock.forward(2)
    before = history()
    clock.forward(2)
    with record.transaction() as tx:
        samples.add_samples(tx, [samples.Sample(samples.BOX, 40.0, 5000)])
    after = history()
    assert len(before) <= len(after) <= 6
    assert len([point for point in before if point in after]) >= len(before) - 2  # the oldest may go, the newest grows


# ---------------------------------------------------------------------------------------------------------- changes


def test_changes_hold_what_is_newer_than_a_revision_and_nothing_else(record: Record) -> None:
    run = _submit(record, "etl:flights")
    seen = record.revision
    other = _submit(record)
    with record.transaction() as tx:
        datasets.add_version(tx, run, _facts(1))
    with record.read() as session:
        news = changes.changes_since(session, seen, 0)
        silence = changes.changes_since(session, news.rev, 0)
        everything = changes.changes_since(session, 0, 0)
    assert news.rev == record.revision
    assert sorted(view.id for view in news.runs) == [run, other]
    assert [(view.name, view.version, view.made_from) for view in news.datasets] == [("flights", 1, ["raw"])]
    assert [event.kind for event in news.events] == ["dataset.version", "run.queued"]
    assert (silence.runs, silence.datasets, silence.events, silence.schedules) == ([], [], [], [])
    assert len(everything.events) == 3
