"""Widths of columns in the settings file."""

from __future__ import annotations

from pathlib import Path

import pytest

from tui.failure import Usage
from tui.settings import read_settings
from tui.widths import keep

OWN = 'theme = "light"  # as it should be\n\n[keys]\n"runs.cancel" = "ctrl+g"\n'
WIDTHS = {"runs": {"job": 24}, "overview.needs": {"subject": 30}}


def test_widths_that_were_kept_are_read_again(tmp_path: Path) -> None:
    file = tmp_path / "trainshed" / "tui.toml"
    keep(file, WIDTHS)
    assert read_settings(file).widths == WIDTHS


def test_what_somebody_wrote_stays_to_the_letter_however_often_widths_change(tmp_path: Path) -> None:
    file = tmp_path / "tui.toml"
    file.write_text(OWN)
    for cells in (20, 22, 24):
        keep(file, {"runs": {"job": cells}})
    assert file.read_text().startswith(OWN)
    assert file.read_text().count("[widths") == 1
    settings = read_settings(file)
    assert (settings.theme, settings.widths) == ("light", {"runs": {"job": 24}})
    assert [path.name for path in tmp_path.iterdir()] == ["tui.toml"]


def test_widths_that_stand_above_too_are_refused_and_the_file_is_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "tui.toml"
    file.write_text("[widths.runs]\njob = 9\n")
    with pytest.raises(Usage, match="cannot be kept"):
        keep(file, {"runs": {"job": 24}})
    assert file.read_text() == "[widths.runs]\njob = 9\n"


def test_a_link_to_the_settings_stays_a_link(tmp_path: Path) -> None:
    real, link = tmp_path / "dotfiles.toml", tmp_path / "tui.toml"
    real.write_text(OWN)
    link.symlink_to(real)
    keep(link, WIDTHS)
    assert link.is_symlink()
    assert read_settings(real).widths == WIDTHS


@pytest.mark.parametrize("wrong", ["widths.runs = 3", "[widths.runs]\njob = 0", '[widths.runs]\njob = "wide"'])
def test_widths_that_are_none_are_refused_with_a_remedy(tmp_path: Path, wrong: str) -> None:
    file = tmp_path / "tui.toml"
    file.write_text(wrong)
    with pytest.raises(Usage, match="the widths of runs"):
        read_settings(file)
