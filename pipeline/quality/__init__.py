"""Checks: rules that the rows of a dataset obey before they become a version.

`run_checks` reads the rows once, keeps those that break a quarantining rule apart with the names of all rules they
break, and says for each check how many rows break it, how many may, and which ones do.
"""

from pipeline.quality.report import CheckReport, Counts
from pipeline.quality.run import run_checks

__all__ = ["CheckReport", "Counts", "run_checks"]
