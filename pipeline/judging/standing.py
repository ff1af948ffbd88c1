"""How a version stands against another one, metric by metric: with an interval where both answered the same rows.

Pure, and light to import. Intervals are those of the judgement (`pipeline.judging.evaluate`); none is estimated here.
"""

from __future__ import annotations

from pipeline.stats.orientation import gain
from store.tables import ModelVersion
from store.versions import compared
from store.wire import DifferenceView, Interval, StandingMetric, StandingView, StandingWord


def standing(version: ModelVersion, against: ModelVersion | None) -> StandingView:
    """`against`: the version in production, or any other of the model; None: there is none."""
    if against is None:
        return _view(version, None, [StandingMetric(metric=n, value=i) for n, i in _values(version).items()], "")
    if against.number == version.number:
        same = [StandingMetric(metric=n, value=i, against=i.value, word="same") for n, i in _values(version).items()]
        return _view(version, against, same, "it is this very version")
    paired = _paired(version, against)
    metrics = [_metric(name, value, against, paired.get(name)) for name, value in _values(version).items()]
    return _view(version, against, metrics, "" if paired else _why_unpaired(version, against))


def _metric(name: str, value: Interval, against: ModelVersion, paired: DifferenceView | None) -> StandingMetric:
    other = against.metrics.get(name, {}).get("value")
    if paired is not None:
        ends = sorted(gain(name, end) for end in (paired.difference.low, paired.difference.high))
        return StandingMetric(
            metric=name,
            value=value,
            against=other,
            difference=paired,
            gain=gain(name, paired.difference.value),
            word=_word(*ends),
        )
    return StandingMetric(
        metric=name, value=value, against=other, gain=gain(name, value.value - other) if other is not None else None
    )


def _word(low: float, high: float) -> StandingWord:
    """By the interval of the gain: what reaches over 0 may be chance."""
    if low > 0:
        return "better"
    return "worse" if high < 0 else "same"


def _paired(version: ModelVersion, against: ModelVersion) -> dict[str, DifferenceView]:
    """Metric → version minus the other on the same rows, from the evidence of whichever was compared with the other."""
    forward = compared(version, against.number)
    if forward:
        return forward
    return {name: _turned(one) for name, one in compared(against, version.number).items()}


def _turned(one: DifferenceView) -> DifferenceView:
    d = one.difference
    turned = Interval(value=-d.value, low=-d.high, high=-d.low, level=d.level)
    return one.model_copy(update={"difference": turned})


def _values(version: ModelVersion) -> dict[str, Interval]:
    """The objective first."""
    names = dict.fromkeys([version.objective, *version.metrics])
    return {name: Interval(**version.metrics[name]) for name in names if name in version.metrics}


def _why_unpaired(version: ModelVersion, against: ModelVersion) -> str:
    rows = "the same test rows" if version.training_set == against.training_set else "other test rows"
    command = f"trainshed run evaluate:{version.model} --set version={version.number}"
    return f"not compared row by row: two values, on {rows}; `{command}` compares it with production"


def _view(
    version: ModelVersion, against: ModelVersion | None, metrics: list[StandingMetric], note: str
) -> StandingView:
    return StandingView(
        model=version.model,
        version=version.number,
        against=against.number if against is not None else None,
        objective=version.objective,
        same_rows=against is not None and version.training_set == against.training_set,
        metrics=metrics,
        note=note,
    )
