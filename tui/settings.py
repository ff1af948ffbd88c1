"""How the terminal UI is to behave: from the command line, the environment and `~/.config/trainshed/tui.toml`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tui.failure import Usage
from tui.keys import ACTIONS
from tui.themes import THEMES
from tui.widths import checked

AUTO: Final = "auto"
PICTURE_SECONDS: Final = 0.25
LITE_PICTURE_SECONDS: Final = 1.0


def _setting(default: Any, help: str) -> Any:
    """A field with the sentence that docs/reference/keys.md has for it."""
    return field(default_factory=default if callable(default) else lambda: default, metadata={"help": help})


@dataclass(frozen=True, kw_only=True)
class UiSettings:
    """Everything that can be chosen about the UI."""

    theme: str = _setting(AUTO, f"auto (dark or light, as the terminal is), {', '.join(THEMES)}")
    read_only: bool = _setting(False, "Nothing that changes anything is there.")
    lite: bool = _setting(False, "For slow links: at most one picture a second, sixteen colours.")
    mouse: bool = _setting(False, "The mouse works in the UI; without, the terminal's own selection does.")
    utc: bool = _setting(False, "Times in UTC instead of the machine's zone.")
    keys: Mapping[str, str] = _setting(dict, "Action → keys, for those that are to be other than below.")
    widths: Mapping[str, Mapping[str, int]] = _setting(
        dict, "List → column → cells: written by the UI, after `{` and `}`."
    )

    @property
    def pace(self) -> float:
        """Seconds between two pictures, at least."""
        return LITE_PICTURE_SECONDS if self.lite else PICTURE_SECONDS


def settings_file(environ: Mapping[str, str]) -> Path:
    """`$XDG_CONFIG_HOME/trainshed/tui.toml`, else `~/.config/trainshed/tui.toml`."""
    base = environ.get("XDG_CONFIG_HOME") or str(Path(environ.get("HOME", "~")).expanduser() / ".config")
    return Path(base) / "trainshed" / "tui.toml"


def read_settings(file: Path) -> UiSettings:
    """The settings in a file; the defaults where there is none. Raises Usage with place and remedy."""
    if not file.exists():
        return UiSettings()
    import tomllib  # most have no such file, and need no parser for it

    try:
        found = tomllib.loads(file.read_text())
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise Usage(
            f"the settings cannot be read: {error}", where=str(file), remedy="mend or remove the file"
        ) from None
    return _checked(found, str(file))


def _checked(found: Mapping[str, object], where: str) -> UiSettings:
    kinds: Mapping[str, type] = {
        "theme": str,
        "read_only": bool,
        "lite": bool,
        "mouse": bool,
        "utc": bool,
        "keys": dict,
        "widths": dict,
    }
    for name, value in found.items():
        if name not in kinds:
            raise Usage(f"there is no setting {name!r}", where=where, remedy=f"there are: {', '.join(kinds)}")
        if not isinstance(value, kinds[name]):
            raise Usage(f"{name} is {value!r}", where=where, remedy=f"it has to be a {kinds[name].__name__}")
    settings = UiSettings(**found)  # type: ignore[arg-type]
    check_theme(settings.theme, where)
    checked(settings.widths, where)
    known = {action.id for action in ACTIONS}
    for name, keys in settings.keys.items():
        if name not in known:
            raise Usage(f"there is no action {name!r}", where=where, remedy="docs/reference/keys.md lists them")
        if not isinstance(keys, str) or not keys:
            raise Usage(
                f"the keys of {name} are {keys!r}", where=where, remedy='write them as text, such as "ctrl+g,G"'
            )
    return settings


def check_theme(name: str, where: str) -> None:
    """Raises Usage for a theme that does not exist."""
    if name != AUTO and name not in THEMES:
        raise Usage(f"there is no theme {name!r}", where=where, remedy=f"there are: {AUTO}, {', '.join(THEMES)}")


def theme_for(settings: UiSettings, *, dark: bool | None) -> str:
    """The theme to begin with. `dark`: what the terminal said of its ground, None if it said nothing."""
    if settings.theme != AUTO:
        return settings.theme
    ground = "light" if dark is False else "dark"
    return f"ansi-{ground}" if settings.lite else ground
