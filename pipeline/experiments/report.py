"""`python -P -m pipeline.experiments.report HOME MODEL ASKED`: where an experiment stands, as JSON.

ASKED is JSON, see `pipeline.experiments.questions`. A program of its own, because the daemon that asks for it loads
neither the lake nor any statistics.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np

from pipeline.experiments.cohort import Exposed, matured
from pipeline.experiments.decide import Rules
from pipeline.experiments.findings import Finding
from pipeline.experiments.guardrails import Guardrail, judged
from pipeline.experiments.logged import Known, Span, exposures, lay_out, outcomes
from pipeline.experiments.metrics import PROMPT, per
from pipeline.experiments.questions import Asked
from pipeline.experiments.reckon import Outcomes, Question, Reckoned, apart, reckoned
from pipeline.experiments.sequence import interval
from pipeline.stats.estimates import Estimated
from pipeline.tables.duck import connect
from store.home import Home
from store.lakefiles import live_files
from store.times import from_us

_NICENESS: Final = 10
_EVER: Final = timedelta(days=36_500)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser("pipeline.experiments.report", description="Where an experiment stands.")
    parser.add_argument("home", type=Path)
    parser.add_argument("model")
    parser.add_argument("asked", help="as JSON")
    given = parser.parse_args(argv)
    with suppress(OSError):
        os.nice(_NICENESS)
    print(json.dumps(report(Home(given.home), given.model, json.loads(given.asked)), allow_nan=False))
    return 0


def report(home: Home, model: str, asked: Asked) -> dict[str, Any]:
    """What `store.wire.ReportView` tells; see `_document`."""
    question, now = question_of(asked), from_us(asked["now"])
    files, labels = live_files(home.predictions(model)), live_files(home.labels(model))
    if not files:
        nobody = Exposed(np.empty(0, np.uint64), np.empty(0, np.int64), np.empty(0, "datetime64[us]"), 0)
        nothing = Known(Outcomes(nobody.unit, nobody.at, np.empty(0), nobody.at), 0)
        known = dict.fromkeys(_metrics(asked), nothing)
        return _reckoned(asked, question, nobody, known, now)
    span = Span(
        control=asked["control"],
        treatment=asked["treatment"],
        began=from_us(asked["began"]),
        until=from_us(asked["until"]),
    )
    classes = asked["question"]["classes"]
    with closing(connect(readable=[*files, *labels])) as connection:
        lay_out(connection, files, span)
        exposed = exposures(connection)
        known = {metric: outcomes(connection, metric, labels, classes) for metric in _metrics(asked)}
    return _reckoned(asked, question, exposed, known, now)


def question_of(asked: Asked) -> Question:
    document = asked["question"]
    longest = document["longest_s"]
    return Question(
        control=asked["control"],
        shares={asked["control"]: round(1.0 - asked["share"], 12), asked["treatment"]: asked["share"]},
        metric=document["metric"],
        better=document["better"],
        began=from_us(asked["began"]),
        window=timedelta(seconds=document["window_s"]),
        alpha=document["alpha"],
        per=per(document["metric"]),
        rules=Rules(
            least_units=document["least_units"],
            least_time=timedelta(seconds=document["least_time_s"]),
            longest=None if longest is None else timedelta(seconds=longest),
        ),
    )


def _metrics(asked: Asked) -> list[str]:
    document = asked["question"]
    return [document["metric"], *(one["metric"] for one in document["guardrails"])]


def _reckoned(
    asked: Asked, question: Question, exposed: Exposed, known: Mapping[str, Known], now: datetime
) -> dict[str, Any]:
    treatment = asked["treatment"]
    guarded = [_guarded(asked, question, exposed, known, index, now) for index in range(len(known) - 1)]
    findings = {treatment: [finding for finding, _ in guarded]}
    (found,) = reckoned(question, exposed, known[question.metric].outcomes, findings, now)
    return _document(asked, question, found, guarded, known)


def _guarded(
    asked: Asked, question: Question, exposed: Exposed, known: Mapping[str, Known], index: int, now: datetime
) -> tuple[Finding, Estimated]:
    """What one guardrail says, and its interval. What is known with the request waits for no window."""
    settings = asked["question"]["guardrails"]
    one, among = settings[index], len(settings)
    prompt = one["metric"] in PROMPT
    difference = apart(
        exposed,
        known[one["metric"]].outcomes.known(now),
        np.ones(len(exposed.unit), dtype=np.bool_) if prompt else matured(exposed, question.window, now),
        treatment=asked["treatment"],
        control=asked["control"],
        per=per(one["metric"]),
        window=_EVER if prompt else question.window,
    )
    guardrail = Guardrail(metric=one["metric"], better=one["better"], margin=one["margin"])
    finding = judged(guardrail, lambda alpha: interval(difference, alpha), question.alpha, among)
    return finding, interval(difference, question.alpha / among)


def _document(
    asked: Asked,
    question: Question,
    found: Reckoned,
    guarded: Sequence[tuple[Finding, Estimated]],
    known: Mapping[str, Known],
) -> dict[str, Any]:
    """Plain JSON: what is not finite is null."""
    decision = found.decision
    sizes = next(one for one in decision.findings if one.rule == "sizes")
    return {
        "at": asked["now"],
        "metric": question.metric,
        "better": question.better,
        "arms": [
            {
                "version": version,
                "share": question.shares[version],
                "exposed": found.exposed[version],
                "units": found.units[version],
                "mean": _finite(found.means[version]),
            }
            for version in question.shares
        ],
        "pending": found.pending,
        "crossed": found.crossed,
        "restated": found.restated,
        "unreadable": sum(one.unreadable for one in known.values()),
        "difference": _estimated(found.primary),
        "mismatch": sizes.value,
        "guardrails": [
            {**settings, "difference": _estimated(estimated), "answer": finding.answer, "reason": finding.reason}
            for settings, (finding, estimated) in zip(asked["question"]["guardrails"], guarded, strict=True)
        ],
        "decision": {"action": decision.action, "reason": decision.reason},
        "findings": [asdict(one) for one in _plain(decision.findings)],
    }


def _plain(findings: Sequence[Finding]) -> list[Finding]:
    return [
        Finding(one.rule, one.answer, one.reason, *(None if n is None else _finite(n) for n in (one.value, one.limit)))
        for one in findings
    ]


def _estimated(found: Estimated) -> dict[str, float | None]:
    return {"value": _finite(found.value), "low": _finite(found.low), "high": _finite(found.high)}


def _finite(number: float) -> float | None:
    return float(number) if math.isfinite(number) else None


if __name__ == "__main__":
    sys.exit(main())
