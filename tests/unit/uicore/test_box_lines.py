"""The box in two lines or four, calm while it is calm."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from store.wire import BoxHistoryView, BoxPoint, BoxView, GpuView
from tui.rows import box
from tui.text import plain

AT = datetime(2026, 6, 15, 12, tzinfo=UTC)
GB = 1_000_000_000
NOW = BoxView(
    at=AT,
    cpu_percent=37.4,
    cpu_count=16,
    memory_used=117 * GB,
    memory_total=128 * GB,
    disk_free=400 * GB,
    disk_total=1_000 * GB,
    received=1_200.0,
    sent=45_000_000.0,
)


def _past(points: list[float]) -> BoxHistoryView:
    return BoxHistoryView(
        since=AT,
        step_seconds=180,
        points=[
            BoxPoint(
                at=AT,
                cpu_percent=value,
                cpu_peak=value,
                memory_used=117 * GB,
                disk_free=None,
                received=None,
                sent=None,
                read=None,
                written=None,
                gpu_memory=None,
            )
            for value in points
        ],
    )


@pytest.mark.parametrize("width", [50, 66, 78, 80, 92, 160, 200])
def test_no_line_is_wider_than_its_pane(width: int) -> None:
    for line in box.lines(NOW, _past([5.0] * 20), width):
        assert sum(len(cell.text) for cell in line) <= width


def test_at_eighty_columns_two_lines_say_all() -> None:
    text = plain(box.lines(NOW, _past([0.0, 50.0, 100.0]), 80))
    assert len(text.split("\n")) == 2
    for words in ("37% of 16", "117 GB of 128 GB", "400 GB free", "↓1.2 KB/s ↑45 MB/s", "▁▅█"):
        assert words in text


def test_what_is_nearly_full_is_a_warning() -> None:
    toned = {cell.text.strip(): cell.tone for line in box.lines(NOW, None, 80) for cell in line}
    assert toned["117 GB of 128 GB"] == "warn"
    assert toned["37% of 16"] == ""


def test_small_changes_of_a_calm_box_draw_the_same_chart() -> None:
    assert box.level([1.0, 2.0, 1.5], 100, 3) == box.level([2.0, 1.0, 3.0], 100, 3) == "▁▁▁"


def test_every_gpu_has_its_figure_and_the_first_the_chart_of_all() -> None:
    gpus = [GpuView(index=n, name="H100", memory_used=n * GB, memory_total=80 * GB, utilisation=50.0) for n in (0, 1)]
    text = plain(box.lines(NOW.model_copy(update={"gpus": gpus}), None, 80))
    assert "gpu 0" in text
    assert "gpu 1" in text
    assert len(text.split("\n")) == 3


def test_a_box_that_was_not_measured_says_so() -> None:
    assert "not measured yet" in plain(box.lines(None, None, 80))


def test_a_box_that_is_asked_for_is_not_said_to_be_unmeasured() -> None:
    assert plain(box.lines(None, None, 80, asking=True)).split() == ["box", "…"]
