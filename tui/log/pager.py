"""A log in $PAGER: the UI steps aside, the pager reads harmless text from a pipe, as much as it wants."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from textual.app import SuspendNotSupported

from tui.failure import Failure
from tui.log.plain import harmless

if TYPE_CHECKING:
    from tui.app import ShedApp
    from tui.client import Client


def page(shed: ShedApp, read: Callable[[Client], Iterator[str]]) -> None:
    """Returns when the pager was left; says what is wrong where it cannot be had."""
    command = shlex.split(shed.environ.get("PAGER") or "less")
    try:
        with shed.suspend(), shed.connect() as daemon:
            feed(command, read(daemon))
    except SuspendNotSupported:
        shed.refuse(Failure("this terminal cannot be handed to a pager", remedy="use `trainshed runs logs` instead"))
    except OSError as error:
        remedy = "set PAGER to a program that is there, such as less"
        shed.refuse(Failure(f"{command[0]} could not be started: {error.strerror}", where="PAGER", remedy=remedy))
    except Failure as failure:
        shed.refuse(failure)


def feed(command: list[str], texts: Iterator[str]) -> None:
    """Runs a program with these texts as its input. Raises OSError if it cannot be started, Failure of the daemon."""
    with subprocess.Popen(command, stdin=subprocess.PIPE, text=True, errors="replace") as pager:
        assert pager.stdin is not None
        rest = ""
        try:
            for text in texts:
                *whole, rest = (rest + text).split("\n")
                pager.stdin.write("".join(f"{harmless(line)}\n" for line in whole))
            pager.stdin.write(harmless(rest))
            pager.stdin.close()
        except BrokenPipeError:
            pass  # it was left before the end
