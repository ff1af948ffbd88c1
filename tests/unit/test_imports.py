"""What a process may load before there is work for it: start-up time and memory are promises."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

HEAVY = (
    "jax",
    "jaxlib",
    "flax",
    "orbax",
    "optax",
    "numpy",
    "pyarrow",
    "duckdb",
    "deltalake",
    "pandas",
    "sklearn",
    "scipy",
    "pynvml",
)
ROOT = Path(__file__).parents[2]


def loaded_by(module: str) -> set[str]:
    """Names of everything in `sys.modules` after an import, in a fresh process."""
    program = f"import json, sys; import {module}; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-P", "-c", program],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    return set(json.loads(done.stdout))


@pytest.mark.slow
def test_the_daemon_loads_nothing_that_computes() -> None:
    assert not loaded_by("daemon.main, daemon.serving, daemon.doctor") & set(HEAVY)


def test_who_looks_into_a_quarantine_table_waits_for_duckdb_and_delta_only() -> None:
    assert loaded_by("pipeline.etl.refused") & set(HEAVY) == {"duckdb", "deltalake"}


def test_who_looks_into_a_prediction_log_waits_for_duckdb_and_delta_only() -> None:
    assert loaded_by("pipeline.predictions.newest") & set(HEAVY) == {"duckdb", "deltalake"}


@pytest.mark.slow
def test_who_asks_for_labels_waits_for_duckdb_and_delta_only() -> None:
    assert loaded_by("pipeline.labels.coverage") & set(HEAVY) == {"duckdb", "deltalake"}


@pytest.mark.slow
def test_who_presses_replays_or_reports_does_not_wait_for_all_of_scipy() -> None:
    """`scipy.stats` alone takes a second to load."""
    programs = "pipeline.serving.press, pipeline.judging.replay, pipeline.judging.unseen, pipeline.experiments.report"
    assert "scipy.stats" not in loaded_by(programs)


@pytest.mark.slow
def test_who_presses_does_without_what_judges_and_learns() -> None:
    """Somebody may be waiting for it."""
    assert not loaded_by("pipeline.serving.press") & {"scipy", "sklearn", "flax", "optax", "duckdb", "deltalake"}


@pytest.mark.slow
def test_who_checks_a_project_or_watches_its_data_does_without_the_record_and_what_learns() -> None:
    """A monitor's runs are forked from the warm process that moves data."""
    loaded = loaded_by("pipeline.check.__main__, pipeline.watching.run")
    assert not loaded & {"sqlalchemy", "sqlmodel", "jax", "flax", "optax", "orbax", "sklearn"}


def test_who_answers_a_request_is_decided_without_anything_that_computes() -> None:
    assert not loaded_by("pipeline.traffic.route") & {*HEAVY, "pydantic", "sqlmodel", "sqlalchemy"}


def test_the_supervisor_of_serving_is_small() -> None:
    """It outlives everything, so it holds nothing that it does not need."""
    assert not loaded_by("pipeline.serving.supervisor") & {
        *HEAVY,
        "uvicorn",
        "uvloop",
        "pydantic",
        "grpc",
        "sqlalchemy",
    }


def test_the_root_of_the_daemon_refuses_before_it_loads_libraries() -> None:
    """A second daemon is told within milliseconds."""
    assert not loaded_by("daemon.main") & {"fastapi", "uvicorn", "sqlmodel", "sqlalchemy", "pydantic", "httpx"}


def test_the_command_line_loads_typer_and_no_more() -> None:
    loaded = loaded_by("tui.cli")
    assert not loaded & {*HEAVY, "httpx", "pydantic", "rich", "sqlmodel", "sqlalchemy", "fastapi"}
    ours = {name for name in loaded if name.split(".")[0] in {"daemon", "pipeline", "store", "assets"}}
    assert ours == set()


@pytest.mark.slow
def test_of_ours_the_command_line_knows_the_wire_and_its_words_only() -> None:
    loaded = loaded_by("tui.client, tui.verbs.wait, tui.draw.status, tui.draw.models, tui.draw.data, tui.launch")
    ours = {name for name in loaded if name.split(".")[0] in {"daemon", "pipeline", "store"}}
    assert {name for name in ours if not name.startswith("store.wire")} <= {"store", "store.words"}
    assert not loaded & {*HEAVY, "sqlmodel", "sqlalchemy"}


def test_the_contract_of_the_command_line_names_every_module_of_the_store() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    forbidden = {name for name in contracts[1]["forbidden_modules"] if name.startswith("store.")}
    there = {f"store.{entry.name.removesuffix('.py')}" for entry in (ROOT / "store").glob("[a-z]*")}
    assert forbidden == there - {"store.wire", "store.words"}
