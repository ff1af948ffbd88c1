"""References in the project file: a literal, `env:NAME` or `file:PATH`. Read when used, never stored."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from store.errors import SecretMissing


def resolve(reference: str, project_root: Path, environ: Mapping[str, str] | None = None) -> str:
    """The text that a reference stands for; one trailing newline of a file does not count.

    `file:` paths are relative to the project. Raises SecretMissing, which names the reference and never a value.
    """
    kind, separator, name = reference.partition(":")
    if separator and kind == "env":
        return _from_environment(reference, name, os.environ if environ is None else environ)
    if separator and kind == "file":
        return _from_file(reference, project_root / Path(name).expanduser())
    return reference


def is_reference(text: str) -> bool:
    """Whether the text names a secret rather than being the value itself."""
    return text.startswith(("env:", "file:"))


def _from_environment(reference: str, name: str, environ: Mapping[str, str]) -> str:
    value = environ.get(name)
    if not value:
        raise SecretMissing(
            f"the environment variable {name} is {'empty' if value == '' else 'not set'}",
            where=reference,
            remedy=f"set {name} where the daemon starts (`export {name}=…`, or Environment= in its systemd unit)",
        )
    return value


def _from_file(reference: str, file: Path) -> str:
    try:
        value = file.read_text(encoding="utf-8").removesuffix("\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "not UTF-8 text"
        raise SecretMissing(
            f"the file {file} cannot be read: {reason}", where=reference, remedy=f"write the secret into {file}"
        ) from None
    if not value:
        raise SecretMissing(f"the file {file} is empty", where=reference, remedy=f"write the secret into {file}")
    return value
