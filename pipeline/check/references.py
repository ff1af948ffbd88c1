"""Secrets, files and Python functions that a project names: is each of them there?"""

from __future__ import annotations

import glob
from collections.abc import Iterator

from pipeline import plugins, secrets
from pipeline.check.findings import Findings
from pipeline.config import Project
from pipeline.config.alerts import EmailChannel, SlackChannel, WebhookChannel
from pipeline.config.sources import FileSource, HttpSource, PythonSource, SqlSource
from pipeline.tables.shape import sql_text
from store.errors import TrainshedError


def check_references(project: Project, found: Findings) -> None:
    for key, reference in _secrets(project):
        try:
            secrets.resolve(reference, project.root)
        except TrainshedError as error:
            found.error(error, key)
    for key, reference in _functions(project):
        try:
            plugins.load_function(project.root, reference)
        except TrainshedError as error:
            found.error(error, key)
    for name, source in project.sources.items():
        if isinstance(source, SqlSource):
            try:
                sql_text(project.root, source.query)
            except TrainshedError as error:
                found.error(error, f"sources.{name}.query")
        if isinstance(source, FileSource) and not matches(project, source):
            found.fault(
                f"sources.{name}.path",
                f"no file matches {source.path!r} in {project.root}",
                "put the file there, or correct the path; it is relative to the project",
            )


def matches(project: Project, source: FileSource) -> list[str]:
    """The files that the source's path names now."""
    return glob.glob(str(project.root / source.path), recursive=True)


def _secrets(project: Project) -> Iterator[tuple[str, str]]:
    for name, source in project.sources.items():
        if isinstance(source, HttpSource):
            yield f"sources.{name}.url", source.url
            for header, reference in source.headers.items():
                yield f"sources.{name}.headers.{header}", reference
        elif isinstance(source, SqlSource):
            yield f"sources.{name}.uri", source.uri
            if source.password is not None:
                yield f"sources.{name}.password", source.password
    yield from _of_alerts(project)


def _of_alerts(project: Project) -> Iterator[tuple[str, str]]:
    """Read for each message, so who lacks one learns it when he should be told of something else."""
    for name, channel in project.alerts.channels.items():
        key = f"alerts.channels.{name}"
        if isinstance(channel, WebhookChannel | SlackChannel):
            yield f"{key}.url", channel.url
        if isinstance(channel, WebhookChannel):
            yield from ((f"{key}.headers.{header}", reference) for header, reference in channel.headers.items())
        if isinstance(channel, EmailChannel) and channel.user is not None and channel.password is not None:
            yield from ((f"{key}.user", channel.user), (f"{key}.password", channel.password))
    if project.alerts.heartbeat is not None:
        yield "alerts.heartbeat.url", project.alerts.heartbeat.url


def _functions(project: Project) -> Iterator[tuple[str, str]]:
    for name, source in project.sources.items():
        if isinstance(source, PythonSource):
            yield f"sources.{name}.function", source.function
    for name, dataset in project.datasets.items():
        if dataset.python is not None:
            yield f"datasets.{name}.python", dataset.python
    for name, view in project.features.items():
        if view.python is not None:
            yield f"features.{name}.python", view.python
    for name, model in project.models.items():
        if model.network.kind == "python":
            yield f"models.{name}.network.module", model.network.module
