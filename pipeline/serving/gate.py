"""Who may ask: the keys in force, what each may do, and how often. One of a worker, asked by its doors."""

from __future__ import annotations

import logging
import math
import os
import time
from collections.abc import Callable
from typing import Final

from pipeline.serving.access import is_loopback
from pipeline.serving.rate import Rates
from pipeline.serving.refusal import Refusal
from store.errors import StorageError
from store.home import ServingDir
from store.keyring import Keyring, read_keyring

UNKNOWN: Final = 401
FORBIDDEN: Final = 403
TOO_OFTEN: Final = 429
_SCHEME: Final = "bearer "
log = logging.getLogger(__name__)


class Gate:
    """The doors' threads share it."""

    def __init__(self, folder: ServingDir, host: str, clock: Callable[[], float] = time.monotonic) -> None:
        """Where no keys were published, everybody is let in on loopback and nobody elsewhere."""
        self._file = folder.keys
        self._clock = clock
        folder.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._rates = Rates(folder.rates)
        self._without = Keyring(required=not is_loopback(host))
        self._ring = self._without
        self._seen: tuple[int, int] | None = (0, 0)
        self.refresh()

    @property
    def open(self) -> bool:
        return not self._ring.required

    def refresh(self) -> None:
        """Takes up what has been published since; a damaged file leaves what was in force (at first: nobody)."""
        seen = self._state()
        if seen == self._seen:
            return
        self._seen = seen
        try:
            self._ring = read_keyring(self._file) or self._without
        except StorageError as error:
            log.error("%s", error)
            if not self._ring.keys:
                self._ring = Keyring(required=True)

    def admit(self, authorization: str | None, model: str | None) -> None:
        """Lets a request in. `authorization`: `Bearer KEY`, as it was sent; `model`: whom it asks, None: the server.

        Raises Refusal: 401 without a key that is known, 403 for a model that is not the key's, 429 too often.
        """
        if not self._ring.required:
            return
        if authorization is None:
            raise Refusal(UNKNOWN, "this endpoint asks for an API key: send `Authorization: Bearer KEY`")
        key = None
        if authorization[: len(_SCHEME)].lower() == _SCHEME:
            key = self._ring.find(authorization[len(_SCHEME) :].strip())
        if key is None:
            raise Refusal(UNKNOWN, "the API key is not known here, or was revoked; the operator can make a new one")
        if key.models and model not in key.models:
            raise Refusal(FORBIDDEN, f"the key {key.name} may ask {', '.join(key.models)} only")
        wait = self._rates.take(key.number, self._clock(), key.rate) if key.rate is not None else 0.0
        if wait > 0:
            said = f"the key {key.name} may ask {key.rate:g} times a second, and has"
            raise Refusal(TOO_OFTEN, said, retry_after=math.ceil(wait))

    def close(self) -> None:
        self._rates.close()

    def _state(self) -> tuple[int, int] | None:
        try:
            found = os.stat(self._file)
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns
