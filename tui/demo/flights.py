"""The airline's API of the demo: a process of its own that publishes flights day by day."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any, Final

import httpx

from tui.failure import Failure

_START_SECONDS: Final = 30.0
_IDLE_EXIT: Final = 3600
"""An API that nobody asks for an hour goes by itself."""
_TRIES: Final = 5


def copy_project(folder: Path) -> None:
    """Copies the example into a new or empty folder. Raises Failure when something is there."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Failure(
            "this folder is not empty", where=str(folder), remedy="name a new one: `trainshed demo --dir DIR`"
        )
    with as_file(files("assets") / "demo" / "flights") as example:
        shutil.copytree(example, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))


@dataclass(frozen=True)
class FlightsApi:
    """A running API."""

    url: str
    token: str
    child: subprocess.Popen[bytes]

    @classmethod
    def start(cls, folder: Path, environ: Mapping[str, str], *, until: str) -> FlightsApi:
        """Starts `api.py` of the project, publishing the days before `until`; returns when it answers.

        It is its own session, so it can stay when we go. Raises Failure with its own words when it ends at once.
        """
        announced, log = folder / ".trainshed-api.json", folder / ".trainshed-api.log"
        command = [sys.executable, str(folder / "api.py"), "--port", "0", "--until", until]
        command += ["--announce", str(announced), "--idle-exit", str(_IDLE_EXIT)]
        with log.open("wb") as out:
            child = subprocess.Popen(
                command, env=dict(environ), stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True
            )
        try:
            _wait_for(announced, child, log)
        except BaseException:
            child.kill()
            child.wait()
            raise
        told = json.loads(announced.read_text())
        return cls(told["url"], told["token"], child)

    def publish(self, until: str) -> None:
        """Publishes the days before `until` as well."""
        answer = httpx.post(
            f"{self.url}/admin/publish",
            params={"until": until},
            headers={"Authorization": f"Bearer {self.token}"},
            trust_env=False,
        )
        if answer.is_error:
            raise Failure(f"the demo's API answered {answer.status_code}", where=self.url, remedy="run the demo again")

    def flights(self, since: float) -> Iterator[dict[str, Any]]:
        """All that is published of flights from the hour of `since` (unix) on, with how they ended, oldest first."""
        hour = datetime.fromtimestamp(since, UTC).strftime("%Y-%m-%dT%H:00:00Z")
        query: dict[str, str] = {"since": hour, "limit": "1000"}
        with httpx.Client(base_url=self.url, trust_env=False) as client:
            while True:
                page = _insistent(client, query)
                yield from page["flights"]
                if page["next_cursor"] is None:
                    return
                query["cursor"] = page["next_cursor"]

    def stop(self) -> None:
        self.child.terminate()
        self.child.wait()

    def leave(self) -> None:
        """Lets it outlive us; without this Python would warn of a child that nobody waits for."""
        self.child.returncode = 0


def _insistent(client: httpx.Client, query: Mapping[str, str]) -> dict[str, Any]:
    """A page; the API refuses now and then, as real ones do. Raises Failure when asking again does not help."""
    for _ in range(_TRIES):
        answer = client.get("/v1/flights", params=query)
        if answer.is_success:
            page: dict[str, Any] = answer.json()
            return page
    raise Failure(f"the demo's API answered {answer.status_code}", where=str(answer.url), remedy="run the demo again")


def _wait_for(announced: Path, child: subprocess.Popen[bytes], log: Path) -> None:
    last = time.monotonic() + _START_SECONDS
    while not announced.exists():
        if child.poll() is not None or time.monotonic() > last:
            words = log.read_text(errors="replace").strip().splitlines()[-1:] or ["it said nothing"]
            raise Failure(f"the demo's API did not start: {words[0]}", where=str(log), remedy="run `make setup`")
        time.sleep(0.02)
