"""`[predictions.NAME]`: does the dataset hold what the version takes, and what is to be kept?"""

from __future__ import annotations

import pyarrow as pa

from pipeline.check.columns import is_number
from pipeline.check.findings import Findings
from pipeline.check.schemas import Schemas
from pipeline.config import Project
from pipeline.config.predictions import Predictions
from pipeline.config.references import nearest
from pipeline.features.columns import feature_columns
from pipeline.predicting.rows import ADDED
from pipeline.versions.signature import Signature
from store.errors import TrainshedError
from store.home import Home


def check_predictions(project: Project, home: Home, schemas: Schemas, found: Findings) -> None:
    for name, section in project.predictions.items():
        key, schema = f"predictions.{name}", schemas.datasets[section.dataset]
        for column in section.keep or project.models[section.model].key:
            if column in ADDED:
                found.fault(f"{key}.keep", f"{column!r} is a column of the prediction", "rename the one of the dataset")
        if schema is None:
            continue
        for column in section.keep or project.models[section.model].key:
            if column not in schema.names:
                found.fault(
                    f"{key}.keep",
                    f"{section.dataset} has no column {column!r}{nearest(column, schema.names)}",
                    "correct the name, or make the column",
                )
        signature = _signature(home, key, section, found)
        if signature is not None:
            _compare(key, section, project, schemas, signature, found)


def _signature(home: Home, key: str, section: Predictions, found: Findings) -> Signature | None:
    """Of the version that would predict now; a note where there is none yet."""
    # Here: to read the record takes half a second to load, and most projects predict nothing by a job.
    from store import versions
    from store.reading import reading

    try:
        with reading(home) as session:
            if section.version is not None:
                row = versions.get_version(session, section.model, section.version)
            else:
                live = versions.live(session, section.model, section.alias)
                if live is None:
                    found.note(
                        key,
                        f"its columns were not compared: {section.alias} of {section.model} points at no version yet",
                        f"`trainshed promote {section.model} VERSION`",
                    )
                    return None
                row = live
            return Signature.model_validate(row.signature)
    except TrainshedError as error:
        found.note(key, f"its columns were not compared with a version: {error.what}", error.remedy)
        return None


def _compare(
    key: str, section: Predictions, project: Project, schemas: Schemas, signature: Signature, found: Findings
) -> None:
    schema = schemas.datasets[section.dataset]
    assert schema is not None
    looked_up = _looked_up(project, section, schemas)
    lacking = {column.name for column in signature.inputs} - set(schema.names)
    if lacking and (looked_up is None or lacking & looked_up):
        _keys(key, section, project, schema, found)
    for column in signature.inputs:
        if column.name not in schema.names and (looked_up is None or column.name in looked_up):
            continue
        if column.name not in schema.names:
            what = f"{section.dataset} has no column {column.name!r}, which the version takes"
            found.fault(f"{key}.dataset", what + nearest(column.name, schema.names), "make the column in the dataset")
        elif column.kind == "numeric" and not is_number(schema.field(column.name).type):
            what = f"{column.name!r} is not a number but {schema.field(column.name).type}"
            found.fault(f"{key}.dataset", what, "turn it into a number in the dataset")


def _looked_up(project: Project, section: Predictions, schemas: Schemas) -> set[str] | None:
    """Columns that the model's feature views have; None where that is not known yet."""
    found: set[str] = set()
    for join in project.models[section.model].views:
        view, schema = project.features[join.view], schemas.views[join.view]
        if schema is None and not view.columns:
            return None
        found |= {join.prefix + column for column in feature_columns(view, schema.names if schema else [])}
    return found


def _keys(key: str, section: Predictions, project: Project, schema: pa.Schema, found: Findings) -> None:
    """What says whose features are looked up, and as of when."""
    model = project.models[section.model]
    wanted = {join.on.get(entity, entity) for join in model.views for entity in project.features[join.view].entity}
    for column in sorted({*wanted, *([model.time] if model.time else [])} - set(schema.names)):
        what = f"{section.dataset} has no column {column!r}, by which feature views are looked up"
        found.fault(f"{key}.dataset", what + nearest(column, schema.names), "make the column in the dataset")
