"""What the record is told about a commit. Saved beside the candidate before the commit, so that the next attempt can
tell it when this one dies in between."""

from __future__ import annotations

import json

from duckdb import DuckDBPyConnection
from pydantic import BaseModel, ConfigDict

from pipeline.etl.contract import Settled
from pipeline.etl.staging import remove, write_durably
from pipeline.etl.work import Raw, Work
from pipeline.quality import CheckReport
from pipeline.tables.describe import describe
from store import lake
from store.facts import CheckFacts, DatasetFacts
from store.lake import LakeVersion

_FILE = "landing.json"


class Landing(BaseModel):
    """All that is known before the commit."""

    model_config = ConfigDict(frozen=True)
    run: int
    ingest: str
    fingerprint: str
    good: int
    quarantined: int
    base_rows: int
    schema_changes: list[str]
    inputs: dict[str, int]
    checks: list[CheckFacts]


def landing_of(work: Work, raw: Raw, settled: Settled, report: CheckReport) -> Landing:
    return Landing(
        run=work.ctx.spec.run,
        ingest=raw.ingest,
        fingerprint=raw.fingerprint,
        good=report.counts.good,
        quarantined=report.counts.quarantined,
        base_rows=work.base.rows if work.base else 0,
        schema_changes=settled.changes,
        inputs=dict(raw.inputs),
        checks=report.results,
    )


def save(work: Work, landing: Landing) -> None:
    write_durably(work.folder / _FILE, landing.model_dump_json().encode())


def tell(work: Work, landing: Landing, version: LakeVersion, connection: DuckDBPyConnection | None = None) -> None:
    """Reports the commit; afterwards nothing of it is left in staging."""
    described = describe(lake.dataset_at(work.path, version.version), work.dataset.time, connection)
    added, removed, note = _moved(work.dataset.mode, landing, version)
    facts = DatasetFacts(
        dataset=work.name,
        kind="dataset",
        version=version.version,
        rows=version.rows,
        added=added,
        removed=removed,
        quarantined=landing.quarantined,
        bytes=version.bytes,
        columns=described.columns,
        schema_changes=landing.schema_changes,
        inputs=landing.inputs,
        fingerprint=landing.fingerprint,
        newest_us=described.newest_us,
        note=note,
        sample=described.sample,
    )
    spool = work.ctx.spool
    spool.facts("dataset", facts)
    spool.checks(work.name, version.version, landing.checks)
    spool.progress(landing.good, landing.good, "rows", message=f"{work.name}@{version.version}")
    remove(work.folder)


def tell_untold(work: Work) -> bool:
    """Tells what an attempt committed that died before it could say so.

    True: that attempt was of this very run, which is thereby done.
    """
    file = work.folder / _FILE
    if work.base is None or not file.exists():
        return False
    landing = Landing.model_validate(json.loads(file.read_bytes()))
    if work.base.metadata.get(lake.INGEST) != landing.ingest:
        return False
    work.ctx.spool.write("fingerprint", value=landing.fingerprint)
    tell(work, landing, work.base)
    return landing.run == work.ctx.spec.run


def _moved(mode: lake.Mode, landing: Landing, version: LakeVersion) -> tuple[int, int, str]:
    """Rows added, rows removed, and a remark."""
    match mode:
        case "append":
            return landing.good, 0, ""
        case "replace":
            return landing.good, landing.base_rows, ""
        case "merge":
            inserted = version.rows - landing.base_rows
            updated = landing.good - inserted
            return inserted, 0, f"{updated:,} row{'' if updated == 1 else 's'} updated by key" if updated else ""
