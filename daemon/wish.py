"""Whether models are to be served: an operator's word if there is one, else the project file's."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from pipeline.config import Project
from store.disk import replace
from store.home import ServingDir


class Wish:
    """Kept in a file, so that it outlives the daemon. May be asked from any thread."""

    def __init__(self, folder: ServingDir, project: Callable[[], Project]) -> None:
        self._dir = folder
        self._project = project

    @property
    def asked(self) -> dict[str, Any] | None:
        """`{"on": true, "by": "ada"}` if an operator has said so, else None: the project file decides."""
        try:
            found: dict[str, Any] = json.loads(self._dir.asked.read_bytes())
            return found
        except (FileNotFoundError, ValueError):
            return None

    @property
    def wanted(self) -> bool:
        asked = self.asked
        return bool(asked["on"]) if asked is not None else self._project().serving.enabled

    def serves(self, model: str) -> bool:
        models = self._project().serving.models
        return self.wanted and (not models or model in models)

    def say(self, on: bool | None, actor: str) -> str:
        """Serve, or not; None: what the project file says. In words what was done. Raises StorageError."""
        if on is None:
            self._dir.asked.unlink(missing_ok=True)
        else:  # whole or not at all: on a full disk the word before it stays
            replace(self._dir.asked, json.dumps({"on": on, "by": actor}), 0o600)
        word = {True: "started", False: "stopped", None: "left to the project file"}[on]
        return f"endpoints were {word} by {actor}"
