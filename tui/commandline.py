"""What is about to be done, as a command of the shell: to be copied, so it does exactly that and nothing else. Pure."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from store.wire import PlanView, TrafficChange


def promote_command(plan: PlanView, *, override: bool = False) -> str:
    """`trainshed promote late 3 --alias candidate`: without the alias it would be another one that moves."""
    against = " --override" if override else ""
    return f"trainshed promote {plan.model} {plan.to_version}{_alias(plan)}{against}"


def rollback_command(plan: PlanView) -> str:
    return f"trainshed rollback {plan.model} --to {plan.to_version}{_alias(plan)}"


def change_command(model: str, change: TrafficChange, *, override: bool = False) -> str:
    """As it is typed in a shell."""
    against = " --override" if override else ""
    match change.do:
        case "weights":
            parts = " ".join(f"{version}={_share(share)}" for version, share in change.shares.items())
            return f"trainshed weights {model} {parts}{against}"
        case "canary":
            return f"trainshed canary {model} {change.version}{against}"
        case "experiment":
            return f"trainshed experiment start {_started(model, change)}{against}"
        case "shadow":
            return f"trainshed shadow {model} {change.version} --share {_share(change.share)}"
        case "lift":
            return f"trainshed shadow {model} --stop"
    if change.kind == "experiment":
        return f"trainshed experiment stop {change.name}"
    return f"trainshed {'canary' if change.kind == 'canary' else 'weights'} {model} --stop"


def _started(model: str, change: TrafficChange) -> str:
    """One of the project file by its name; one of somebody's own as it is asked for."""
    settings = dict(change.settings)
    words = [change.name] if change.version is None else [model, str(change.version)]
    if change.version is not None and change.name not in ("", f"{model}_{change.version}"):
        words += ["--name", change.name]
    if "share" in settings:
        settings["share"] = _share(settings["share"])
    for one in settings.pop("guardrails", []):
        words += ["--guardrail", f"{one['metric']}={one['margin']}"]
    for key, value in settings.items():
        words += [f"--{key.replace('_', '-')}", str(value)]
    return shlex.join(words)


def _share(part: float) -> str:
    """As it is, and not as it is drawn."""
    return f"{part * 100:.12g}%"


def _alias(plan: PlanView) -> str:
    return "" if plan.alias == "production" else f" --alias {plan.alias}"
