"""`[experiments.NAME]`: can what it asks be told from what is logged?"""

from __future__ import annotations

from pipeline.check.findings import Findings
from pipeline.config import Project
from pipeline.config.experiments import ExperimentSection
from pipeline.experiments.metrics import LABELLED
from pipeline.experiments.questions import refuse_metric


def check_experiments(project: Project, found: Findings) -> None:
    for name, section in project.experiments.items():
        key = f"experiments.{name}"
        metrics = {"metric": section.metric}
        metrics |= {f"guardrails[{place}].metric": one.metric for place, one in enumerate(section.guardrails)}
        for where, metric in metrics.items():
            why = refuse_metric(metric, regression=project.models[section.model].task == "regression")
            if why is not None:
                found.fault(f"{key}.{where}", why, "name another metric, or a reward that you post")
        _check_log(key, project, section, found)


def _check_log(key: str, project: Project, section: ExperimentSection, found: Findings) -> None:
    log = project.serving.log
    if not log.enabled:
        what = "exposures are read from the prediction log, which is off"
        found.fault(key, what, "`enabled = true` in [serving.log]")
    elif log.payloads < 1.0 and {section.metric, *(one.metric for one in section.guardrails)} & LABELLED:
        what = (
            f"answers are known of {log.payloads:.4g} of the requests only, so labels of the others count for nothing"
        )
        found.note(f"{key}.metric", what, "`payloads = 1.0` in [serving.log]")
