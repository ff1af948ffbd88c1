"""`trainshed check`: everything that can be found wrong with a project before anything runs (design §6)."""

from pipeline.check.findings import Finding, Report
from pipeline.check.project import check_project

__all__ = ["Finding", "Report", "check_project"]
