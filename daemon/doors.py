"""Who may ask the served models: keys in the record, published to the serving processes; and whether doors may open."""

from __future__ import annotations

import contextlib
import secrets
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from daemon.servingprocess import ServingProcess
from pipeline.config import Project
from pipeline.serving.access import UNGUARDED_REMEDY, Asking, asking, unguarded
from pipeline.serving.tls import context_of
from store import keys
from store.engine import Record
from store.errors import ProjectError, ServingError, StorageError
from store.keyring import DoorKey, Keyring, new_key, publish_keyring, read_keyring
from store.wire import KeyMade, KeyRequest, KeysView, KeyView


class Doors:
    """Its methods may be called from any thread."""

    def __init__(self, record: Record, project: Callable[[], Project], process: ServingProcess) -> None:
        self._record = record
        self._project = project
        self._process = process
        self._file = record.home.serving.keys
        self._turn = threading.Lock()

    def require_guarded(self) -> None:
        """Raises ProjectError when the project file opens a door that nobody guards, or names a bad certificate."""
        section, root = self._project().serving, self._project().root
        living, _ = self._known()
        why = unguarded(section.access, section.host, keys=len(living))
        if why is not None:
            raise ProjectError(why, where="serving.host", remedy=UNGUARDED_REMEDY)
        if section.tls is not None:
            context_of(root / Path(section.tls.cert), root / Path(section.tls.key))

    def publish(self) -> None:
        """What the record and the project file say, to the serving processes; returns when it is in force there.

        Who does not answer finds the file within a second.
        """
        with self._turn:
            living, asked = self._known()
            ring = Keyring(required=asked.required, keys={key.id: key for key in living})
            if self._published() == ring:
                return
            publish_keyring(self._file, ring)
        if self._process.alive():
            with contextlib.suppress(ServingError):
                self._process.ask("keys")

    def add(self, request: KeyRequest, actor: str) -> KeyMade:
        """A new key, told this once. Raises Conflict when its name is in use, StorageError."""
        key = new_key(secrets.token_bytes)
        with self._record.transaction() as tx:
            view = keys.add(tx, request, key, actor)
        self._publish(f"key {request.name} is in the record, and nobody has heard it: revoke it, and make another one")
        return KeyMade(key=key, view=view)

    def revoke(self, name: str, actor: str) -> KeyView:
        """It opens nothing any more when this returns. Raises NotFound, StorageError: then it opens still."""
        with self._record.transaction() as tx:
            view = keys.revoke(tx, name, actor)
        self._publish(f"key {name} is revoked in the record, and opens the endpoints still")
        return view

    def _publish(self, otherwise: str) -> None:
        try:
            self.publish()
        except StorageError as error:
            raise type(error)(f"{otherwise}: {error.what}", where=error.where, remedy=error.remedy) from error

    def view(self) -> KeysView:
        _, asked = self._known()
        with self._record.read() as session:
            return KeysView(required=asked.required, why=asked.why, keys=keys.list_keys(session))

    def _known(self) -> tuple[Sequence[DoorKey], Asking]:
        section = self._project().serving
        with self._record.read() as session:
            ever = keys.ever_given(session)
            return keys.door_keys(session), asking(section.access, section.host, ever_given=ever)

    def _published(self) -> Keyring | None:
        try:
            return read_keyring(self._file)
        except StorageError:  # it is about to be written anew
            return None
