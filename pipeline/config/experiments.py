"""`[experiments.NAME]`: a question about a version that live traffic is to decide."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from pipeline.config.base import Duration, Name, Section
from store.words import CANDIDATE

Direction = Literal["higher", "lower"]
Metric = Annotated[str, Field(min_length=1, max_length=200)]


class GuardrailSection(Section):
    """A metric that the version must not harm: harm ends the experiment at once."""

    metric: Metric
    """As in the experiment itself."""
    better: Direction | None = None
    """Which way is better; usual: lower for `errors`, `latency_ms` and `absolute_error`, higher for all others."""
    margin: float = Field(ge=0.0)
    """How much worse it may become, in the metric's own unit: 0.01 of `errors` is one request in a hundred."""


class ExperimentSection(Section):
    """A version against the one in production, on live traffic: `trainshed experiment start NAME`."""

    description: str = ""
    """For people."""
    model: Name
    """Whose traffic is parted."""
    alias: str = CANDIDATE
    """The version to try: the one that this alias points at when the experiment begins."""
    version: int | None = Field(default=None, gt=0)
    """This version, instead of an alias."""
    share: float = Field(default=0.5, gt=0.0, lt=1.0)
    """Of the units that meet the version; the rest meets production."""
    metric: Metric
    """What decides. `correct`: share of labelled answers that were right; `absolute_error`: of labelled answers of a
    regression; `errors` and `latency_ms`: of requests; any other word is a reward, posted as a label of that name,
    and summed up for each unit."""
    better: Direction | None = None
    """Which way is better; usual: lower for `errors`, `latency_ms` and `absolute_error`, higher for all others."""
    window: Duration = Field(default="1d", validate_default=True, gt=timedelta(0))
    """What a unit brings for so long after it first met its version counts, and it counts once that time is over. At
    least as long as labels take to come."""
    guardrails: list[GuardrailSection] = []
    """What the version must not harm meanwhile."""
    least_units: int = Field(default=1000, ge=0)
    """Units whose window is over that each arm needs before the version can win."""
    least_time: Duration = Field(default="7d", validate_default=True)
    """How long it runs before the version can win: whole weeks, since days of the week differ."""
    longest: Duration | None = None
    """After this time a version that has not won is taken back; without it, never."""
    alpha: float = Field(default=0.05, gt=0.0, lt=1.0)
    """Probability that versions that do not differ are told apart, over all looks together."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.version is not None and "alias" in self.model_fields_set:
            raise ValueError("names a version or an alias, not both")
        if self.longest is not None and self.longest < self.least_time:
            raise ValueError("`longest` is not shorter than `least_time`")
        metrics = [one.metric for one in self.guardrails]
        if len(set(metrics)) < len(metrics) or self.metric in metrics:
            raise ValueError("each metric is named once, as what decides or as a guardrail")
        return self
