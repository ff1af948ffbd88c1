"""The UI's settings file: every fault has a place and a remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from tui.failure import Usage
from tui.keys import ACTIONS
from tui.settings import UiSettings, read_settings, settings_file, theme_for


def test_without_a_file_the_defaults_hold(tmp_path: Path) -> None:
    assert read_settings(tmp_path / "tui.toml") == UiSettings()


def test_a_file_says_theme_and_keys(tmp_path: Path) -> None:
    file = tmp_path / "tui.toml"
    file.write_text('theme = "light"\nread_only = true\n\n[keys]\n"runs.cancel" = "ctrl+g"\n')
    assert read_settings(file) == UiSettings(theme="light", read_only=True, keys={"runs.cancel": "ctrl+g"})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("theme = ", "cannot be read"),
        ('thema = "dark"', "no setting 'thema'"),
        ('theme = "green"', "no theme 'green'"),
        ('lite = "yes"', "lite is 'yes'"),
        ('[keys]\n"runs.explode" = "x"', "no action 'runs.explode'"),
        ('[keys]\n"runs.cancel" = 3', "the keys of runs.cancel are 3"),
    ],
)
def test_a_faulty_file_says_what_is_wrong_where_and_what_there_is(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "tui.toml"
    file.write_text(text)
    with pytest.raises(Usage) as refused:
        read_settings(file)
    assert words in refused.value.what
    assert str(file) == refused.value.where
    assert refused.value.remedy


def test_the_file_is_where_xdg_says() -> None:
    assert settings_file({"XDG_CONFIG_HOME": "/conf"}) == Path("/conf/trainshed/tui.toml")
    assert settings_file({"HOME": "/home/op"}) == Path("/home/op/.config/trainshed/tui.toml")


def test_every_action_has_an_identity_of_its_own_and_a_sentence() -> None:
    ids = [action.id for action in ACTIONS]
    assert len(set(ids)) == len(ids)
    assert all(action.help.endswith(".") and action.label for action in ACTIONS)


def test_what_changes_something_is_shift_and_a_letter() -> None:
    """One slip of a finger must not even open a plan; and no terminal or tmux takes these keys away."""
    dangerous = [action.keys for action in ACTIONS if action.dangerous]
    assert dangerous
    assert all(len(keys) == 1 and keys.isupper() for keys in dangerous)


def test_no_key_is_one_that_tmux_screen_or_the_terminal_takes() -> None:
    taken = {"ctrl+a", "ctrl+b", "ctrl+h", "ctrl+j", "ctrl+k", "ctrl+l", "ctrl+s", "ctrl+q", "ctrl+z", "ctrl+enter"}
    used = {key for action in ACTIONS for key in action.keys.split(",")}
    assert not used & taken
    assert not [key for key in used if key.startswith(("alt+", "f1", "f2", "f3", "f4", "f5"))]


@pytest.mark.parametrize(
    ("settings", "dark", "theme"),
    [
        (UiSettings(), None, "dark"),
        (UiSettings(), True, "dark"),
        (UiSettings(), False, "light"),
        (UiSettings(lite=True), False, "ansi-light"),
        (UiSettings(theme="mono", lite=True), False, "mono"),
    ],
)
def test_the_theme_follows_the_terminal_unless_one_was_chosen(
    settings: UiSettings, dark: bool | None, theme: str
) -> None:
    assert theme_for(settings, dark=dark) == theme
