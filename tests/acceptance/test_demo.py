"""The demo is the product's promise: the whole main job, from an empty folder to a promotion and back.

`make test` goes to May, as `trainshed demo --short` does; `make thorough` stays for the summer and its drift.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.thorough import THOROUGH, only_thorough

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

TRAINSHED = [str(Path(sys.executable).with_name("trainshed"))]
FLIGHTS = {"January": 27_004, "February": 24_951, "March": 28_834, "April": 28_330, "May": 28_796}
SUMMER = {"June": 28_243, "July": 29_425} if THOROUGH else {}
only_with_summer = only_thorough("the demo's summer takes two minutes")


def left_behind(folder: Path) -> list[str]:
    """Command lines of processes that still belong to the demo in `folder`."""
    found = []
    for process in psutil.process_iter():
        try:
            told = " ".join(process.cmdline())
            if str(folder) in told or str(folder) in str(process.cwd()):
                found.append(told)
        except psutil.Error:
            continue
    return found


@contextmanager
def begun(folder: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    """The demo. When the test ends before it does, it is told to, and stops its daemon: killed, it would leave that."""
    command = [*TRAINSHED, "demo", "--dir", str(folder), *options]
    demo = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield demo
    finally:
        if demo.poll() is None:
            demo.terminate()
            demo.communicate(timeout=60)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Path]:
    folder = tmp_path_factory.mktemp("demo") / "flights"
    with begun(folder, "--headless", "--json", *([] if THOROUGH else ["--short"])) as demo:
        said, trouble = demo.communicate()
    assert demo.returncode == 0, trouble + said
    document: dict[str, Any] = json.loads(said)
    return document, folder


def test_it_prints_one_document_with_all_that_happened(told: tuple[dict[str, Any], Path]) -> None:
    assert set(told[0]) == {
        "seconds",
        "rows_ingested",
        "datasets",
        "versions",
        "production",
        "serving",
        "summer",
        "events",
    }


def test_each_month_came_in_and_nothing_twice(told: tuple[dict[str, Any], Path]) -> None:
    rows = {dataset["name"]: dataset["rows"] for dataset in told[0]["datasets"]}
    assert rows["flights_raw"] == rows["flights"] == sum(FLIGHTS.values()) + sum(SUMMER.values())
    assert told[0]["rows_ingested"] == sum(
        rows[name] for name in ("flights_raw", "weather", "planes", "airports", "airlines")
    )


def test_all_versions_pass_their_gates_and_keep_up_with_the_trees(told: tuple[dict[str, Any], Path]) -> None:
    versions = told[0]["versions"]
    assert len(versions) == (3 if THOROUGH else 2)
    for version in versions:
        assert version["verdict"]["passed"]
        assert version["metrics"]["auc"]["value"] > version["baseline"]["auc"] - 0.01
    assert all(later["metrics"]["auc"]["value"] > 0.75 for later in versions[1:])


def test_the_first_version_is_live_again_after_the_rollback(told: tuple[dict[str, Any], Path]) -> None:
    assert told[0]["production"] == 1
    moves = [e["message"] for e in told[0]["events"] if e["kind"].startswith("alias.")]
    assert len(moves) == (5 if THOROUGH else 4)
    assert "rolled back from 2 to 1" in moves[2]


def test_thousands_of_flights_were_asked_about_and_every_request_was_answered(
    told: tuple[dict[str, Any], Path],
) -> None:
    serving = told[0]["serving"]
    assert serving["failed"] == 0
    assert serving["requests"] > 3_000
    assert serving["planes"] > 1_000
    assert [one["version"] for one in serving["versions"]] == [1, 2]
    assert sum(one["requests"] for one in serving["versions"]) == serving["requests"]
    assert sum(one["share"] for one in serving["versions"]) == pytest.approx(1.0, abs=1e-3)
    assert all(0 < one["p50_ms"] <= one["p99_ms"] for one in serving["versions"])


def test_the_canary_passed_both_stages_with_reasons_and_production_went_there_and_back_while_clients_asked(
    told: tuple[dict[str, Any], Path],
) -> None:
    serving = told[0]["serving"]
    assert [stage["share"] for stage in serving["canary"]["stages"]] == [0.05, 0.5]
    assert all("no sign of harm" in stage["reason"] for stage in serving["canary"]["stages"])
    assert serving["replay"]["against"] == 1
    for move, between in (("promotion", (1, 2)), ("rollback", (2, 1))):
        assert (serving[move]["from"], serving[move]["to"]) == between
        assert 0 < serving[move]["switched_ms"] < 5_000
    kinds = [event["kind"] for event in told[0]["events"] if event["kind"].startswith("comparison.")]
    assert kinds == ["comparison.began", "comparison.advanced", "comparison.passed", "comparison.finished"]


def test_the_log_has_every_request_and_labels_come_late_to_all_that_have_landed(
    told: tuple[dict[str, Any], Path],
) -> None:
    serving = told[0]["serving"]
    labels = serving["labels"]
    assert (labels["requests"], labels["strays"]) == (serving["requests"], 0)
    assert labels["labelled"] == sum(one["labelled"] for one in serving["versions"])
    assert 0.8 < labels["labelled"] / labels["requests"] < 1.0
    for version in serving["versions"]:
        assert version["auc"]["flights"] > 200
        assert 0.5 < version["auc"]["low"] < version["auc"]["value"] < version["auc"]["high"]


@only_with_summer
def test_summer_drifts_and_the_monitor_says_in_which_columns_and_how_good_the_answers_were(
    told: tuple[dict[str, Any], Path],
) -> None:
    summer = told[0]["summer"]
    assert (summer["failed"], summer["report"]["state"], summer["report"]["version"]) == (0, "drifted", 1)
    assert len(summer["windows"]) >= 3
    for window in summer["windows"]:
        assert window["rows"] == 3_000
        assert {"temp", "dewp"} <= set(window["moved"])
        assert 0.65 < window["auc"] < 0.85
    assert {"temp", "dewp"} <= {alert["subject"] for alert in summer["alerts"]}
    assert {alert["kind"] for alert in summer["alerts"]} <= {"drift", "performance", "rot"}


@only_with_summer
def test_its_rule_had_version_three_trained_which_waits_as_candidate_for_the_operator_to_decide(
    told: tuple[dict[str, Any], Path],
) -> None:
    summer, third = told[0]["summer"], told[0]["versions"][2]
    assert summer["report"]["retrain"]["run"] == summer["retrained"]["run"] == third["run"]
    assert third["aliases"] == ["candidate"]


def test_the_second_run_was_the_schedules_and_skipped_what_had_not_changed(told: tuple[dict[str, Any], Path]) -> None:
    events = told[0]["events"]
    assert [e for e in events if e["actor"] == "schedule new_data" and "train:late" in e["message"]]
    skipped = {e["message"].split()[0] for e in events if e["kind"] == "run.skipped"}
    assert {"etl:airlines", "etl:airports", "etl:planes"} <= skipped


def test_nothing_runs_any_more(told: tuple[dict[str, Any], Path]) -> None:
    assert left_behind(told[1]) == []


def test_an_interrupted_demo_stops_everything_and_says_where_the_logs_are(tmp_path: Path) -> None:
    folder = tmp_path / "flights"
    runs = folder / ".trainshed" / "runs"
    last = time.monotonic() + 60
    with begun(folder) as demo:
        while not runs.exists() or len(list(runs.iterdir())) < 2:
            assert time.monotonic() < last
            time.sleep(0.05)
        demo.send_signal(signal.SIGTERM)
        demo.communicate(timeout=60)
    assert demo.returncode == 130
    assert left_behind(folder) == []


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    done = subprocess.run(
        [*TRAINSHED, "demo", "--headless", "--dir", str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "not empty" in done.stderr
    assert os.listdir(tmp_path) == ["mine.txt"]
