"""An experiment's settings as the record keeps them, from the project file: plain JSON. Loads no statistics."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

from pipeline.config.base import duration_text
from pipeline.config.experiments import ExperimentSection
from pipeline.experiments.metrics import ABSOLUTE_ERROR, CORRECT, Better, usual
from pipeline.labels.record import LABEL


class GuardrailDocument(TypedDict):
    metric: str
    better: Better
    margin: float


class QuestionDocument(TypedDict):
    metric: str
    better: Better
    window_s: float
    guardrails: list[GuardrailDocument]
    least_units: int
    least_time_s: float
    longest_s: float | None
    alpha: float
    classes: list[str]
    """Of the model, empty for a regression: by which labels are read."""


class Asked(TypedDict):
    """A comparison of one treatment. Moments are microseconds since 1970 UTC."""

    control: int
    treatment: int
    share: float
    """Of the treatment."""
    began: int
    until: int
    """Exposures from then on are none of it; in the future while it runs."""
    now: int
    question: QuestionDocument


def question_document(section: ExperimentSection, classes: Sequence[str]) -> QuestionDocument:
    return {
        "metric": section.metric,
        "better": section.better or usual(section.metric),
        "window_s": section.window.total_seconds(),
        "guardrails": [
            {"metric": one.metric, "better": one.better or usual(one.metric), "margin": one.margin}
            for one in section.guardrails
        ],
        "least_units": section.least_units,
        "least_time_s": section.least_time.total_seconds(),
        "longest_s": None if section.longest is None else section.longest.total_seconds(),
        "alpha": section.alpha,
        "classes": list(classes),
    }


def refuse_metric(metric: str, *, regression: bool) -> str | None:
    """Why a model, a regression or one of classes, has no such metric; or None."""
    if metric == CORRECT and regression:
        return f"`{CORRECT}` is of classes, and the model is a regression: `{ABSOLUTE_ERROR}` is what it has"
    if metric == ABSOLUTE_ERROR and not regression:
        return f"`{ABSOLUTE_ERROR}` is of a regression, and the model names classes: `{CORRECT}` is what it has"
    if metric == LABEL:
        return f"a label by itself says nothing of an answer: `{CORRECT}` and `{ABSOLUTE_ERROR}` compare the two"
    return None


def effects(section: ExperimentSection) -> list[str]:
    """What the daemon will do by itself, in sentences."""
    better = section.better or usual(section.metric)
    window = f"a unit counts {duration_text(section.window)} after it first met its version"
    said = [f"{section.metric} decides, {better} is better; {window}"]
    for one in section.guardrails:
        direction = one.better or usual(one.metric)
        said.append(f"{one.metric} more than {one.margin:.4g} worse ({direction} is better) takes it back at once")
    said.append(f"it may win after {duration_text(section.least_time)} and {section.least_units:,} units in each arm")
    if section.longest is not None:
        said.append(f"after {duration_text(section.longest)} without a win it is taken back")
    said.append(
        f"a winner waits to be promoted; two versions that do not differ are told apart with {section.alpha:.4g}"
    )
    return said
