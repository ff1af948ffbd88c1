"""From the record to routes: what the serving processes should be doing, by aliases, comparisons and shadows."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from sqlmodel import Session

from pipeline.config import Project
from pipeline.config.serving import ServingSection
from pipeline.serving.settings import ServingSettings
from pipeline.traffic.documents import split_of
from store import aliases, comparisons, shadows
from store.routing import Arm, Route
from store.tables import Comparison
from store.versions import get_version
from store.words import PRODUCTION


def wanted_routes(session: Session, section: ServingSection) -> dict[str, Route]:
    """Model → its version in production, what is compared with it, its shadow, and the one before, to which a rollback
    goes."""
    return {
        view.model: route_of(session, view.model, view.version, section.slow.total_seconds())
        for view in aliases.current(session, PRODUCTION)
        if not section.models or view.model in section.models
    }


def settings_of(project: Project) -> ServingSettings:
    """The project file's words as the serving processes take them."""
    section, root = project.serving, project.root
    tls = section.tls
    return ServingSettings(
        host=section.host,
        port=section.port,
        grpc_port=section.grpc_port,
        tls_cert=str(root / tls.cert) if tls else None,
        tls_key=str(root / tls.key) if tls else None,
        workers=section.workers,
        spare=section.spare,
        cores=sorted(set(section.cores)),
        idle_s=section.idle.total_seconds() if section.idle else None,
        largest_batch=section.max_batch,
        most_rows=section.max_rows,
        most_body=section.max_body,
        queue_rows=section.queue_rows,
        longest_wait_s=section.longest_wait.total_seconds(),
        timeout_s=section.timeout.total_seconds(),
        patience_s=section.patience.total_seconds(),
        most_connections=section.connections,
        drain_s=section.drain.total_seconds(),
        views={
            name: [join.model_dump(mode="json") for join in model.views]
            for name, model in project.models.items()
            if model.views
        },
        log=section.log.enabled,
        log_payloads=section.log.payloads,
        log_memory=section.log.memory,
        log_disk=section.log.disk,
        labels=section.log.enabled and section.log.labels,
    )


def route_of(session: Session, model: str, version: int, slow_s: float) -> Route:
    """Who answers for a model whose production is `version`."""
    before = next((m.to_version for m in aliases.moves(session, model, PRODUCTION) if m.to_version != version), None)
    row = comparisons.running(session, model)
    arms = (_arm(session, model, version),) if row is None else _compared(session, row)
    route = Route(
        arms=arms,
        previous=None if before is None else _arm(session, model, before),
        shadow=_shadow(session, model, arms),
        slow_s=slow_s,
    )
    if row is None:
        return route
    return replace(
        route,
        salt=row.split["salt"],
        hash=row.split["hash"],
        comparison=row.id,
        stage=row.stage,
        slow_s=row.plan.get("slow_s", slow_s),
    )


def _compared(session: Session, row: Comparison) -> tuple[Arm, ...]:
    split = split_of(row.control, row.split)
    control = replace(_arm(session, row.model, row.control), weight=split.shares[row.control])
    treatments = [
        replace(_arm(session, row.model, one.version), weight=one.share, low=one.low, high=one.high)
        for one in split.treatments
    ]
    return control, *treatments


def _shadow(session: Session, model: str, arms: Collection[Arm]) -> Arm | None:
    """One that answers needs no copies."""
    row = shadows.current(session, model)
    if row is None or row.version in {arm.version for arm in arms}:
        return None
    return replace(_arm(session, model, row.version), weight=row.share)


def _arm(session: Session, model: str, version: int) -> Arm:
    return Arm(version=version, digest=get_version(session, model, version).digest)
