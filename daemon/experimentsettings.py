"""Which experiment somebody asks for: the project file's, their own words, or some of both."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pydantic import ValidationError
from sqlmodel import Session

from pipeline.config.experiments import ExperimentSection
from store import aliases
from store.errors import Conflict, NotFound, Refused
from store.versions import get_version
from store.wire import TrafficChange

_START: Final = "trainshed experiment start MODEL VERSION --metric correct"


def settled(model: str, change: TrafficChange, known: Mapping[str, ExperimentSection]) -> tuple[str, ExperimentSection]:
    """Its name and settings. `known`: of the project file. Raises Refused, NotFound."""
    said: dict[str, Any] = {"model": model}
    if change.name in known:
        said = known[change.name].model_dump(exclude_unset=True)
        if said["model"] != model:
            raise Refused(
                f"experiment {change.name} is of {said['model']}", where=model, remedy="name it with its own model"
            )
    elif change.version is None and "alias" not in change.settings:
        raise NotFound(
            f"the project file has no experiment {change.name!r}",
            where="experiments",
            remedy=f"`trainshed experiment list` shows those it has, and `{_START}` starts one of your own",
        )
    if change.version is not None:
        said = {key: value for key, value in said.items() if key != "alias"} | {"version": change.version}
    try:
        section = ExperimentSection.model_validate({**said, **change.settings, "model": model})
    except ValidationError as error:
        faults = [f"{'.'.join(map(str, one['loc']))}: {one['msg']}".removeprefix(": ") for one in error.errors()]
        raise Refused(
            "; ".join(faults),
            where=f"experiment {change.name}".rstrip(),
            remedy="`trainshed experiment start --help` says what there is",
        ) from None
    return change.name or f"{model}_{section.version or section.alias}", section


def versioned(session: Session, section: ExperimentSection) -> int:
    """The version to try. Raises NotFound, Conflict if the alias points at none."""
    if section.version is not None:
        return get_version(session, section.model, section.version).number
    move = aliases.last_move(session, section.model, section.alias)
    if move is None:
        raise Conflict(
            f"the alias {section.alias} of {section.model} points at no version",
            where=section.model,
            remedy=f"`trainshed promote {section.model} VERSION --alias {section.alias}` puts one there",
        )
    return move.to_version
