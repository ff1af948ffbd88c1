"""Words that are not understood: told as every other failure is, so with `--json` as a Problem."""

from __future__ import annotations

import sys
from typing import Any, Final, NoReturn

import typer
from typer.core import TyperGroup

from tui.failure import Usage

_NOT_UNDERSTOOD: Final[type[Exception]] = typer.BadParameter.__mro__[1]
"""click's UsageError, the base of its complaints. Typer brings a click of its own, and names only this one of it."""
_AS_JSON: Final = "trainshed.json"
"""Key in a context's `meta`."""


class Words(TyperGroup):
    """The whole command line. What its parser complains of without `--json` is told by the parser itself."""

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        # Looked for by hand: where the words are not understood, nobody has found the option.
        as_json = "--json" in args
        try:
            context = super().make_context(info_name, args, parent, **extra)
        except _NOT_UNDERSTOOD as error:
            _tell(error, as_json)
        context.meta[_AS_JSON] = as_json
        return context

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except _NOT_UNDERSTOOD as error:
            _tell(error, ctx.meta[_AS_JSON])


def _tell(error: Exception, as_json: bool) -> NoReturn:
    """Raises the error again, or, as JSON, typer.Exit after the Problem."""
    if not as_json:
        raise error
    context: Any = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "trainshed"
    said = error.format_message() if hasattr(error, "format_message") else str(error)
    usage = Usage(said, where=command, remedy=f"see `{command} --help`")
    sys.stdout.write(usage.problem().model_dump_json(indent=2) + "\n")
    raise typer.Exit(usage.exit_code) from None
