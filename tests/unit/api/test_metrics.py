"""`/metrics`: what Prometheus's own parser reads there is what the record says."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from typer.testing import CliRunner

from daemon.api.needs import Facts, needs
from daemon.core import Daemon
from daemon.exposition import Shown, _Numbers, exposition
from pipeline.serving.metrics import _Numbers as _ServingNumbers
from pipeline.serving.metrics import exposition as serving_exposition
from store import lifecycle
from store.wire import MonitorView, RunRequest, WatchWindowView
from store.words import RunState
from tests.unit.api.test_needs import NOW, check, run, schedule
from tui.cli import app
from tui.client import Client

ASSETS = Path(__file__).parents[3] / "assets" / "monitoring"
Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def samples(text: str) -> Samples:
    families = text_string_to_metric_families(text)
    return {(one.name, tuple(sorted(one.labels.items()))): one.value for family in families for one in family.samples}


def told(
    facts: Facts,
    runs: Mapping[RunState, int] | None = None,
    watched: Sequence[tuple[MonitorView, WatchWindowView | None]] = (),
    ends: Mapping[RunState, int] | None = None,
) -> Samples:
    wanting, counts = needs(facts), {} if runs is None else runs
    shown = Shown(
        release="1.2", started_at=NOW, facts=facts, needs=wanting, watched=watched, runs=counts, ends=ends or {}
    )
    return samples(exposition(shown).decode())


def test_runs_are_counted_by_state_the_ended_ones_as_a_counter() -> None:
    found = told(Facts(now=NOW), {"running": 2, "failed": 2, "succeeded": 40}, ends={"failed": 3, "succeeded": 40})
    assert found["trainshed_runs", (("state", "running"),)] == 2
    assert found["trainshed_runs", (("state", "queued"),)] == 0
    assert found["trainshed_runs_ended_total", (("state", "failed"),)] == 3
    assert found["trainshed_runs_ended_total", (("state", "succeeded"),)] == 40


def test_the_newest_run_of_a_job_says_whether_it_did_well_when_and_how_long() -> None:
    begun = NOW - timedelta(hours=2)
    last = [
        run(7, "etl:orders", started_at=begun),
        run(8, "etl:shops", state="skipped", started_at=None),
        run(9, "etl:new", state="running", ended_at=None, started_at=begun),
    ]
    found = told(Facts(now=NOW, last=last))
    assert found["trainshed_job_last_run_good", (("job_name", "etl:orders"),)] == 0
    assert found["trainshed_job_last_run_good", (("job_name", "etl:shops"),)] == 1
    assert found["trainshed_job_last_run_seconds", (("job_name", "etl:orders"),)] == 3600
    assert ("trainshed_job_last_run_seconds", (("job_name", "etl:shops"),)) not in found
    assert ("trainshed_job_last_run_good", (("job_name", "etl:new"),)) not in found


def test_a_schedule_that_is_paused_or_broken_does_not_count_as_enabled() -> None:
    planned = [schedule(name="a"), schedule(name="b", enabled=False, failures=3), schedule(name="c", broken="no job")]
    found = told(Facts(now=NOW, schedules=planned))
    assert [found["trainshed_schedule_enabled", (("schedule", name),)] for name in "abc"] == [1, 0, 0]
    assert found["trainshed_schedule_failures", (("schedule", "b"),)] == 3
    assert found["trainshed_schedule_last_time_seconds", (("schedule", "a"),)] == NOW.timestamp()


def test_what_wants_a_person_is_counted_by_severity() -> None:
    found = told(Facts(now=NOW, last=[run(7)], checks=[check("warn")], degraded="the disk is full"))
    by_severity = [found["trainshed_needs", (("severity", one),)] for one in ("fail", "warn", "note")]
    assert by_severity == [2, 1, 0]
    assert found["trainshed_daemon_degraded", ()] == 1


WINDOW = {
    "monitor": "late",
    "version": 3,
    "start": NOW - timedelta(days=1),
    "end": NOW,
    "rows": 2000,
    "labelled": 900,
    "columns": [
        {
            "name": "temp",
            "subject": "feature",
            "reached": True,
            "measures": {"psi": 0.31, "mean": 17.0},
            "limits": {"psi": 0.2},
        }
    ],
    "performance": {"coverage": 0.45, "metrics": [{"metric": "auc", "value": 0.72}]},
    "estimate": {"how": "CBPE", "metrics": [{"metric": "auc", "value": 0.75}]},
    "service": None,
    "report": 4,
    "restated_at": None,
    "rev": 9,
}


def monitor(state: str | None) -> MonitorView:
    empty = dict.fromkeys(("dataset", "schedule", "next_at", "version", "at", "report", "run"))
    words = dict.fromkeys(("description", "owner", "retrains", "every", "reason"), "")
    fixed = {"name": "late", "job": "monitor:late", "model": "late", "implied": False, "window": "1d", "paused": False}
    rule = {"reference": "training", "severity": "warning", "least_rows": 500, "windows": 3, "needed": 2, "stored": 1}
    return MonitorView.model_validate({**empty, **words, **fixed, **rule, "state": state, "findings": [], "rev": 1})


def test_drift_is_told_with_the_limit_from_which_it_counts_and_accuracy_both_ways() -> None:
    window = WatchWindowView.model_validate(WINDOW)
    found = told(Facts(now=NOW), watched=[(monitor("drifted"), window)])
    assert found["trainshed_drifted", (("monitor", "late"),)] == 1
    column = (("column", "temp"), ("measure", "psi"), ("monitor", "late"), ("version", "3"))
    assert found["trainshed_drift_measure", column] == 0.31
    assert found["trainshed_drift_limit", column] == 0.2
    for how, value in (("measured", 0.72), ("estimated", 0.75)):
        labels = (("how", how), ("metric", "auc"), ("monitor", "late"), ("version", "3"))
        assert found["trainshed_performance", labels] == value
    assert found["trainshed_label_coverage", (("monitor", "late"),)] == 0.45


def test_a_monitor_that_cannot_say_anything_yet_is_neither_steady_nor_drifted() -> None:
    for state in ("not yet", None):
        assert ("trainshed_drifted", (("monitor", "late"),)) not in told(
            Facts(now=NOW), watched=[(monitor(state), None)]
        )


def test_every_number_that_the_board_and_the_rules_for_prometheus_read_is_told() -> None:
    shown = Shown(release="1.2", started_at=NOW, facts=Facts(now=NOW, free=1, min_free=1), needs=[], runs={}, ends={})
    heads = (exposition(shown) + serving_exposition([])).decode()
    known = set(re.findall(r"^# TYPE (\S+)", heads, re.MULTILINE))
    known |= {f"{name}_{part}" for name in known for part in ("bucket", "sum", "count")}
    for file in sorted(ASSETS.iterdir()):
        read = set(re.findall(r"\btrainshed_[a-z_]+", file.read_text(encoding="utf-8")))
        assert read - known == set(), file.name
    assert json.loads((ASSETS / "grafana-board.json").read_text(encoding="utf-8"))["title"] == "Trainshed"


def test_what_the_board_and_the_rules_read_has_the_labels_that_they_name() -> None:
    told = _labels_told()
    board = json.loads((ASSETS / "grafana-board.json").read_text(encoding="utf-8"))
    asked = [(one["expr"], one["legendFormat"]) for panel in board["panels"] for one in panel["targets"]]
    rules = (ASSETS / "trainshed-alerts.yml").read_text(encoding="utf-8").split("- alert:")[1:]
    for words, shown in [*asked, *((rule, rule) for rule in rules)]:
        there = set.union(*(told[re.sub("_(bucket|sum|count|total)$", "", name)] for name in _names_in(words)))
        inside = re.findall(r"[{,]\s*([a-z_]+)\s*=", words)
        by = [label for group in re.findall(r"\bby \(([^)]*)\)", words) for label in group.split(", ")]
        named = re.findall(r"{{(?:\s*\$labels\.)?([a-z_]+)\s*}}", shown)
        assert {*inside, *by, *named} <= there | {"le", "instance", "job"}, words


def _names_in(words: str) -> set[str]:
    """`up` is Prometheus's own."""
    return set(re.findall(r"\b(trainshed_[a-z_]+|up)\b", words.split("labels:")[0]))


def _labels_told() -> dict[str, set[str]]:
    shown = Shown(release="1.2", started_at=NOW, facts=Facts(now=NOW, free=1, min_free=1), needs=[], runs={}, ends={})
    families = [*_Numbers(shown).collect(), *_ServingNumbers([]).collect()]
    return {"up": set(), **{one.name: set(one._labelnames) for one in families}}  # type: ignore[attr-defined]


def test_no_number_has_a_label_that_prometheus_gives_to_all_of_a_target() -> None:
    """It would be stored as `exported_job`, and the rules would read the name of the scraped target instead."""
    assert [name for name, labels in _labels_told().items() if labels & {"job", "instance"}] == []


def test_the_verb_writes_them_into_a_file_at_once_or_says_why_not(
    client: Client, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project)
    file = tmp_path / "box.prom"
    done = CliRunner().invoke(app, ["metrics", "--to", str(file)])
    assert done.exit_code == 0, done.output
    assert samples(file.read_text(encoding="utf-8"))["trainshed_daemon_degraded", ()] == 0
    assert [one.name for one in tmp_path.glob("*.prom*")] == ["box.prom"]
    refused = CliRunner().invoke(app, ["metrics", "--to", str(tmp_path / "nowhere" / "box.prom")])
    assert refused.exit_code == 1
    assert "name a file in a folder that you may write to" in refused.stderr


def test_names_with_quotes_and_line_ends_are_escaped() -> None:
    release = 'a"b\\c\nd'
    shown = Shown(release=release, started_at=NOW, facts=Facts(now=NOW), needs=[], runs={}, ends={})
    assert samples(exposition(shown).decode())["trainshed_daemon_info", (("release", release),)] == 1


@pytest.mark.slow
def test_the_door_of_the_daemon_tells_it_and_only_to_those_it_knows(
    daemon: Daemon, client: Client, http: httpx.Client, tcp: httpx.Client, token: str
) -> None:
    queued = client.submit(RunRequest(job="backup"))
    with daemon.record.transaction() as tx:
        lifecycle.request_cancel(tx, queued.id, "ann")
    client.retry(queued.id)
    answer = http.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    found = samples(answer.text)
    assert found["trainshed_runs_ended_total", (("state", "cancelled"),)] == 1

    assert ("trainshed_needs", (("severity", "fail"),)) in found
    assert tcp.get("/metrics").status_code == 401
    assert tcp.get("/metrics", headers={"Authorization": f"Bearer {token}"}).status_code == 200
