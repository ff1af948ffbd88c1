"""`labels`: the truth about requests, which arrives later; and how many have it."""

from __future__ import annotations

import re
import secrets
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tui.failure import ClientError, Failure, Usage
from tui.verbs.frame import Shell, verb
from tui.verbs.models import Model

if TYPE_CHECKING:
    from store.wire import LabelsTaken

_WAIT_S = 12.0


def add_to(app: typer.Typer) -> None:
    verb(app, "labels", example="trainshed labels late add labels.csv")(labels)


def labels(
    shell: Shell,
    model: Model,
    action: Annotated[str | None, typer.Argument(metavar="[add", help="`add` to add some.")] = None,
    file: Annotated[
        str | None, typer.Argument(metavar="FILE]", help="JSON lines, JSON or CSV; `-` for standard input.")
    ] = None,
    name: Annotated[
        str, typer.Option(metavar="NAME", help="Of the labels that are counted: `label`, or a reward.")
    ] = "label",
) -> None:
    """How many of a model's requests have a label; or adds labels: the same again changes nothing."""
    if action is None:
        _coverage(shell, model, name)
    elif action == "add" and file is not None:
        _add(shell, model, file)
    else:
        raise Usage(
            "not understood", remedy=f"write `trainshed labels {model} add FILE`, or `trainshed labels {model}`"
        )


def _coverage(shell: Shell, model: str, name: str) -> None:
    with shell.daemon() as daemon:
        view = daemon.labels(model, name=name)

    def draw() -> Any:
        from tui.draw.labels import coverage

        return coverage(view)

    shell.show(view, draw)


def _add(shell: Shell, model: str, file: str) -> None:
    """In as many requests as they need; the last one waits for the lake, to say what all of them changed."""
    from store.wire import MOST_LABELS, LabelsRequest
    from tui.labelfile import parts, read

    post, taken = f"cli-{secrets.token_hex(8)}", 0
    said: LabelsTaken | None = None
    with shell.daemon() as daemon, _opened(file) as lines:
        for part, last in _with_last(parts(read(lines), MOST_LABELS)):
            request = LabelsRequest(model=model, labels=part, post=post)
            try:
                said = daemon.add_labels(request, wait=_WAIT_S if last else 0.0)
            except ClientError as error:
                raise refused(error, file, kept=taken) from None
            taken += len(part)
    if said is None:
        raise Usage(
            "there are no labels in it", where=file, remedy="`trainshed labels --help` shows what they look like"
        )
    same = None if said.new is None or said.restated is None else taken - said.new - said.restated
    shell.say(said.model_copy(update={"taken": taken, "same": same}), _sentence(said, taken, same))


def refused(error: ClientError, file: str, *, kept: int) -> Failure:
    """In the file's own numbers, where the daemon has those of one request. `kept`: labels of the requests before."""
    place = re.fullmatch(r"labels\[(\d+)\]", error.where)
    where = error.where if place is None else f"{file}, label {kept + int(place[1]) + 1:,}"
    if not kept:
        return Failure(error.what, where=where, remedy=error.remedy)
    remedy = "correct it" if place is not None else error.remedy
    again = f"{remedy}; then add the file again: the first {kept:,} are kept, and change nothing"
    return Failure(error.what, where=where, remedy=again)


def _sentence(said: LabelsTaken, taken: int, same: int | None) -> str:
    if same is None:
        return (
            f"{taken:,} labels of {said.model} are kept, and on their way into the lake; "
            f"`trainshed labels {said.model}` shows them"
        )
    changed = f"{said.new:,} new, {said.restated:,} restated, {same:,} the same as before"
    return f"{taken:,} labels of {said.model}: {changed}"


def _with_last(found: Iterator[list[dict[str, Any]]]) -> Iterator[tuple[list[dict[str, Any]], bool]]:
    """Each, and whether it is the last one."""
    before = next(found, None)
    for one in found:
        if before is not None:
            yield before, False
        before = one
    if before is not None:
        yield before, True


@contextmanager
def _opened(file: str) -> Iterator[Iterable[str]]:
    """Raises Usage where it cannot be read."""
    if file == "-":
        yield sys.stdin
        return
    try:
        with open(file, encoding="utf-8-sig", newline="") as opened:
            yield opened
    except (OSError, UnicodeDecodeError) as error:
        raise Usage(
            f"the labels cannot be read: {error}", where=file, remedy="name a text file, or - for input"
        ) from None
