"""A log in $PAGER: the UI steps aside, the pager reads harmless text from a pipe, as much as it wants."""

from __future__ import annotations

import shlex
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from textual.app import SuspendNotSupported

from tui.failure import Failure
from tui.log.plain import harmless

if TYPE_CHECKING:
    from tui.app import ShedApp
    from tui.client import Client


def page(shed: ShedApp, read: Callable[[Client], Iterator[str]]) -> None:
    """Returns when the pager was left; says what is wrong where it cannot be had."""
    try:
        command = shlex.split(shed.environ.get("PAGER", "")) or ["less"]
    except ValueError as error:
        shed.refuse(Failure(f"it cannot be read: {error}", where="PAGER", remedy="close its quotation marks"))
        return
    try:
        with shed.suspend(), shed.connect() as daemon, _left_alone():
            feed(command, read(daemon))
    except SuspendNotSupported:
        shed.refuse(Failure("this terminal cannot be handed to a pager", remedy="use `trainshed runs logs` instead"))
    except OSError as error:
        remedy = "set PAGER to a program that is there, such as less"
        shed.refuse(Failure(f"{command[0]} could not be started: {error.strerror}", where="PAGER", remedy=remedy))
    except Failure as failure:
        shed.refuse(failure)


@contextmanager
def _left_alone() -> Iterator[None]:
    """Ctrl-C is the pager's: it stops a search there, and must not end the UI, which it reaches as well. A handler that
    does nothing is not handed on to the pager, as ignoring it would be.
    """
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


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
