"""What all verbs share: `--json`, `--project`, examples in the help, errors as sentences, exit codes (design §7)."""

from __future__ import annotations

import functools
import inspect
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from tui.failure import Failure
from tui.place import Place, find_place
from tui.printable import printable

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from store.wire import Wire
    from tui.client import Client

Verb = TypeVar("Verb", bound=Callable[..., None])
INTERRUPTED = 130
"""128 + SIGINT, as every shell has it."""

Project = Annotated[
    str | None,
    typer.Option("--project", metavar="DIR", help="The project; else $TRAINSHED_PROJECT, else the nearest one above."),
]
Json = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]


@dataclass(frozen=True)
class Common:
    """What was said before the verb."""

    project: str | None = None
    as_json: bool = False


class Shell:
    """What a verb runs in: where it is, how it answers, and the way to the daemon."""

    def __init__(self, common: Common, environ: Mapping[str, str], folder: Path) -> None:
        self.as_json = common.as_json
        self.environ = environ
        self.folder = folder
        self._named = common.project

    @cached_property
    def place(self) -> Place:
        """Raises Usage when there is no project."""
        return find_place(self._named, self.folder, self.environ)

    @cached_property
    def console(self) -> Console:
        """Colour only on a terminal and without NO_COLOR; in a pipe, lines as long as they need to be."""
        from tui.render import console

        return console(sys.stdout)

    @property
    def interactive(self) -> bool:
        """Whether a person can be asked."""
        return sys.stdin.isatty() and sys.stderr.isatty()

    def daemon(self) -> AbstractContextManager[Client]:
        from tui.client import Client

        return Client(self.place.socket)

    def show(self, answer: Wire | Sequence[Wire] | Mapping[str, Any], draw: Callable[[], RenderableType]) -> None:
        """The answer: as one JSON document, or as `draw` draws it."""
        if self.as_json:
            self.say_json(answer)
        else:
            self.console.print(draw(), soft_wrap=not self.console.is_terminal)

    def say(self, answer: Wire | Mapping[str, Any], sentence: str) -> None:
        """The answer: as one JSON document, or as a sentence."""
        if self.as_json:
            self.say_json(answer)
        else:
            self.console.print(sentence, markup=False, highlight=False, soft_wrap=True)

    def say_json(self, answer: Wire | Sequence[Wire] | Mapping[str, Any]) -> None:
        from tui.render import as_json

        sys.stdout.write(as_json(answer) + "\n")

    @cached_property
    def now(self) -> datetime:
        """The moment at which the verb was given, UTC."""
        return datetime.now(UTC)

    def note(self, sentence: str) -> None:
        """A word beside the answer, for a person; standard output stays one document. The words may be anybody's, and
        none of them reach the terminal as an order.
        """
        sys.stderr.write("\n".join(map(printable, sentence.split("\n"))) + "\n")


def verb(app: typer.Typer, name: str, *, example: str) -> Callable[[Verb], Verb]:
    """Makes a function with a Shell as its first parameter a command, with the common options added to its own."""

    def register(function: Verb) -> Verb:
        own = list(inspect.signature(function, eval_str=True).parameters.values())[1:]
        keyword = inspect.Parameter.KEYWORD_ONLY
        added = [
            inspect.Parameter("context", keyword, annotation=typer.Context),
            *(parameter.replace(kind=keyword) for parameter in own),
            inspect.Parameter("project", keyword, default=None, annotation=Project),
            inspect.Parameter("as_json", keyword, default=False, annotation=Json),
        ]

        @functools.wraps(function)
        def command(context: typer.Context, project: str | None, as_json: bool, **given: Any) -> None:
            said: Common = context.obj or Common()
            common = Common(project=project or said.project, as_json=as_json or said.as_json)
            in_frame(common, lambda shell: function(shell, **given))

        command.__signature__ = inspect.Signature(added)  # type: ignore[attr-defined]
        command.__annotations__ = {parameter.name: parameter.annotation for parameter in added}
        app.command(name, epilog=f"Example: {example}")(command)
        return function

    return register


def group(app: typer.Typer, name: str, *, purpose: str, bare: Callable[[Shell], None]) -> typer.Typer:
    """A verb with verbs of its own; `bare` is what the name alone does."""
    inner = typer.Typer(help=purpose, rich_markup_mode=None)

    def alone(context: typer.Context, project: Project = None, as_json: Json = False) -> None:
        said: Common = context.obj or Common()
        context.obj = Common(project=project or said.project, as_json=as_json or said.as_json)
        if context.invoked_subcommand is None:
            in_frame(context.obj, bare)

    inner.callback(invoke_without_command=True)(alone)
    app.add_typer(inner, name=name, epilog=f"Example: trainshed {name}")
    return inner


def in_frame(common: Common, act: Callable[[Shell], None]) -> None:
    """Runs a verb; a failure becomes a message on standard error (with --json a Problem on standard output)."""
    shell = Shell(common, os.environ, Path.cwd())
    try:
        act(shell)
        sys.stdout.flush()
    except Failure as failure:
        if shell.as_json:
            shell.say_json(failure.problem())
        else:
            shell.note(f"trainshed: {failure}")
        raise typer.Exit(failure.exit_code) from None
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None
    except BrokenPipeError:
        # The reader has enough (`trainshed runs list | head`). What is left in the buffer has nowhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(0) from None
