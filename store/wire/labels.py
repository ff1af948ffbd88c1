"""Labels: the truth about requests, which arrives later."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import Field

from store.wire.base import Wire

MOST_LABELS = 5000
"""Of one post."""


class LabelsRequest(Wire):
    """Labels of one model's requests. The same label again changes nothing; another value restates it."""

    model: str
    labels: list[dict[str, Any]] = Field(
        min_length=1,
        max_length=MOST_LABELS,
        description="Each with `request`, or `unit` and `at`; and `value`, and `name` if it is a reward.",
    )
    post: str | None = Field(
        default=None, max_length=200, description="A name of the sender's for labels that come in several requests."
    )


class LabelsTaken(Wire):
    """What became of them. They are kept once this is said; whoever hears nothing sends them again."""

    model: str
    post: str
    taken: int
    """Of this request."""
    current: bool
    """False: they are kept, and not in the lake yet; then nothing below is known."""
    new: int | None
    """Of the post, with all its requests."""
    restated: int | None
    """With another value than the one that stood."""
    same: int | None
    """Changed nothing. None for a post of several requests: its sender knows how many there were."""


class LabelledVersion(Wire):
    version: int
    requests: int
    """That it answered."""
    labelled: int
    delay_s: float | None
    """Median time from a request to the arrival of its label."""


class LabelsView(Wire):
    """How many of a model's requests have a label."""

    model: str
    name: str
    """`label`, or the name of a reward."""
    requests: int
    """Answered, in the prediction log."""
    labelled: int
    versions: list[LabelledVersion]
    """Newest first."""
    labels: int
    """That stand, of this name."""
    strays: int
    """Labels of requests that are not in the log."""
    restated: int
    """Labels that came with another value than the one that stood; that one is kept as history."""
    repeated: int
    """Labels of any name that came again as they stood."""
    damaged: int
    """Lines that could not be read."""
    names: dict[str, int]
    """Name → labels that stand."""
    newest: datetime | None
    """When the last one arrived."""
    current: bool
    """False: some are still on their way into the table."""
    problem: str | None
    """Why they are not read."""
    table: str
    """Folder of the Delta table."""
