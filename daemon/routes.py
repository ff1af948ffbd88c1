"""From aliases to routes: what the serving processes should be doing, by the record and the project file."""

from __future__ import annotations

from collections.abc import Collection

from sqlmodel import Session

from pipeline.config import Project
from pipeline.serving.settings import ServingSettings
from store import aliases
from store.routing import Arm, Route
from store.versions import get_version
from store.words import PRODUCTION


def wanted_routes(session: Session, models: Collection[str]) -> dict[str, Route]:
    """Model → its version in production, and the one before it, to which a rollback goes. `models`: none means all."""
    return {
        view.model: _route(session, view.model, view.version)
        for view in aliases.current(session, PRODUCTION)
        if not models or view.model in models
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
        largest_batch=section.max_batch,
        most_rows=section.max_rows,
        most_body=section.max_body,
        queue_rows=section.queue_rows,
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
    )


def _route(session: Session, model: str, version: int) -> Route:
    before = next((m.to_version for m in aliases.moves(session, model, PRODUCTION) if m.to_version != version), None)
    return Route(
        arms=(_arm(session, model, version),), previous=None if before is None else _arm(session, model, before)
    )


def _arm(session: Session, model: str, version: int) -> Arm:
    return Arm(version=version, digest=get_version(session, model, version).digest)
