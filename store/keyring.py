"""API keys as the serving processes know them: a small file with names and hashes, published by the daemon.

A key is `ts_ID_SECRET`: the id finds its entry, the secret is 256 random bits. Kept is sha256 of the whole, without
salt and without a slow hash, since nobody tries 2^256 secrets. Standard library only.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from store.disk import replace
from store.errors import StorageError

_PREFIX: Final = "ts"
_ID_BYTES: Final = 4
_SECRET_BYTES: Final = 32
_NOBODY: Final = "0" * 64
"""What the hash of an unknown key is compared with: the answer takes as long."""


@dataclass(frozen=True, kw_only=True)
class DoorKey:
    """One that opens the door."""

    number: int
    """Of its row in the record; its place among the counts of the rate limit."""
    name: str
    id: str
    hash: str
    models: tuple[str, ...] = ()
    """Those that it may ask; empty: all."""
    rate: float | None = None
    """Requests a second; None: as many as it likes."""


@dataclass(frozen=True, kw_only=True)
class Keyring:
    required: bool
    """Whether a request needs a key."""
    keys: Mapping[str, DoorKey] = field(default_factory=dict)
    """By id."""

    def find(self, key: str) -> DoorKey | None:
        """The entry of a key that somebody shows, compared in constant time."""
        entry = self.keys.get(id_of(key))
        fits = hmac.compare_digest(hash_of(key), entry.hash if entry else _NOBODY)
        return entry if fits else None


def new_key(random: Callable[[int], bytes]) -> str:
    """`random`: a number of bytes → so many, unpredictable ones."""
    secret = urlsafe_b64encode(random(_SECRET_BYTES)).decode().rstrip("=")
    return f"{_PREFIX}_{random(_ID_BYTES).hex()}_{secret}"


def id_of(key: str) -> str:
    """The part that may be seen; empty for what is no key."""
    parts = key.split("_", 2)
    return parts[1] if len(parts) == 3 and parts[0] == _PREFIX else ""


def hash_of(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()


def read_keyring(file: Path) -> Keyring | None:
    """None where none was published. Raises StorageError."""
    try:
        document = json.loads(file.read_bytes())
        entries = [DoorKey(**{**one, "models": tuple(one["models"])}) for one in document["keys"]]
        return Keyring(required=bool(document["required"]), keys={entry.id: entry for entry in entries})
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StorageError(
            f"the file of the API keys cannot be read: {error}",
            where=str(file),
            remedy="remove it: the daemon writes it anew from the record when it starts",
        ) from error


def publish_keyring(file: Path, ring: Keyring) -> None:
    """Replaces the file, for its user only, synced to the disk, in one rename. Raises StorageError."""
    document: dict[str, Any] = {"required": ring.required, "keys": [asdict(key) for key in ring.keys.values()]}
    replace(file, json.dumps(document, indent=1), 0o600)
