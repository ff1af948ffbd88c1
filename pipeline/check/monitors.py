"""`[monitors.NAME]`: does what it watches have the columns that it names, and is there anything to read?"""

from __future__ import annotations

from collections.abc import Collection

import pyarrow as pa

from pipeline.check.findings import Findings
from pipeline.check.schemas import Schemas
from pipeline.config import Project
from pipeline.config.monitors import MonitorSection
from pipeline.config.references import nearest
from pipeline.config.watched import monitors_of


def check_monitors(project: Project, schemas: Schemas, found: Findings) -> None:
    for name in project.monitors:
        section = monitors_of(project)[name]
        if section.model is not None:
            _check_model(f"monitors.{name}", section, section.model, project, found)
        else:
            _check_dataset(f"monitors.{name}", section, schemas.datasets[section.dataset or ""], found)


def _check_model(key: str, section: MonitorSection, model: str, project: Project, found: Findings) -> None:
    if not project.serving.log.enabled:
        what = f"requests of {model} are read from the prediction log, which is off"
        found.fault(key, what, "`enabled = true` in [serving.log]")
    elif project.serving.log.payloads < 1.0:
        what = f"of {project.serving.log.payloads:.4g} of the requests only, inputs and answers are kept to be watched"
        found.note(key, what, "`payloads = 1.0` in [serving.log] keeps all")
    learned = project.models[model]
    if not learned.views:
        _named(key, section, [*learned.numeric, *learned.categorical, "score", "label"], f"model {model}", found)


def _check_dataset(key: str, section: MonitorSection, schema: pa.Schema | None, found: Findings) -> None:
    if schema is None or section.time is None:
        return
    if section.time not in schema.names:
        what = f"{section.dataset} has no column {section.time!r}{nearest(section.time, schema.names)}"
        found.fault(f"{key}.time", what, "name the column with a row's moment")
    elif not (pa.types.is_timestamp(kind := schema.field(section.time).type) or pa.types.is_date(kind)):
        found.fault(f"{key}.time", f"{section.time!r} is no time but {kind}", "turn it into a timestamp in the dataset")
    _named(key, section, schema.names, str(section.dataset), found)


def _named(key: str, section: MonitorSection, known: Collection[str], what: str, found: Findings) -> None:
    for where, names in (("columns", section.columns), ("leave_out", section.leave_out)):
        for name in names:
            if name not in known:
                found.fault(
                    f"{key}.{where}", f"{what} has no column {name!r}{nearest(name, known)}", "correct the name"
                )
