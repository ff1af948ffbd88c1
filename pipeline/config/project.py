"""`trainshed.toml` as a whole, and the jobs that follow from it."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from pydantic import PrivateAttr, model_validator

from pipeline.config.alerts import AlertsSection
from pipeline.config.base import Name, Section
from pipeline.config.datasets import Dataset, FeatureView
from pipeline.config.experiments import ExperimentSection
from pipeline.config.models import Model
from pipeline.config.monitors import MonitorSection
from pipeline.config.predictions import Predictions
from pipeline.config.schedules import DaemonSection, JobSection, ScheduleSection
from pipeline.config.serving import ServingSection
from pipeline.config.sources import AnySource


class ProjectSection(Section):
    """What the project is called."""

    name: Name
    """Shown on screen and in the record."""
    description: str = ""
    """For people."""


class Project(Section):
    """A folder with a `trainshed.toml`, read and found consistent."""

    project: ProjectSection
    daemon: DaemonSection = DaemonSection()
    serving: ServingSection = ServingSection()
    sources: dict[Name, AnySource] = {}
    datasets: dict[Name, Dataset] = {}
    features: dict[Name, FeatureView] = {}
    models: dict[Name, Model] = {}
    predictions: dict[Name, Predictions] = {}
    experiments: dict[Name, ExperimentSection] = {}
    monitors: dict[Name, MonitorSection] = {}
    alerts: AlertsSection = AlertsSection()
    schedules: dict[Name, ScheduleSection] = {}
    jobs: dict[str, JobSection] = {}
    """Settings of single jobs, by name."""
    _root: Path = PrivateAttr(default=Path())

    @property
    def root(self) -> Path:
        """The project's folder."""
        return self._root

    def placed_in(self, root: Path) -> Self:
        """The same project, knowing its folder."""
        placed = self.model_copy()
        placed._root = root.resolve()
        return placed

    @model_validator(mode="after")
    def _names_resolve(self) -> Self:
        from pipeline.config.references import find_dangling

        problems = find_dangling(self)
        if problems:
            raise ValueError("; ".join(problems))
        return self
