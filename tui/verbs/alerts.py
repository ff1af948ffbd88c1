"""`alerts`: what wants a person."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tui.failure import ClientError, Failure, Usage
from tui.verbs import complete
from tui.verbs.frame import Shell, group, verb

if TYPE_CHECKING:
    from store.wire import AlertView, Page

_STATES = ("unresolved", "any", "open", "acknowledged", "resolved")
Number = Annotated[int, typer.Argument(metavar="ALERT", min=1, help="Its number, see `trainshed alerts`.")]


Numbers = Annotated[list[int], typer.Argument(metavar="ALERT…", min=1, help="Their numbers, see `trainshed alerts`.")]


def add_to(app: typer.Typer) -> None:
    inner = group(app, "alerts", purpose="Alerts: what wants a person, and who is told.", bare=list_open)
    verb(inner, "list", example="trainshed alerts list --state any --model late")(list_alerts)
    verb(inner, "show", example="trainshed alerts show 12")(show)
    verb(inner, "ack", example='trainshed alerts ack 12 13 --note "the new route; retraining tonight"')(ack)
    verb(inner, "resolve", example='trainshed alerts resolve 12 --why "the sensor was replaced"')(resolve)
    verb(inner, "channels", example="trainshed alerts channels")(channels)
    verb(inner, "test", example="trainshed alerts test ops")(test)


def list_open(shell: Shell) -> None:
    """What is not over."""
    with shell.daemon() as daemon:
        page = daemon.alerts()
    _draw(shell, page)


def list_alerts(
    shell: Shell,
    state: Annotated[
        str, typer.Option(metavar="|".join(_STATES), help="Usual: those that are not over.")
    ] = "unresolved",
    model: Annotated[
        str | None, typer.Option(metavar="MODEL", help="Only of this model.", autocompletion=complete.models)
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=500, help="How many.")] = 50,
    after: Annotated[str | None, typer.Option(metavar="TOKEN", help="The `next` of the page before.")] = None,
) -> None:
    """Newest first; those that are over with --state any."""
    if state not in _STATES:
        raise Usage(f"there is no state {state!r}", remedy=f"use one of {', '.join(_STATES)}")
    with shell.daemon() as daemon:
        page = daemon.alerts(state=state, model=model, limit=limit, after=after)
    _draw(shell, page)


def show(shell: Shell, number: Number) -> None:
    """One, with the numbers that decided, what to do, and who was told."""
    with shell.daemon() as daemon:
        detail = daemon.alert(number)

    def draw() -> Any:
        from tui.draw.alerts import alert

        return alert(detail, shell.now)

    shell.show(detail, draw)


def ack(
    shell: Shell,
    numbers: Numbers,
    note: Annotated[str, typer.Option(metavar="WORDS", help="What is known of it, or done about it.")] = "",
) -> None:
    """Say that you know of it: it needs nobody any more, and nobody is reminded, unless it becomes worse."""
    with shell.daemon() as daemon:
        views = _each(numbers, "acknowledged", lambda number: daemon.acknowledge(number, note=note))
    _say(shell, views, "acknowledged")


def resolve(
    shell: Shell,
    numbers: Numbers,
    why: Annotated[str, typer.Option(metavar="WORDS", help="Why it is over.")] = "",
) -> None:
    """Say that it is over. What finds it again opens it again."""
    with shell.daemon() as daemon:
        views = _each(numbers, "resolved", lambda number: daemon.resolve_alert(number, why=why))
    _say(shell, views, "resolved")


def channels(shell: Shell) -> None:
    """Where alerts are told, and how each channel does."""
    with shell.daemon() as daemon:
        views = daemon.channels()

    def draw() -> Any:
        from tui.draw.alerts import channels as drawn

        return drawn(views, shell.now)

    shell.show(views, draw)


def test(
    shell: Shell,
    channel: Annotated[str, typer.Argument(metavar="CHANNEL", help="See `trainshed alerts channels`.")],
) -> None:
    """Send a message that says that it is a test, and tell what was answered. Exit 1 if it was not taken."""
    with shell.daemon() as daemon:
        done = daemon.test_channel(channel)
    word = "took the message" if done.sent else "did not take the message"
    shell.say(done, f"channel {done.channel} ({done.kind}) {word} after {done.seconds:.1f} s: {done.answer}")
    if not done.sent:
        raise typer.Exit(1)


def _each(numbers: Sequence[int], word: str, do: Callable[[int], AlertView]) -> list[AlertView]:
    """One after the other; where one is refused, what was done before it stays, and that is said."""
    views: list[AlertView] = []
    for number in numbers:
        try:
            views.append(do(number))
        except ClientError as error:
            if not views:
                raise
            done = f"{', '.join(str(view.id) for view in views)} {'is' if len(views) == 1 else 'are'} {word} already"
            raise Failure(error.what, where=error.where, remedy=f"{error.remedy}; {done}") from None
    return views


def _say(shell: Shell, views: Sequence[AlertView], word: str) -> None:
    if shell.as_json:
        shell.say_json(views)
    else:
        for view in views:
            shell.say(view, f"alert {view.id} is {word}: {view.title}")


def _draw(shell: Shell, page: Page[AlertView]) -> None:
    def draw() -> Any:
        from tui.draw.alerts import alerts

        return alerts(page.items, shell.now)

    shell.show(page, draw)
    if page.next and not shell.as_json:
        shell.note(f"more: --after {page.next}")
