"""Pictures of the terminal UI, taken from the real demo: `make screenshots`, or

    python docs/screenshots.py PROJECT     a project whose daemon runs

Writes assets/screenshots/*.svg. Each picture is a list of keys, as an operator would press them.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from textual.pilot import Pilot

from tui.app import ShedApp
from tui.place import Place
from tui.settings import UiSettings
from tui.ui import make_app

FOLDER: Final = Path(__file__).parent.parent / "assets" / "screenshots"
PATIENCE_S: Final = 0.15


@dataclass(frozen=True)
class Picture:
    name: str
    start: str
    """The screen that it begins on."""
    keys: Sequence[str] = ()
    size: tuple[int, int] = (120, 34)
    theme: str = "dark"


PICTURES: Final = (
    Picture("overview", "overview"),
    Picture("runs", "runs"),
    Picture("run", "runs", ["slash", *"train", "enter", "enter"], (140, 40)),
    Picture("models", "models", size=(140, 30)),
    Picture("version", "models", ["enter", "enter", "tab"], (140, 36)),
    Picture("promotion", "models", ["P"], (120, 40)),
    Picture("data", "data", size=(140, 30)),
    Picture("dataset", "data", ["slash", *"flights_raw", "enter", "enter", "tab"], (140, 36)),
    Picture("light", "overview", theme="light"),
)


async def take(picture: Picture, project: Path) -> None:
    place = Place(project, project / ".trainshed")
    app = make_app(place, UiSettings(theme=picture.theme), {}, start=picture.start)
    async with app.run_test(size=picture.size) as pilot:
        await rest(app, pilot)
        for key in picture.keys:
            await pilot.press(key)
            await rest(app, pilot)
        (FOLDER / f"{picture.name}.svg").write_text(app.export_screenshot(title="trainshed"), encoding="utf-8")


async def rest(app: ShedApp, pilot: Pilot[int]) -> None:
    """Until the daemon has answered everything that was asked."""
    quiet = 0
    while quiet < 4:
        await asyncio.sleep(PATIENCE_S)
        await pilot.pause()
        quiet = quiet + 1 if app.idle and app.link.state != "asking" else 0


def main() -> None:
    project = Path(sys.argv[1]).resolve()
    for picture in PICTURES:
        asyncio.run(take(picture, project))
        print(f"assets/screenshots/{picture.name}.svg")


if __name__ == "__main__":
    main()
