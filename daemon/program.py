"""Programs of ours that answer one question in one JSON document, because they need what the daemon does not load."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.process.lean import lean
from store.errors import Refused, StorageError, TrainshedError


def ask_program(
    module: str,
    arguments: Sequence[str],
    seconds: float,
    environ: Mapping[str, str] | None = None,
    given: str = "",
) -> Any:
    """What it prints, read as JSON. Its exit status is its own affair: `doctor` ends with 1 when something is broken.

    `given`: what it finds on its standard input.

    Raises StorageError with the end of its standard error when there is no answer in time, Refused for an argument
    that no program can be given.
    """
    unfit = next((one for one in arguments if "\0" in one), None)
    if unfit is not None:
        raise Refused(
            f"{unfit.replace(chr(0), '�')!r} holds the character with the number 0",
            where=module,
            remedy="ask without it: no name has one",
        )
    command = [sys.executable, *lean(module, arguments)]
    try:
        done = subprocess.run(
            command,
            input=given,
            capture_output=True,
            timeout=seconds,
            text=True,
            check=False,
            env=environ,
        )
        return json.loads(done.stdout)
    except subprocess.TimeoutExpired:
        raise _no_answer(module, f"it did not answer within {seconds:g} s") from None
    except OSError as error:
        raise _no_answer(module, f"it cannot be started: {error.strerror}") from None
    except ValueError:
        said = done.stderr.strip().splitlines()
        raise _no_answer(
            module, f"it ended with {done.returncode}: {said[-1] if said else 'and said nothing'}"
        ) from None


def _no_answer(module: str, what: str) -> TrainshedError:
    return StorageError(
        what,
        where=f"python -m {module}",
        remedy="ask again when the machine is less busy; `trainshed doctor` says more",
    )
