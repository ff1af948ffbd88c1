"""A candidate on the last logged requests, as sentences. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tui.figures import count
from tui.text import Line, line

if TYPE_CHECKING:
    from store.wire import ReplayStrange, ReplayView
_SHOWN: Final = 5
"""Columns."""


def title(view: ReplayView | None) -> str:
    """`the last 8,412 requests`."""
    if view is None:
        return ""
    return f"on the last {count(view.requests)} logged requests" if view.requests else "on logged requests"


def lines(view: ReplayView | None) -> list[Line]:
    """What changes, then what does not fit; few lines, the numbers first."""
    if view is None:
        return []
    found = [line(sentence) for sentence in _changes(view)]
    found += [line(("! ", "warn"), sentence) for sentence in _misfits(view)]
    if view.note:
        found.append(line((view.note, "warn" if view.state == "failed" else "dim")))
    return found


def _changes(view: ReplayView) -> list[str]:
    if view.changed is None or not view.rows:
        return []
    part = f"{view.changed / view.rows:.2%} of {count(view.rows)} rows get another answer than from v{view.against}"
    flips = ", ".join(f"{flip.before} → {flip.after} {count(flip.rows)}" for flip in view.flips[:2])
    low, middle, high = view.quantiles
    said = [f"{part}: {flips}" if flips else part]
    said.append(f"scores move by {middle:+.3g}, 90 % of them {low:+.3g} to {high:+.3g}, at most {view.largest:.3g}")
    for one in view.slices:
        share = f"{one.changed / one.rows:.1%} of {count(one.rows)} rows"
        said.append(f"most where {one.column} = {one.value}: {share}, mean {one.mean:+.3g}")
    if view.latency_ms is not None and view.live_latency_ms:
        ratio = view.latency_ms / view.live_latency_ms
        said.append(f"64 rows take {view.latency_ms:.2f} ms, {ratio:.2f} times as long as now")
    return said


def _misfits(view: ReplayView) -> list[str]:
    """What it would refuse, and columns with what it did not learn from: the worst, and how many there are besides."""
    found = [strange(one) for one in view.strange[:_SHOWN]]
    if len(view.strange) > _SHOWN:
        found.append(f"{len(view.strange) - _SHOWN} more columns have values that it did not learn from")
    if view.no_ranges and view.rows:
        found.append(f"numbers are not held against what it learned from: {view.no_ranges}")
    if not view.refused:
        return found
    many = f"{count(view.refused)} of {count(view.requests)} requests it would refuse"
    return [f"{many}: {'; '.join(view.refusals)}", *found]


def strange(one: ReplayStrange) -> str:
    """`temp: 1.2% of the rows are outside the 10 to 80 that it learned from: 12 above, up to 96`."""
    said = []
    if one.below or one.above:
        sides = [f"{count(one.below)} below, down to {one.least:.4g}"] if one.below else []
        sides += [f"{count(one.above)} above, up to {one.most:.4g}"] if one.above else []
        part = _part(one.below + one.above, one.of)
        said.append(f"{part} are outside the {one.low:.4g} to {one.high:.4g} that it learned from: {', '.join(sides)}")
    if one.unseen:
        said.append(f"{_part(one.unseen, one.of)} have words it never saw: {', '.join(one.words)}")
    if one.missing:
        said.append(f"{_part(one.missing, one.of)} have no value, and none was missing in training")
    return f"{one.column}: {'; '.join(said)}"


def _part(rows: int, of: int) -> str:
    return f"{rows / of:.2%} of the rows"
