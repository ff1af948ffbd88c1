"""The candidate before its commit: checks, quarantine, and the refusal that says which rows."""

from __future__ import annotations

import json
from typing import Final

from duckdb import DuckDBPyConnection

from pipeline.config.checks import AnyCheck, SqlRule
from pipeline.config.datasets import Dataset
from pipeline.etl import candidate, quarantine
from pipeline.etl.work import Raw, Work
from pipeline.features.run import newest_versions
from pipeline.quality import CheckReport, run_checks
from pipeline.quality.report import names_of
from pipeline.tables.shape import BATCH_ROWS
from pipeline.tables.sqltext import identifier
from store import lake
from store.errors import ChecksFailed
from store.lake import LakeVersion

PREVIOUS: Final = "previous_version"
"""Relation with the rows of the version before."""


def judge(work: Work, raw: Raw, connection: DuckDBPyConnection) -> CheckReport:
    """Runs the checks on the candidate (for append and merge: the new rows) and keeps refused rows apart.

    Raises ChecksFailed when a check of severity "fail" is broken.
    """
    ctx = work.ctx
    report = _report(work, connection)
    if report.bad is not None:
        bad = connection.table(report.bad).to_arrow_reader(BATCH_ROWS)
        quarantine.keep(ctx.home.quarantine(work.name), bad, run=ctx.spec.run, ingest=raw.ingest, now=ctx.now())
    if not report.passed:
        ctx.spool.checks(work.name, None, report.results)
        raise _refusal(work, report)
    return report


def _report(work: Work, connection: DuckDBPyConnection) -> CheckReport:
    home, dataset, base = work.ctx.home, work.dataset, work.base
    references = {}
    for other, version in newest_versions(home, work.references, where=f"{work.where}.checks").items():
        connection.register(f"dataset_{other}", lake.dataset_at(home.dataset(other), version))
        references[other] = f"dataset_{other}"
    if base is not None:
        connection.register(PREVIOUS, lake.dataset_at(work.path, base.version))
    if any(check.kind == "foreign_key" and check.dataset == work.name for check in dataset.checks):
        references[work.name] = _own_rows(connection, dataset, base)
    return run_checks(
        connection,
        candidate.RELATION,
        [*dataset.checks, *unique_against_earlier(dataset, base)],
        dataset=work.name,
        now=work.ctx.now(),
        previous=PREVIOUS if base else None,
        references=references,
    )


def unique_against_earlier(dataset: Dataset, base: LakeVersion | None) -> list[AnyCheck]:
    """For append: what is unique among the new rows must not be among the earlier ones either."""
    if dataset.mode != "append" or base is None:
        return []
    rules: list[AnyCheck] = []
    for check, name in zip(dataset.checks, names_of(dataset.checks), strict=True):
        if check.kind == "unique" and set(check.columns) <= set(base.schema.names):
            keys = [identifier(column) for column in check.columns]
            whole = " AND ".join(f"{key} IS NOT NULL" for key in keys)
            row = f"row({', '.join(keys)})"
            rules.append(
                SqlRule(
                    kind="sql",
                    name=f"{name} against earlier rows",
                    rule=f"NOT ({whole}) OR {row} NOT IN (SELECT {row} FROM {PREVIOUS} WHERE {whole})",
                    severity=check.severity,
                    max_share=check.max_share,
                    quarantine=check.quarantine,
                )
            )
    return rules


def _own_rows(connection: DuckDBPyConnection, dataset: Dataset, base: LakeVersion | None) -> str:
    """The relation that a foreign key into the same dataset looks into: new rows and those that stay."""
    kept = f" UNION ALL BY NAME SELECT * FROM {PREVIOUS}" if base and dataset.mode != "replace" else ""
    connection.execute(f"CREATE VIEW own_rows AS SELECT * FROM {candidate.RELATION}{kept}")
    return "own_rows"


def _refusal(work: Work, report: CheckReport) -> ChecksFailed:
    failed = [result for result in report.results if result.outcome == "fail"]
    sentences = [
        f"{r.name}: {r.failing:,} of {r.total:,} (allowed {r.allowed:.2%})"
        + (f", such as {json.dumps(r.sample[0], ensure_ascii=False, default=str)}" if r.sample else "")
        for r in failed
    ]
    kept = f"; {report.counts.quarantined:,} rows are in {work.ctx.home.quarantine(work.name)}" if report.bad else ""
    return ChecksFailed(
        f"{len(failed)} check{'s' if len(failed) > 1 else ''} failed: {'; '.join(sentences)}{kept}",
        where=work.where,
        remedy=f"see `trainshed data checks {work.name}`; mend the rows at the source, or allow a share of them with "
        "`max_share`",
    )
