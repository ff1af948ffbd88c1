"""Plans and states of canaries come back from the record as they were."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime

from pipeline.experiments.documents import plan_document, plan_of, state_document, state_of
from pipeline.experiments.stages import Plan, State


def test_a_plan_comes_back() -> None:
    plan = Plan(tolerated={"errors": 1.2, "slow answers": 1.0}, alpha=0.01)
    document = json.loads(json.dumps(plan_document(plan, 0.25, "promote")))
    assert plan_of(document) == plan
    assert (document["slow_s"], document["then"]) == (0.25, "promote")


def test_a_state_comes_back_also_where_the_evidence_is_minus_infinity() -> None:
    state = State(
        stage=1, since=datetime(2026, 3, 2, 12, tzinfo=UTC), passed={"errors": (-math.inf,), "slow answers": (0.5,)}
    )
    text = json.dumps(state_document(state), allow_nan=False)
    assert state_of(1, json.loads(text)) == state
