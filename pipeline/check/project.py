"""The whole check, in order: the file, what it refers to, the SQL, the columns, the plan of jobs."""

from __future__ import annotations

from pathlib import Path

from pipeline.check.columns import check_datasets, check_models, check_views
from pipeline.check.experiments import check_experiments
from pipeline.check.findings import Finding, Findings, Report
from pipeline.check.monitors import check_monitors
from pipeline.check.predictions import check_predictions
from pipeline.check.references import check_references
from pipeline.check.schemas import find_schemas
from pipeline.check.serving import check_serving
from pipeline.check.tree import draw, jobs_as_json
from pipeline.config.load import PROJECT_FILE, read_project
from store.home import Home


def check_project(folder: Path, home: Home) -> Report:
    """Everything that is wrong with the project in `folder`; the lake in `home` tells what columns there are."""
    project, errors = read_project(folder)
    if project is None:
        faults = [Finding.of(error) for error in errors]
        return Report(project=str(folder / PROJECT_FILE), faults=faults, notes=[], jobs=[], tree="")
    found = Findings()
    check_references(project, found)
    schemas = find_schemas(project, home, found)
    check_datasets(project, schemas, found)
    check_views(project, schemas, found)
    check_models(project, schemas, found)
    check_serving(project, home, found)
    check_predictions(project, home, schemas, found)
    check_experiments(project, found)
    check_monitors(project, schemas, found)
    return Report(
        project=str(folder / PROJECT_FILE),
        faults=found.faults,
        notes=found.notes,
        jobs=jobs_as_json(project),
        tree=draw(project),
    )
