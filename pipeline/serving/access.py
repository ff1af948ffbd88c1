"""Whether the doors ask for a key, and whether they may be opened at all. Pure."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Literal

Access = Literal["auto", "keys", "open"]


@dataclass(frozen=True)
class Asking:
    required: bool
    why: str


def asking(access: Access, host: str, *, ever_given: bool) -> Asking:
    """Whether a request needs a key. `ever_given`: a key was once made; to revoke the last one opens nothing."""
    match access:
        case "keys":
            return Asking(True, 'the project file says access = "keys"')
        case "open":
            return Asking(False, 'the project file says access = "open"')
    if not is_loopback(host):
        return Asking(True, f"they listen at {host}, which others reach")
    if ever_given:
        return Asking(True, "a key has been made")
    return Asking(False, "they listen on loopback, and no key was ever made")


def unguarded(access: Access, host: str, *, keys: int) -> str | None:
    """Why the doors must not be opened at `host` with so many keys, or None."""
    if access == "open" or is_loopback(host) or keys:
        return None
    return f"they would listen at {host}, and there is no API key that lets anybody in"


UNGUARDED_REMEDY = (
    'make one with `trainshed keys add NAME`; or say in [serving] host = "127.0.0.1", or, to let everybody ask who '
    'reaches it, access = "open"'
)


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
