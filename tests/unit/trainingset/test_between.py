"""Examples between two times: the rows that a training would see, and no others."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from pipeline.trainingset.between import Place, write_between
from store.errors import NotFound, Refused, StorageError
from tests.unit.trainingset.test_build import DAY, START, build, shed_with, trips

if TYPE_CHECKING:
    from tests.unit.trainingset.conftest import Shed

MakeShed = Callable[[dict[str, Any]], "Shed"]


def place(shed: Shed) -> Place:
    return Place(project=shed.project, home=shed.home)


@pytest.mark.slow
def test_rows_are_those_of_the_training_set_with_their_features_of_then(make_shed: MakeShed, tmp_path: Path) -> None:
    shed = shed_with(make_shed, trips())
    made = build(shed)
    parts = pa.concat_tables([made.read("train"), made.read("validate"), made.read("test")])
    file = tmp_path / "rows.parquet"
    since, until = START + 20 * DAY, START + 85 * DAY
    done = write_between(place(shed), "late", since, until, file)
    inside = pc.and_(pc.greater_equal(parts["leaves"], since), pc.less(parts["leaves"], until))
    assert pq.read_table(file).equals(parts.filter(inside))
    assert done.rows == 65
    assert done.inputs == made.inputs


@pytest.mark.slow
def test_a_range_without_rows_is_an_empty_file_with_all_columns(make_shed: MakeShed, tmp_path: Path) -> None:
    file = tmp_path / "none.parquet"
    done = write_between(place(shed_with(make_shed, trips())), "late", START - 9 * DAY, START, file)
    assert done.rows == 0
    assert {"id", "leaves", "late", "distance", "origin", "w_wind"} <= set(pq.read_table(file).column_names)


@pytest.mark.slow
def test_the_last_moment_is_not_included(make_shed: MakeShed, tmp_path: Path) -> None:
    until = START + 5 * DAY
    shed, file = place(shed_with(make_shed, trips())), tmp_path / "rows.parquet"
    assert write_between(shed, "late", START, until, file).rows == 5
    assert write_between(shed, "late", START, until + timedelta(microseconds=1), file).rows == 6


@pytest.mark.slow
def test_models_that_are_not_there_or_have_no_time_are_refused(make_shed: MakeShed, tmp_path: Path) -> None:
    shed = shed_with(make_shed, trips())
    with pytest.raises(NotFound, match="no model 'early'"):
        write_between(place(shed), "early", START, START + DAY, tmp_path / "rows.parquet")
    timeless = shed_with(make_shed, trips(), time=None, views=[], split={"validate": 0.2, "test": 0.2})
    with pytest.raises(Refused, match="no time"):
        write_between(place(timeless), "late", START, START + DAY, tmp_path / "rows.parquet")


@pytest.mark.slow
def test_what_cannot_be_written_leaves_the_file_of_before(make_shed: MakeShed, tmp_path: Path) -> None:
    shed = shed_with(make_shed, trips())
    (tmp_path / "rows.parquet").mkdir()
    with pytest.raises(StorageError, match="folder where a file has to be"):
        write_between(place(shed), "late", START, START + DAY, tmp_path / "rows.parquet")
    assert [one.name for one in tmp_path.iterdir() if "rows" in one.name] == ["rows.parquet"]


def test_a_folder_that_is_not_there_is_named(make_shed: MakeShed, tmp_path: Path) -> None:
    shed, file = place(shed_with(make_shed, trips())), tmp_path / "nowhere" / "rows.parquet"
    with pytest.raises(NotFound, match="no such folder"):
        write_between(shed, "late", START, START + DAY, file)
