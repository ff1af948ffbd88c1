"""Starting the daemon behind us."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from typing import Any

from tui.failure import Failure
from tui.place import Place
from tui.verbs.child import program


def start(place: Place, environ: Mapping[str, str], arguments: Sequence[str] = ()) -> dict[str, Any]:
    """Starts the daemon of a place and returns when it answers: {pid, socket, project, home, seconds}.

    Raises Failure with the daemon's own reason when it does not come up.
    """
    command = program("daemon.main", *(arguments or ["--project", str(place.project)]), "--detach", "--json")
    done = subprocess.run(command, env=dict(environ), stdin=subprocess.DEVNULL, capture_output=True, text=True)
    try:
        answer: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        last = done.stderr.strip().splitlines()[-1:] or ["no reason was given"]
        raise Failure(f"the daemon did not come up: {last[0]}", remedy=f"see the end of {place.daemon_log}") from None
    if done.returncode != 0:
        raise NotUp(answer, done.returncode)
    return answer


class NotUp(Failure):
    """The daemon said why it does not come up."""

    def __init__(self, problem: Mapping[str, str], exit_code: int) -> None:
        super().__init__(problem["what"], where=problem["where"], remedy=problem["remedy"])
        self.code = problem["code"]
        # 3 says that this home has its daemon already; the rest are plain failures of this command.
        self.exit_code = 3 if exit_code == 3 else 1
