"""`evaluate:MODEL`: sealed versions, a recorded training set, a real spool; the verdict that comes out."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pyarrow as pa
import pytest

from pipeline.config import load_project
from pipeline.judging.evaluate import gather_evidence
from pipeline.judging.evidence import LearningCurve
from pipeline.judging.gates import Verdict
from pipeline.judging.judge import run_evaluate
from pipeline.judging.rival import in_terms_of, production_scores
from pipeline.process.context import RunContext
from pipeline.process.spec import ProductionFacts, RecordFacts, RunSpec
from pipeline.process.spool import Spool
from pipeline.stats.metrics import measure
from pipeline.trainingset.files import write_set
from pipeline.trainingset.split import Part
from pipeline.versions.bundle import Bundle, write_bundle
from pipeline.versions.signature import InputColumn, Signature
from store.errors import NotFound
from store.home import Home

NOW = datetime(2026, 1, 1, tzinfo=UTC)
PROJECT = """
[project]
name = "shop"

[sources.orders]
kind = "file"
path = "orders.csv"
format = "csv"

[datasets.orders]
source = "orders"
key = ["id"]

[models.late]
task = "binary"
dataset = "orders"
label = "late"
key = ["id"]
numeric = ["amount", "noise"]
"""


def signature(*names: str, classes: tuple[str, str] = ("false", "true")) -> Signature:
    inputs = [InputColumn(name=name, kind="numeric") for name in names]
    return Signature(inputs=inputs, task="binary", label="late", classes=list(classes))


def rows(size: int, seed: int) -> pa.Table:
    rng = np.random.default_rng(seed)
    amount = rng.normal(size=size)
    late = rng.random(size) < 1 / (1 + np.exp(-2 * amount))
    return pa.table({"id": np.arange(size), "late": late, "amount": amount, "noise": rng.normal(size=size)})


PARTS: dict[Part, pa.Table] = {"train": rows(600, 1), "validate": rows(300, 2), "test": rows(800, 3)}


class Shop:
    """A project with a recorded training set; versions with weights of our choice are sealed into its home."""

    def __init__(self, folder: Path) -> None:
        (folder / "trainshed.toml").write_text(PROJECT)
        self.home = Home(folder / "home")
        self.project = load_project(folder)
        self.training_set = self._record()

    def _record(self) -> str:
        def read(part: Part) -> pa.RecordBatchReader:
            return PARTS[part].to_reader()

        def describe(counted: Any, row_hash: str) -> dict[str, Any]:
            features = [{"name": "amount", "kind": "numeric"}, {"name": "noise", "kind": "numeric"}]
            plain: dict[str, Any] = {
                "task": "binary",
                "label": "late",
                "key": ["id"],
                "time": None,
                "slices": [],
                "inputs": {},
            }
            dropped = {"dropped_unlabelled": 0, "dropped_untimed": 0, "left_in_gap": 0}
            return {**plain, **dropped, "features": features, "query": "", "rows": dict(counted), "row_hash": row_hash}

        return write_set(self.home.training_sets, read, describe)

    def sealed(self, weights: dict[str, float], *, classes: tuple[str, str] = ("false", "true")) -> Bundle:
        """A logistic model, `weights` a column."""
        described = signature(*weights, classes=classes)

        def apply(params: dict[str, jax.Array], numeric: jax.Array, categorical: jax.Array) -> jax.Array:
            return jax.nn.sigmoid(numeric @ params["weights"])

        test = PARTS["test"].append_column("gone", PARTS["test"].column("noise"))
        labels = np.asarray(test.column("late").to_numpy(), np.int32)
        columns = np.stack([test.column(name).to_numpy() for name in weights], axis=1)
        scores = 1 / (1 + np.exp(-columns @ np.array(list(weights.values()))))
        evidence = gather_evidence(
            task="binary",
            objective="auc",
            labels=labels,
            scores=scores,
            baseline_scores=None,
            production=None,
            slices={},
            parts={},
            curve=LearningCurve(steps=[1], train_loss=[0.5], validation_loss=[0.5], best_step=1),
            leakage=None,
            rng=np.random.default_rng(0),
        )
        return write_bundle(
            self.home,
            apply=apply,
            params={"weights": np.array(list(weights.values()), np.float32)},
            signature=described,
            golden=test,
            evidence=evidence,
            verdict=Verdict(passed=True, gates=[]),
            lineage={"training_set": self.training_set},
            platforms=("cpu",),
        )

    def judged(self, candidate: Bundle | None, production: Bundle | None, **facts: Any) -> list[dict[str, Any]]:
        """Runs the step; the events that it wrote."""
        record = RecordFacts(
            evaluate=ProductionFacts(version=2, digest=candidate.digest) if candidate else None,
            production=ProductionFacts(version=1, digest=production.digest) if production else None,
            **facts,
        )
        spec = RunSpec(
            run=1,
            attempt=1,
            nonce="n",
            job="evaluate:late",
            kind="evaluate",
            target="late",
            project=self.project.root,
            home=self.home.root,
            context=record,
        )
        events = self.home.root / "events.jsonl"
        events.unlink(missing_ok=True)
        spool = Spool(events, clock=NOW.timestamp)
        run_evaluate(RunContext(spec=spec, project=self.project, home=self.home, spool=spool, now=lambda: NOW))
        spool.close()
        return [json.loads(line) for line in events.read_text().splitlines()]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    return Shop(tmp_path_factory.mktemp("shop"))


@pytest.fixture(scope="module")
def good(shop: Shop) -> Bundle:
    return shop.sealed({"amount": 2.0, "noise": 0.0})


@pytest.fixture(scope="module")
def poor(shop: Shop) -> Bundle:
    return shop.sealed({"amount": 1.0, "noise": 1.0})


def verdict_of(events: list[dict[str, Any]]) -> dict[str, Any]:
    (found,) = [event for event in events if event["e"] == "verdict"]
    return found


def production_gate(events: list[dict[str, Any]]) -> dict[str, Any]:
    gates = verdict_of(events)["verdict"]["gates"]
    return next(gate for gate in gates if gate["gate"] == "production")


@pytest.mark.slow
def test_a_better_version_passes_against_the_version_that_is_live_now(shop: Shop, good: Bundle, poor: Bundle) -> None:
    events = shop.judged(good, poor)
    found = verdict_of(events)
    assert (found["model"], found["version"], found["verdict"]["passed"]) == ("late", 2, True)
    assert found["evidence"]["production"]["version"] == 1
    (auc,) = [one for one in found["evidence"]["production"]["differences"] if one["metric"] == "auc"]
    labels = np.asarray(PARTS["test"].column("late").to_numpy(), np.int32)
    amount, noise = (PARTS["test"].column(name).to_numpy() for name in ("amount", "noise"))
    expected = measure("auc", labels, amount).value - measure("auc", labels, amount + noise).value
    assert auc["difference"]["value"] == pytest.approx(expected, abs=1e-5)
    assert auc["rows"] == 800


def test_a_worse_version_is_refused(shop: Shop, good: Bundle, poor: Bundle) -> None:
    assert production_gate(shop.judged(poor, good))["outcome"] == "fail"


def test_nothing_is_done_when_version_production_and_gates_are_unchanged(
    shop: Shop, good: Bundle, poor: Bundle
) -> None:
    (mark,) = [event["value"] for event in shop.judged(good, poor) if event["e"] == "fingerprint"]
    events = shop.judged(good, poor, last_fingerprint=mark)
    assert [event["e"] for event in events] == ["fingerprint", "skip"]


def test_a_live_version_judged_again_keeps_the_comparison_it_was_made_with(shop: Shop, good: Bundle) -> None:
    assert verdict_of(shop.judged(good, good))["evidence"]["production"] is None


@pytest.mark.slow
def test_a_production_version_that_needs_a_column_that_is_gone_cannot_be_compared(shop: Shop, good: Bundle) -> None:
    gate = production_gate(shop.judged(good, shop.sealed({"gone": 1.0})))
    assert gate["outcome"] == "fail"
    assert "version 1: it cannot answer these rows: column gone is not in the rows" in gate["reason"]


def test_no_version_to_judge_is_said_with_the_command(shop: Shop) -> None:
    with pytest.raises(NotFound, match="no version of late was named"):
        shop.judged(None, None)


def test_a_rival_with_the_classes_the_other_way_round_is_read_the_right_way(shop: Shop) -> None:
    turned = shop.sealed({"amount": -2.0}, classes=("true", "false"))
    facts = ProductionFacts(version=1, digest=turned.digest)
    answers = production_scores(shop.home, facts, signature("amount"), PARTS["test"])
    assert answers.scores is not None
    labels = np.asarray(PARTS["test"].column("late").to_numpy(), np.int32)
    assert measure("auc", labels, answers.scores).value > 0.8


def many(*classes: str) -> Signature:
    return signature("amount").model_copy(update={"task": "multiclass", "classes": list(classes)})


@pytest.mark.parametrize(
    ("candidate", "rival", "expected"),
    [
        (many("a", "b", "c"), many("c", "a", "b"), [0.3, 0.1, 0.6]),
        (many("a", "b", "d"), many("a", "b", "c"), [0.6, 0.3, 0.0]),
        (signature("amount", classes=("a", "b")), many("a", "b", "c"), 0.3),
    ],
)
def test_a_rivals_classes_are_put_into_the_candidates_order(
    candidate: Signature, rival: Signature, expected: Any
) -> None:
    scores = np.array([[0.6, 0.3, 0.1]], np.float32)
    np.testing.assert_allclose(in_terms_of(candidate, rival, scores)[0], expected, rtol=1e-6)


def test_a_rival_for_another_label_is_not_compared(shop: Shop, good: Bundle) -> None:
    other = signature("amount").model_copy(update={"label": "returned"})
    facts = ProductionFacts(version=1, digest=good.digest)
    answers = production_scores(shop.home, facts, other, PARTS["test"])
    assert (answers.scores, answers.incomparable) == (None, "it predicts late, not returned")
