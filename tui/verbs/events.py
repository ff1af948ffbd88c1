"""`events`: the history."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tui.failure import Usage
from tui.verbs.frame import Shell, verb
from tui.verbs.moments import moment

if TYPE_CHECKING:
    from store.wire import EventView, MomentView, Page
    from tui.client import Client


def add_to(app: typer.Typer) -> None:
    verb(app, "events", example="trainshed events --at 2026-03-01T14:05")(events)


def events(
    shell: Shell,
    at: Annotated[
        str | None,
        typer.Option(
            metavar="TIME", help="The shed and its history as they stood then: ISO 8601; without a zone, UTC."
        ),
    ] = None,
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Go on with what happens now.")] = False,
    subject: Annotated[str | None, typer.Option(metavar="WORDS", help='Only about this: "run 12", "late 3".')] = None,
    filter: Annotated[
        str | None, typer.Option("--filter", metavar="WORDS", help='Such as "kind=run.failed time<2d disk".')
    ] = None,
    offset: Annotated[int | None, typer.Option(min=0, help="Leave out so many from the beginning.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=500, help="How many.")] = 30,
    after: Annotated[str | None, typer.Option(metavar="TOKEN", help="The `next` of the page before.")] = None,
) -> None:
    """Who did what, when and why; newest first, or with -f in order. With --at, what was live and what ran then too.

    For --filter see docs/how-to/find.md.
    """
    if filter is not None or offset is not None:
        if at or follow or subject or after:
            raise Usage(
                "--filter and --offset do not go with --at, --follow, --subject and --after",
                remedy='write it all as a filter: --filter "subject~12 time<2026-03-01"',
            )
        _window(shell, filter or "", offset or 0, limit)
        return
    with shell.daemon() as daemon:
        if follow:
            _follow(shell, daemon, limit, subject)
            return
        then = moment(at) if at else None
        page = daemon.events(at=then, subject=subject, limit=limit, after=after)
        # Only the first page, and not a question about one thing, is about the shed as a whole.
        whole = daemon.moment(then) if then and subject is None and after is None else None
    if whole is None:
        _draw(shell, page, page.items)
    else:
        _draw_moment(shell, whole, page)
    if page.next and not shell.as_json:
        shell.note(f"more: --after {page.next}")


def _draw_moment(shell: Shell, whole: MomentView, page: Page[EventView]) -> None:
    if shell.as_json:
        shell.say_json({"moment": whole.model_dump(mode="json"), "events": page.model_dump(mode="json")})
        return

    def draw() -> Any:
        from tui.draw.moment import moment as shed_then

        return shed_then(whole, page.items)

    shell.show(page, draw)


def _window(shell: Shell, q: str, offset: int, limit: int) -> None:
    with shell.daemon() as daemon:
        window = daemon.event_window(q, offset=offset, limit=limit)
    _draw(shell, window, window.items, empty="no event is there")
    end = offset + len(window.items)
    if not shell.as_json and window.items and window.total != end:
        of = "" if window.total is None else f" of {window.total:,}"
        shell.note(f"{offset + 1:,} to {end:,}{of}; more: --offset {end}")


def _draw(shell: Shell, answer: Any, items: Sequence[Any], empty: str = "nothing has happened yet") -> None:
    def draw() -> Any:
        from tui.draw.schedules import event_table

        return event_table(items, empty=empty)

    shell.show(answer, draw)


def _follow(shell: Shell, daemon: Client, limit: int, subject: str | None) -> None:
    """The last events, then each new one; with --json, one object a line."""
    from tui.connection import POLL_SECONDS
    from tui.draw.schedules import event_line

    since = daemon.status().rev
    fresh = daemon.events(subject=subject, limit=limit).items
    last = 0
    while True:
        for event in sorted(fresh, key=lambda each: each.id):
            if event.id > last and subject in (None, event.subject):
                sys.stdout.write((event.model_dump_json() if shell.as_json else event_line(event)) + "\n")
                last = event.id
        sys.stdout.flush()
        changes = daemon.changes(since, wait=POLL_SECONDS)
        since, fresh = changes.rev, changes.events
