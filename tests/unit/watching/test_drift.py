"""The whole way: a version with its training set, a log in the lake, and what is said of them."""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from pipeline.predictions.record import Prediction, to_line
from pipeline.predictions.segments import Segment
from pipeline.predictions.take import take
from pipeline.trainingset.files import write_set
from pipeline.trainingset.split import PARTS
from pipeline.watching.drift import drift, windows_of
from pipeline.watching.reference import reference
from pipeline.watching.verdict import Rules
from store.errors import NotFound
from store.home import Home
from tests.unit.serving.bench import Bench

ROOT = Path(__file__).parents[3]
NOW = datetime(2026, 3, 1, tzinfo=UTC)
START = int(NOW.timestamp() * 1e6)
pytestmark = pytest.mark.slow  # versions are made with JAX


def rows(seed: int, count: int, *, shift: float = 0.0, carriers: str = "AA UA DL") -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    return {
        "distance": rng.normal(500 + shift, 120, count),
        "carrier": rng.choice(carriers.split(), count),
        "hour": rng.integers(0, 24, count),
    }


def training_set(home: Home) -> str:
    """As `build_training_set` records them."""
    parts = {part: pa.table({"id": range(3000), **rows(seed, 3000)}) for seed, part in enumerate(PARTS)}
    features = [("distance", "numeric"), ("carrier", "categorical"), ("hour", "numeric")]

    def manifest(counts: Any, row_hash: str) -> dict[str, Any]:
        known: dict[str, Any] = {
            "task": "binary",
            "label": "late",
            "key": ["id"],
            "time": None,
            "slices": [],
            "inputs": {},
        }
        left = dict.fromkeys(("dropped_unlabelled", "dropped_untimed", "left_in_gap"), 0)
        named = [{"name": name, "kind": kind} for name, kind in features]
        return {**known, **left, "features": named, "rows": dict(counts), "row_hash": row_hash, "query": ""}

    return write_set(home.training_sets, lambda part: parts[part].to_reader(), manifest)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return Home(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def digests(home: Home) -> tuple[str, str]:
    """Of a version, and of what it learned from."""
    return Bench(home).version(), training_set(home)


@pytest.fixture
def model(home: Home) -> str:
    """A name whose log is empty."""
    return f"m{len(list(home.serving.predictions_root.glob('*')))}"


def log(home: Home, model: str, asked: dict[str, Any], *, scores: Any = None, per: int = 50, **other: Any) -> None:
    """`per` rows a request, a second apart."""
    count = len(asked["distance"])
    answers = np.random.default_rng(9).uniform(0.3, 0.9, count) if scores is None else scores
    segment = Segment(home.serving.predictions(model), secrets.token_hex(6))
    for begin in range(0, count, per):
        inputs = {name: list(np.asarray(values)[begin : begin + per].tolist()) for name, values in asked.items()}
        outputs = {"score": np.asarray(answers)[begin : begin + per].tolist()}
        at = START + begin * 1_000_000
        one = Prediction(f"r-{begin}", at, model, 3, "no unit", None, 1, 9, 200, inputs, outputs)
        segment.append(to_line(one._replace(**other)))
    segment.close()
    take(home, keep=timedelta(0), disk=10**9, now=NOW)


def by_name(found: dict[str, Any]) -> dict[str, Any]:
    return {one["name"]: one for one in found["columns"]}


def answers_of(home: Home, digests: tuple[str, str], asked: dict[str, Any]) -> Any:
    from pipeline.versions.bundle import load_bundle

    return load_bundle(home.bundle(digests[0])).predict(pa.table(asked))


def test_a_shifted_column_and_new_words_are_told_and_the_others_are_steady(
    home: Home, digests: tuple[str, str], model: str
) -> None:
    asked = rows(10, 1800, shift=60.0, carriers="AA UA DL AA UA DL AA UA DL ZZ")
    log(home, model, asked, scores=answers_of(home, digests, asked))
    found = drift(home, model, 3, *digests, 0)
    assert (found["state"], found["rows"], found["windows"], found["window_rows"]) == ("drifted", 1800, 3, 600)
    columns = by_name(found)
    assert columns["distance"]["state"] == "drifted"
    assert "Wasserstein in deviations 0.5" in columns["distance"]["reason"]
    assert columns["distance"]["mean"] - columns["distance"]["reference_mean"] == pytest.approx(60, abs=10)
    assert columns["carrier"]["state"] == "drifted"
    assert "words that the reference hardly has (ZZ; 0.0% there)" in columns["carrier"]["reason"]
    assert columns["hour"]["state"] == "steady"
    assert columns["hour"]["measures"][0]["reached"] == 0
    assert columns["score"]["subject"] == "prediction"
    assert columns["score"]["chi_square_p"] is not None
    assert [one["state"] for one in found["columns"]] == sorted(one["state"] for one in found["columns"])


def test_the_same_distribution_is_steady_predictions_too(home: Home, digests: tuple[str, str], model: str) -> None:
    asked = rows(11, 1500)
    log(home, model, asked, scores=answers_of(home, digests, asked))
    found = drift(home, model, 3, *digests, 0)
    assert (found["state"], found["reason"]) == ("steady", "none of 4 columns has drifted")


def test_numbers_that_came_in_single_precision_are_the_same_numbers(
    home: Home, digests: tuple[str, str], model: str
) -> None:
    asked = rows(12, 1500)
    asked["distance"] = asked["distance"].astype(np.float32)
    log(home, model, asked, scores=answers_of(home, digests, asked))
    assert by_name(drift(home, model, 3, *digests, 0))["distance"]["state"] == "steady"


def test_other_versions_shadows_failures_and_older_rows_do_not_count(
    home: Home, digests: tuple[str, str], model: str
) -> None:
    for other in ({"version": 2}, {"why": "shadow"}, {"status": 503, "outputs": None}, {"inputs": None}):
        log(home, model, rows(13, 2000, shift=900.0), **other)
    assert drift(home, model, 3, *digests, 0)["reason"] == "0 rows of version 3 are in the log, and 1,000 are needed"
    log(home, model, rows(14, 1000), per=1)
    assert drift(home, model, 3, *digests, 0)["rows"] == 1000
    late = drift(home, model, 3, *digests, START + 900 * 1_000_000)
    assert (late["state"], late["columns"]) == ("not yet", [])
    assert late["reason"] == "100 rows of version 3 are in the log, and 1,000 are needed"


def test_few_rows_cost_no_reference_and_a_lost_training_set_is_told(
    home: Home, digests: tuple[str, str], model: str
) -> None:
    assert drift(home, model, 3, digests[0], "gone", 0)["state"] == "not yet"
    log(home, model, rows(15, 1000))
    (home.references / f"{digests[0]}.json").unlink(missing_ok=True)
    with pytest.raises(NotFound, match="no training set gone"):
        drift(home, model, 3, digests[0], "gone", 0)


def test_a_reference_is_kept_and_made_again_the_same(home: Home, digests: tuple[str, str]) -> None:
    reference(home, *digests)
    file = home.references / f"{digests[0]}.json"
    first = file.read_bytes()
    file.write_text("damaged")
    reference(home, *digests)
    assert file.read_bytes() == first


def test_windows_are_as_large_as_they_can_be_and_never_below_the_floor() -> None:
    rules = Rules()
    found = {rows: windows_of(rows, rules) for rows in (0, 499, 999, 1499, 1500, 1700, 30_001)}
    assert found == {
        0: (500, 0),
        499: (500, 0),
        999: (500, 1),
        1499: (500, 2),
        1500: (500, 3),
        1700: (566, 3),
        30_001: (10_000, 3),
    }


def test_the_program_says_json_and_a_fault_in_words(home: Home, digests: tuple[str, str], model: str) -> None:
    log(home, model, rows(16, 1000))
    command = [sys.executable, "-P", "-m", "pipeline.watching.drift", str(home.root), model, "--version=3"]
    command += [f"--digest={digests[0]}"]
    good = subprocess.run([*command, f"--training-set={digests[1]}"], capture_output=True, text=True, check=True)
    assert json.loads(good.stdout)["windows"] == 2
    (home.references / f"{digests[0]}.json").unlink()
    bad = subprocess.run([*command, "--training-set=gone"], capture_output=True, text=True, check=False)
    assert json.loads(bad.stdout)["fault"]["what"] == "there is no training set gone"
    assert bad.returncode != 0
