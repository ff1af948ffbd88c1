"""Datasets, checks and feature views as text."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from rich.console import Group, RenderableType
from rich.text import Text

from store.wire import (
    CheckView,
    ColumnView,
    DatasetDetail,
    DatasetVersionView,
    DatasetView,
    FeatureViewView,
)
from tui.render import (
    Heads,
    Rows,
    ago,
    count,
    heading,
    number_column,
    outcome,
    share,
    size,
    span,
    table,
    when,
    wide_column,
)

_BARS: Final = " ▁▂▃▄▅▆▇█"


def dataset_table(datasets: Sequence[DatasetView], now: datetime) -> RenderableType:
    rows: Rows = [
        [
            d.name if d.version is None else f"{d.name}@{d.version}",
            d.kind,
            count(d.rows),
            size(d.bytes),
            ago(d.updated_at, now),
            when(d.newest),
            check_counts(d),
            freshness(d),
            ", ".join(d.made_from),
        ]
        for d in datasets
    ]
    heads: Heads = [
        "dataset",
        "kind",
        number_column("rows"),
        number_column("size"),
        "updated",
        "newest row",
        "checks",
        "fresh",
    ]
    return table([*heads, wide_column("made from")], rows, empty="the project defines no datasets")


def check_counts(dataset: DatasetView) -> Text:
    """`12 pass 1 warn`; the words carry the meaning, colour helps."""
    words = Text()
    for word, number in dataset.checks.items():
        if number:
            words.append(" " if words else "").append(f"{number} ").append(outcome(word))
    return words or Text("-")


def freshness(dataset: DatasetView) -> Text:
    """Whether it is as new as somebody wants it."""
    if dataset.freshness is None:
        return Text("-")
    return Text("! stale", style="yellow") if dataset.freshness.stale else Text("✔ fresh", style="green")


def dataset_detail(detail: DatasetDetail, now: datetime) -> RenderableType:
    dataset, latest = detail.dataset, detail.latest
    if latest is None:
        never = f"{dataset.name} has no version yet: `trainshed run {_job(dataset)}` makes one"
        return Group(Text(never), *_checks_section(detail.checks))
    parts: list[RenderableType] = [
        Text.assemble((f"{latest.dataset}@{latest.version}", "bold"), f"  {dataset.kind}"),
        Text(f"{count(latest.rows)} rows, {size(latest.bytes)}, made {ago(latest.at, now)} by run {latest.run}"),
    ]
    parts += [Text(f"newest row {when(latest.newest)}")] if latest.newest else []
    parts += [Text(f"made from {_inputs(latest)}")] if latest.inputs else []
    parts += [freshness(dataset) + f": {dataset.freshness.reason}"] if dataset.freshness else []
    parts += [Text(latest.note)] if latest.note else []
    parts += [Text(""), heading("columns"), _columns(latest)]
    parts += _checks_section(detail.checks)
    if detail.sample:
        names = list(detail.sample[0])
        rows = [[_cell(row.get(name)) for name in names] for row in detail.sample[:10]]
        parts += [Text(""), heading("first rows"), table(names, rows, empty="")]
    return Group(*parts)


def version_table(versions: Sequence[DatasetVersionView], now: datetime) -> RenderableType:
    rows: Rows = [
        [
            f"{v.dataset}@{v.version}",
            str(v.run),
            ago(v.at, now),
            count(v.rows),
            f"+{v.added:,}",
            f"-{v.removed:,}" if v.removed else "-",
            count(v.quarantined) if v.quarantined else "-",
            "; ".join([*v.schema_changes, *([v.note] if v.note else [])]) or _inputs(v),
        ]
        for v in versions
    ]
    numbers: Heads = [number_column(name) for name in ("rows", "added", "removed", "quarantined")]
    heads: Heads = ["version", number_column("run"), "made", *numbers, wide_column("notes")]
    return table(heads, rows, empty="no versions yet")


def check_table(checks: Sequence[CheckView]) -> RenderableType:
    rows: Rows = [
        [
            "refused" if c.version is None else f"@{c.version}",
            c.check,
            outcome(c.outcome),
            c.severity,
            f"{c.failing:,} of {c.total:,}",
            f"{share(c.share)} (allowed {share(c.allowed)})",
            c.detail,
        ]
        for c in checks
    ]
    heads: Heads = ["version", "check", "outcome", "severity", number_column("rows"), "share", wide_column("")]
    return table(heads, rows, empty="no checks have run")


def feature_table(views: Sequence[FeatureViewView], now: datetime) -> RenderableType:
    rows: Rows = [
        [
            view.name if view.data.version is None else f"{view.name}@{view.data.version}",
            ", ".join(view.entity),
            view.time,
            span(view.ttl_seconds) if view.ttl_seconds is not None else "no limit",
            count(view.data.rows),
            ago(view.data.updated_at, now),
            ", ".join(view.columns),
        ]
        for view in views
    ]
    heads: Heads = ["feature view", "entity", "time", "ttl", number_column("rows"), "updated", wide_column("features")]
    return table(heads, rows, empty="the project defines no feature views")


def _columns(version: DatasetVersionView) -> RenderableType:
    rows: Rows = [
        [c.name, c.type, count(c.nulls), count(c.distinct), c.low or "-", c.high or "-", spread(c)]
        for c in version.columns
    ]
    numbers: Heads = [number_column("missing"), number_column("distinct")]
    heads: Heads = ["name", "type", *numbers, "lowest", "highest", wide_column("spread")]
    return table(heads, rows, empty="no columns")


def spread(column: ColumnView) -> str:
    """`▁▃█▂` from lowest to highest, or the commonest values with their rows."""
    if column.histogram is not None:
        return spark(column.histogram.counts)
    return ", ".join(f"{top.value} {top.count:,}" for top in column.top[:4]) or "-"


def spark(counts: Sequence[int]) -> str:
    """A column for each count; a space is none at all."""
    most = max(counts, default=0)
    return "".join(_BARS[-(-each * (len(_BARS) - 1) // most)] if most else _BARS[0] for each in counts)


def _checks_section(checks: Sequence[CheckView]) -> list[RenderableType]:
    return [Text(""), heading("checks"), check_table(checks)] if checks else []


def _inputs(version: DatasetVersionView) -> str:
    return ", ".join(f"{name}@{number}" for name, number in version.inputs.items())


def _job(dataset: DatasetView) -> str:
    return f"{'features' if dataset.kind == 'feature view' else 'etl'}:{dataset.name}"


def _cell(value: object) -> str:
    return "-" if value is None else str(value)
