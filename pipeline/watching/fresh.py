"""What was logged by now is in the lake before a look begins, so that a window is told soon after its end."""

from __future__ import annotations

from typing import Any, Final

from pipeline.config.monitors import MonitorSection
from pipeline.predictions.take import alone, take
from pipeline.process.context import Preempted, RunContext
from pipeline.watching.watermark import LATE_US
from pipeline.watching.windows import aligned
from store.times import to_us, us

_A_MOMENT_US: Final = 1_000_000


def bring_in(ctx: RunContext, section: MonitorSection) -> None:
    """Waits, if a window has only just ended, until its last requests are written; then reads what is written.

    Raises Preempted when asked to stop meanwhile.
    """
    if section.model is None or not ctx.home.serving.predictions(section.model).is_dir():
        return
    left_us = 0 if section.span is None else wait_us(to_us(ctx.now()), us(section.span))
    if left_us:
        ctx.spool.progress(0, None, "windows", message="the last requests of a window are being written")
        if ctx.stop.wait(left_us / 1e6):
            raise Preempted
    settings = ctx.project.serving.log
    with alone(ctx.home.serving):
        taken = take(ctx.home, keep=settings.keep, disk=settings.disk, now=ctx.now())
    for model, one in taken["predictions"].items():
        _tell(ctx, model, one)


def wait_us(now_us: int, span_us: int) -> int:
    """Until the window that ended last is complete; 0 if it is."""
    since_end = now_us - aligned(now_us, span_us).start_us
    return max(0, LATE_US + _A_MOMENT_US - since_end)


def _tell(ctx: RunContext, model: str, taken: dict[str, Any]) -> None:
    """What the daemon tells of its own readings."""
    if taken.get("dropped") or taken.get("damaged"):
        what = f"the prediction log of {model} lacks {taken['dropped']} lines that found no room"
        what += f", and {taken['damaged']} that were damaged" if taken["damaged"] else ""
        ctx.spool.note("predictions.dropped", what, level="warning", model=model)
