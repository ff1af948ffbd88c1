"""Drift over the API and as text: what is live against its log, and words for all that can be missing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from daemon.core import Daemon
from daemon.reports import Reports
from pipeline.judging.gates import Verdict
from pipeline.predictions.record import to_line
from pipeline.versions.bundle import write_bundle
from store import queue, registry
from store.facts import ReportFacts
from store.home import Home
from store.tables import Run
from store.wire import DriftColumn, DriftView, PromoteRequest
from tests.evidence import least_evidence
from tests.unit.api.conftest import PROJECT
from tests.unit.predictions.test_take import sample, write
from tests.unit.registry.shelf import facts
from tests.unit.serving.bench import ROWS, SIGNATURE, apply, parameters
from tests.unit.watching.test_drift import rows, training_set
from tui.client import Client
from tui.draw.drift import drifted
from tui.failure import ClientError
from tui.render import console


@pytest.fixture
def project(project: Path) -> Path:
    (project / "trainshed.toml").write_text(PROJECT + '[monitors.late]\nmodel = "late"\n')
    return project


def promoted(daemon: Daemon, client: Client, digest: str, made_from: str) -> None:
    with daemon.record.transaction() as tx:
        run = Run(job="train:late", kind="train", target="late", trigger="manual", actor="anna", created_at=tx.now)
        tx.session.add(run)
        tx.session.flush()
        said = facts(digest=digest, training_set=made_from, path=f"versions/{digest}")
        registry.add_version(tx, said, run.id or 0)
    client.promote("late", PromoteRequest(version=1, override=True, reason="the first"))


def bundle(home: Home) -> str:
    made: dict[str, Any] = {"apply": apply, "params": parameters(), "signature": SIGNATURE, "golden": ROWS}
    verdict = Verdict(passed=True, gates=[])
    return write_bundle(home, **made, evidence=least_evidence(), verdict=verdict, lineage={}).digest


def text(view: DriftView, tmp_path: Path, *, closely: bool = False) -> str:
    with (tmp_path / "said").open("w") as file:
        console(file).print(drifted(view, closely=closely))
    return (tmp_path / "said").read_text()


def log(daemon: Daemon, asked: dict[str, Any]) -> None:
    inputs = {name: list(values.tolist()) for name, values in asked.items()}
    count = len(inputs["hour"])
    line = sample(1, version=1, at_us=1, inputs=inputs, outputs={"score": [0.5] * count})
    write(daemon.home, "late", "w.1", [to_line(line)]).close()


@pytest.mark.slow
def test_without_a_version_in_production_there_is_nothing_to_hold_the_log_against(client: Client) -> None:
    with pytest.raises(ClientError, match="no version of late is in production"):
        client.drift("late")
    with pytest.raises(ClientError, match="nobody"):
        client.drift("nobody")


@pytest.mark.slow
def test_what_has_moved_is_told_column_by_column(client: Client, daemon: Daemon, tmp_path: Path) -> None:
    promoted(daemon, client, bundle(daemon.home), training_set(daemon.home))
    few = client.drift("late")
    assert (few.state, few.columns, few.since) == ("not yet", [], None)
    assert "… late v1: 0 rows of version 1 are in the log, and 1,000 are needed" in text(few, tmp_path)
    daemon.predictions.start()
    log(daemon, rows(10, 1500, shift=80.0))
    view = client.drift("late")
    daemon.predictions.stop()
    assert (view.state, view.version, view.rows, view.current) == ("drifted", 1, 1500, True)
    said = text(view, tmp_path)
    assert "! late v1: 2 of 4 columns have drifted: distance, score" in said
    assert "! distance: Wasserstein in deviations" in said
    assert "score (prediction)" in said
    assert "the newest 1,500 rows, 1970-01-01 00:00:00Z to 1970-01-01 00:00:00Z, in 3 windows of 500" in said
    one = client.drift("late", column="distance")
    assert [column.name for column in one.columns] == ["distance"]
    close = text(one, tmp_path, closely=True)
    assert "3 of 3" in close
    assert "mean 495.923 → 573" in close
    assert "Jensen-Shannon" in close
    with pytest.raises(ClientError, match="the version has no column 'distanc'") as fault:
        client.drift("late", column="distanc")
    assert fault.value.remedy == "did you mean distance?"
    assert client.drift("late", since=daemon.clock()).state == "not yet"


@pytest.mark.slow
def test_a_training_set_that_is_gone_is_told_with_what_to_do(client: Client, daemon: Daemon) -> None:
    promoted(daemon, client, bundle(daemon.home), "gone")
    daemon.predictions.start()
    log(daemon, rows(10, 1500))
    with pytest.raises(ClientError, match="there is no training set gone") as fault:
        client.drift("late")
    daemon.predictions.stop()
    assert fault.value.remedy == "train again: it is made anew from the lake"


def test_columns_of_which_nothing_can_be_said_have_dashes(tmp_path: Path) -> None:
    unknown = dict.fromkeys(("jensen_shannon", "hellinger", "chi_square_p", "missing", "reference_missing"))
    unknown |= dict.fromkeys(("new", "reference_new", "mean", "reference_mean"))
    column = DriftColumn(
        name="x",
        subject="feature",
        kind="numeric",
        state="not yet",
        reason="nothing to compare",
        measures=[],
        examples=[],
        **unknown,
    )
    found = {"rows": 1000, "windows": 2, "window_rows": 500, "since": None, "until": None}
    view = DriftView(
        model="late",
        version=1,
        state="not yet",
        reason="nothing",
        columns=[column],
        current=False,
        problem=None,
        **found,
    )
    assert "x       not yet    -   -     -        -          -" in text(view, tmp_path)
    assert "newer ones are still being read" in text(view, tmp_path)
    assert "nothing to compare" in text(view, tmp_path, closely=True)


@pytest.mark.slow
def test_what_the_monitors_of_a_model_found_is_told_where_its_drift_is(
    client: Client, daemon: Daemon, tmp_path: Path
) -> None:
    promoted(daemon, client, bundle(daemon.home), "gone")
    found: dict[str, Any] = {
        "kind": "performance",
        "subject": "errors",
        "severity": "warning",
        "title": "it errs more than before",
    }
    found |= {
        "reason": "the share of wrong answers rose from 10.0% to 20.0%",
        "suggestion": "look",
        "evidence": {},
        "model": "late",
    }
    body = {"columns": [], "notes": [], "life": ["made 3 days ago"]}
    known: dict[str, Any] = {"monitor": "late", "model": "late", "state": "steady", "reason": "none", "rows": 9}
    new = queue.NewRun(job="monitor:late", kind="monitor", target="late", trigger="manual", actor="ann")
    for version in (1, 2):
        with daemon.record.transaction() as tx:
            run = queue.submit(tx, [new])[0]
            tx.finish()
            facts = ReportFacts(**known, windows=1, version=version, body=body, findings=[found])
            Reports(lambda: daemon.project, lambda: daemon.jobs).take(tx, run, facts)
        view = client.drift("late")
        if version == 1:
            assert [one.subject for one in view.findings] == ["errors"]
            said = text(view, tmp_path)
            assert "warning: it errs more than before: the share of wrong answers rose from 10.0% to 20.0%" in said
            assert "made 3 days ago" in said
        else:
            assert (view.findings, view.life) == ([], [])  # the report is of a version that is not in production
    alerts = client.alerts().items
    assert [(one.source, one.subject, one.model) for one in alerts] == [("monitor:late", "errors", "late")]
