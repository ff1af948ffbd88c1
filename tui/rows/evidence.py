"""The evidence of a version, as lines: what was measured, how sure that is, and what speaks against it.

Evidence is a plain dictionary on the wire; pipeline/judging/evidence.py says what is in it. Older versions may lack
parts: what is not there is said to be missing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tui.rows.measures import chance, difference, interval, judged
from tui.rows.words import bar, count, figure, percent
from tui.table.column import Cell
from tui.text import Line, heading, line, pairs

if TYPE_CHECKING:
    from store.wire import Interval

Evidence = Mapping[str, Any]
_AXIS = 36
"""Cells of the axis from 0 to 1 on which calibration is drawn."""
_NOTABLE = 0.05
"""Adjusted chance below which a worse slice is marked."""


def metrics(evidence: Evidence) -> list[Line]:
    """On the test rows, with the baseline beside them, and the difference to both references."""
    found: Mapping[str, Any] = evidence.get("metrics", {})
    if not found:
        return [line(("nothing was measured", "dim"))]
    base = (evidence.get("baseline") or {}).get("metrics", {})
    names = max(len(name) for name in found)
    values = {name: interval(_interval(one)) for name, one in found.items()}
    width = max(map(len, values.values()))
    lines = [
        line(f"{name.ljust(names)}  ", (value.ljust(width), "strong"), ("  baseline ", "dim"), figure(base.get(name)))
        for name, value in values.items()
    ]
    return [line((f"on {count(evidence.get('rows'))} test rows, 95 % intervals", "dim")), *lines]


def compared(evidence: Evidence) -> list[Line]:
    """Against the baseline, and against what was in production when it was judged."""
    lines: list[Line] = []
    for key in ("production", "baseline"):
        reference = evidence.get(key)
        name = _reference(key, reference)
        if reference is None:
            lines += [line((f"against {name}: nothing to compare with", "dim"))]
        elif reference.get("incomparable"):
            lines += [line((f"against {name}: {reference['incomparable']}", "warn"))]
        else:
            lines += [line((f"minus {name}, on the same rows", "dim")), *_differences(reference.get("differences", []))]
    return lines


def parts(evidence: Evidence) -> list[Line]:
    """Train, validate and test beside each other, and the gap between the first two."""
    found: Mapping[str, Any] = evidence.get("parts", {})
    if not found:
        return []
    lines = [line((f"{'part':<10}{'rows':>10}{'loss':>10}{evidence.get('objective', ''):>12}", "dim"))]
    for name, one in found.items():
        lines.append(line(f"{name:<10}{count(one['rows']):>10}{figure(one['loss']):>10}{figure(one['objective']):>12}"))
    gap = evidence.get("gap")
    if gap is not None:
        lines.append(line(("gap       ", "dim"), f"{percent(gap['relative']['value'])} of the validation loss"))
    return lines


def learning(evidence: Evidence) -> list[Line]:
    """What the learning curve says of the end of training, in words and flags."""
    facts = evidence.get("curve")
    if not facts:
        return [line(("no learning curve was kept", "dim"))]
    curve = facts["curve"]
    share, risen = facts.get("share_of_budget"), facts.get("risen_after_best")
    return [
        line(f"best step {count(curve['best_step'])} of {count(curve.get('budget'))}"),
        line(_stopped_early(share), f"  {percent(share)} of the planned steps"),
        line(_overfitted(risen), f"  validation loss {percent(risen)} above its best at the end"),
    ]


def curve_table(evidence: Evidence) -> list[Line]:
    """Every evaluation: both losses, the kept one marked."""
    facts = evidence.get("curve")
    if not facts:
        return []
    curve = facts["curve"]
    losses = [value for key in ("train_loss", "validation_loss") for value in curve[key] if value is not None]
    low, high = (min(losses), max(losses)) if losses else (0.0, 1.0)
    lines = [line((f"{'step':>9}  {'train':>8}  {'validation':>10}", "dim"))]
    for step, train, held_out in zip(curve["steps"], curve["train_loss"], curve["validation_loss"], strict=True):
        kept = step == curve["best_step"]
        where = None if held_out is None or high == low else (held_out - low) / (high - low)
        lines.append(
            line(
                f"{count(step):>9}  {figure(train):>8}  {figure(held_out):>10}  ",
                (bar(where, 20), "dim"),
                ("  ★ kept" if kept else "", "good"),
            )
        )
    return lines


def calibration(evidence: Evidence) -> list[Line]:
    """Said and happened, a line a bin, on an axis from 0 to 1."""
    facts = evidence.get("calibration")
    if not facts:
        return [line(("calibration is measured for classes only; there is none here", "dim"))]
    beyond = facts["error"] > facts["by_chance"]
    verdict = Cell("! more than chance explains", "warn") if beyond else Cell("✔ no more than chance", "good")
    lines = [
        line(f"error {figure(facts['error'])}, by chance up to {figure(facts['by_chance'])}  ", verdict),
        line(("○ said   ● happened   ◉ both", "dim")),
        line((f"{'said':>7} {'happened':>9} {'rows':>8}   0{'1':>{_AXIS - 1}}", "dim")),
    ]
    for one in facts["table"]:
        said, happened = one["forecast"], one["observed"]
        lines.append(
            line(
                f"{percent(said):>7} {percent(happened):>9} {count(one['rows']):>8}   ",
                *_axis(said, happened),
            )
        )
    return lines


def slices(evidence: Evidence) -> list[Line]:
    """Worst first; marked where it is worse by more than chance."""
    found: Sequence[Mapping[str, Any]] = evidence.get("slices", [])
    if not found:
        return [line(("no slices are asked for: models.MODEL.slices in trainshed.toml names columns", "dim"))]
    width = max(len(f"{one['column']} = {one['value']}") for one in found)
    lines = [line((f"{'slice'.ljust(width)} {'rows':>8} {'objective':>10} {'worse by':>10}  adjusted", "dim"))]
    for one in sorted(found, key=lambda one: -(one["drop"] if one["drop"] is not None else -1.0)):
        adjusted, drop = one.get("adjusted"), one["drop"]
        marked = adjusted is not None and adjusted < _NOTABLE and drop is not None and drop > 0
        lines.append(
            line(
                f"{one['column']} = {one['value']}".ljust(width),
                f" {count(one['rows']):>8} {figure(one['objective']):>10} ",
                (f"{'-' if drop is None else f'{drop:+.4f}':>10}", "warn" if marked else ""),
                (f"  {chance(adjusted)}", "dim"),
                ("  ! worse" if marked else "", "warn"),
            )
        )
    return lines


def leakage(evidence: Evidence) -> list[Line]:
    """Signs that the label was known to the training."""
    found = evidence.get("leakage")
    if not found:
        return []
    best = list(found.get("single_feature_auc", {}).items())[:5]
    return [
        heading("signs of leakage"),
        *pairs(
            [
                (
                    "test rows seen in training",
                    f"{percent(found['duplicate_share'])}, by chance {percent(found['duplicate_share_by_chance'])}",
                ),
                ("train told from test", f"AUC {figure(found['adversarial_auc'])}"),
                ("best single features", ", ".join(f"{name} {figure(auc)}" for name, auc in best) or "-"),
            ]
        ),
    ]


def _differences(found: Sequence[Mapping[str, Any]]) -> list[Line]:
    rows = [(one, _interval(one["difference"])) for one in found]
    names = max((len(one["metric"]) for one, _ in rows), default=0)
    lines = []
    for one, width in rows:
        if width is None:
            continue
        verdict = judged(one["metric"], width)
        lines.append(
            line(
                f"  {one['metric'].ljust(names)}  {difference(width):<29}  ",
                verdict._replace(text=verdict.text.ljust(8)),
                (f"  {chance(one['p_value'])}", "dim"),
            )
        )
    return lines


def _interval(found: Mapping[str, Any] | None) -> Interval | None:
    from store.wire import Interval

    if found is None or None in (found["value"], found["low"], found["high"]):
        return None
    return Interval(**found)


def _reference(key: str, reference: Mapping[str, Any] | None) -> str:
    if key == "baseline":
        return "the baseline"
    version = None if reference is None else reference.get("version")
    return "production" if version is None else f"v{version}, live when it was judged"


def _stopped_early(share: float | None) -> Cell:
    if share is None:
        return Cell("· no plan of steps", "dim")
    return Cell("! still getting better: train longer", "warn") if share > 0.95 else Cell("✔ long enough", "good")


def _overfitted(risen: float | None) -> Cell:
    if risen is None:
        return Cell("· unknown", "dim")
    return Cell("! overfits after its best", "warn") if risen > 0.05 else Cell("✔ stopped in time", "good")


def _axis(said: float, happened: float) -> list[Cell]:
    """Two points on a dotted line."""
    at = {round(said * (_AXIS - 1)): Cell("○", "dim"), round(happened * (_AXIS - 1)): Cell("●", "live")}
    if len(at) == 1:
        at = {place: Cell("◉", "good") for place in at}
    return [at.get(place, Cell("·", "dim")) for place in range(_AXIS)]
