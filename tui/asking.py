"""How the parts of the client ask the daemon: by a route, for a wire model."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Final, TypeVar

from store.wire import Wire

W = TypeVar("W", bound=Wire)
ANSWER_SECONDS: Final = 30.0
LOOK_SECONDS: Final = 180.0
"""For what the daemon has to find out first."""
IN_SERVICE_SECONDS: Final = 900.0
"""For a new architecture, programs have to be compiled first."""


class Asking(ABC):
    """What `tui.client.Client` has, and its parts call."""

    @abstractmethod
    def _get(self, view: type[W], path: str, **query: Any) -> W: ...

    @abstractmethod
    def _post(
        self,
        view: type[W],
        path: str,
        body: Wire | dict[str, Any] | None = None,
        patience: float = ANSWER_SECONDS,
    ) -> W: ...

    @abstractmethod
    def _ask(self, view: type[W], method: str, path: str, **options: Any) -> W: ...
