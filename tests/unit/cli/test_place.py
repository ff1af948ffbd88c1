from __future__ import annotations

from pathlib import Path

import pytest

from tui.failure import Usage
from tui.place import find_place, place_of


def project(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "trainshed.toml").write_text("")
    return folder


def test_the_nearest_project_above_is_taken(tmp_path: Path) -> None:
    project(tmp_path / "outer")
    inner = project(tmp_path / "outer" / "inner")
    deep = inner / "sql" / "more"
    deep.mkdir(parents=True)
    assert find_place(None, deep, {}).project == inner
    assert find_place(None, deep, {}).socket == inner / ".trainshed" / "trainshed.sock"


def test_what_is_named_goes_before_the_environment_and_that_before_the_nearest(tmp_path: Path) -> None:
    near, said, named = (project(tmp_path / name) for name in ("near", "said", "named"))
    environ = {"TRAINSHED_PROJECT": str(said)}
    assert find_place(str(named), near, environ).project == named
    assert find_place(None, near, environ).project == said
    assert find_place(None, near, {}).project == near


def test_a_home_of_its_own_is_taken_from_the_environment(tmp_path: Path) -> None:
    assert place_of(tmp_path, {"TRAINSHED_HOME": str(tmp_path / "home")}).home == tmp_path / "home"


def test_no_project_is_wrong_usage_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(Usage, match=r"no trainshed\.toml") as nowhere:
        find_place(None, tmp_path, {})
    assert (nowhere.value.exit_code, "trainshed init" in nowhere.value.remedy) == (2, True)
    with pytest.raises(Usage, match="in this folder"):
        find_place(str(tmp_path), tmp_path, {})
