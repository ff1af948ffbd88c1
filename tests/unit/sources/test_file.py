"""The file source: formats, archives, and what a file can get wrong."""

from __future__ import annotations

import gzip
import json
import os
import zipfile
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.tables.arrow import TIMESTAMP
from store.errors import SourceError, SourceMalformed, SourceTooLarge

if TYPE_CHECKING:
    from tests.unit.sources.conftest import Desk

CSV = b"id,name,price,at\n1,a,1.5,2013-01-01T05:00:00Z\n2,NA,,2013-01-01T06:00:00Z\n"
MOMENT = datetime(2013, 1, 1, 5, tzinfo=UTC)


def section(path: str, format: str = "csv", **more: Any) -> dict[str, Any]:
    return {"kind": "file", "path": path, "format": format, **more}


def test_a_csv_file_gets_types_from_its_values(desk: Desk) -> None:
    (desk.root / "x.csv").write_bytes(CSV)
    assert desk.read(**section("x.csv")) == [
        {"id": 1, "name": "a", "price": 1.5, "at": MOMENT},
        {"id": 2, "name": None, "price": None, "at": MOMENT.replace(hour=6)},
    ]


def test_wanted_types_go_before_guesses(desk: Desk) -> None:
    (desk.root / "x.csv").write_bytes(b"id,at,day\n007,2013-01-01T05:00:00Z,2013-01-01\n")
    types = {"id": pa.string(), "at": TIMESTAMP, "day": pa.date32()}
    assert desk.read(**section("x.csv"), types=types) == [{"id": "007", "at": MOMENT, "day": date(2013, 1, 1)}]


def test_delimiter_and_missing_texts_are_the_projects(desk: Desk) -> None:
    (desk.root / "x.csv").write_bytes(b"id;n\n1;-\n2;5\n")
    assert desk.read(**section("x.csv", delimiter=";", null_values=["-"])) == [{"id": 1, "n": None}, {"id": 2, "n": 5}]


def test_quoted_line_breaks_are_part_of_the_value(desk: Desk) -> None:
    (desk.root / "x.csv").write_bytes(b'id,text\n1,"two\nlines"\n')
    assert desk.read(**section("x.csv")) == [{"id": 1, "text": "two\nlines"}]


def test_naive_times_of_a_csv_file_need_a_zone(desk: Desk) -> None:
    (desk.root / "x.csv").write_bytes(b"at\n2013-01-01 05:00:00\n")
    with pytest.raises(SourceMalformed, match="say no offset"):
        desk.read(**section("x.csv"))
    zoned = section("x.csv", timezone="America/New_York")
    assert desk.read(**zoned) == [{"at": MOMENT.replace(hour=10)}]


def test_a_column_that_is_empty_at_first_still_gets_its_type(desk: Desk) -> None:
    (desk.root / "1.csv").write_bytes(b"id,gust\n1,\n2,\n")
    (desk.root / "2.csv").write_bytes(b"id,gust\n3,10.5\n")
    pieces = [p.rows for p in desk.open(**section("*.csv")).pieces(None) if p.rows.num_rows]
    assert [str(rows.schema.field("gust").type) for rows in pieces] == ["null", "double"]


def test_a_glob_reads_files_in_the_order_of_their_names_and_goes_on_between_them(desk: Desk) -> None:
    for n in (3, 1, 2):
        (desk.root / f"day-{n}.jsonl").write_text(json.dumps({"id": n}) + "\n")
    reader = desk.open(**section("day-*.jsonl", "jsonl"))
    pieces = list(reader.pieces(None))
    assert [r["id"] for p in pieces for r in p.rows.to_pylist()] == [1, 2, 3]
    resume = next(piece.resume for piece in pieces if piece.resume)
    assert [r["id"] for p in reader.pieces(resume) for r in p.rows.to_pylist()] == [2, 3]


def test_packed_files_are_opened_by_what_they_are_not_by_their_name(desk: Desk) -> None:
    (desk.root / "a.bin").write_bytes(gzip.compress(CSV) + gzip.compress(b"3,c,2.5,2013-01-01T07:00:00Z\n"))
    assert [row["id"] for row in desk.read(**section("a.bin"))] == [1, 2, 3]


def test_every_member_of_a_zip_is_read(desk: Desk) -> None:
    with zipfile.ZipFile(desk.root / "x.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.mkdir("folder")
        archive.writestr("folder/1.csv", "id\n1\n")
        archive.writestr("2.csv.gz", gzip.compress(b"id\n2\n"))
    assert desk.read(**section("x.zip")) == [{"id": 1}, {"id": 2}]


def test_parquet_is_read_plain_packed_and_from_a_zip(desk: Desk) -> None:
    pq.write_table(pa.table({"id": [1, 2]}), desk.root / "x.parquet")
    whole = (desk.root / "x.parquet").read_bytes()
    (desk.root / "y.parquet.gz").write_bytes(gzip.compress(whole))
    with zipfile.ZipFile(desk.root / "z.zip", "w") as archive:
        archive.writestr("x.parquet", whole)
    for name in ("x.parquet", "y.parquet.gz", "z.zip"):
        assert desk.read(**section(name, "parquet")) == [{"id": 1}, {"id": 2}]


def test_a_damaged_parquet_file_is_refused(desk: Desk) -> None:
    pq.write_table(pa.table({"id": [1, 2]}), desk.root / "x.parquet")
    whole = (desk.root / "x.parquet").read_bytes()
    (desk.root / "x.parquet").write_bytes(whole[:-20])
    with pytest.raises(SourceMalformed, match="Parquet file is damaged"):
        desk.read(**section("x.parquet", "parquet"))


@pytest.mark.slow
def test_a_member_name_that_climbs_out_writes_nothing(desk: Desk, tmp_path: Path) -> None:
    with zipfile.ZipFile(desk.root / "x.zip", "w") as archive:
        archive.writestr("../../escaped.csv", "id\n1\n")
        archive.writestr("/absolute.csv", "id\n2\n")
    before = set(tmp_path.parent.rglob("*"))
    assert desk.read(**section("x.zip")) == [{"id": 1}, {"id": 2}]
    assert set(tmp_path.parent.rglob("*")) == before


def test_a_zip_bomb_is_refused_by_what_it_declares(desk: Desk) -> None:
    with zipfile.ZipFile(desk.root / "x.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("big.csv", "id\n" + "0\n" * 5_000_000)
    assert (desk.root / "x.zip").stat().st_size < 50_000
    with pytest.raises(SourceTooLarge, match=r"big\.csv unpacked has 10,000,003 bytes"):
        desk.read(**section("x.zip", max_bytes="1MB"))


def test_a_gzip_bomb_is_stopped_where_the_bound_is(desk: Desk) -> None:
    (desk.root / "x.csv.gz").write_bytes(gzip.compress(b"id\n" + b"0\n" * 5_000_000))
    with pytest.raises(SourceTooLarge):
        desk.read(**section("x.csv.gz", max_bytes="1MB"))


@pytest.mark.parametrize("cut", [3, 12, 40])
def test_a_cut_off_gzip_file_is_refused(desk: Desk, cut: int) -> None:
    (desk.root / "x.csv.gz").write_bytes(gzip.compress(CSV)[:-cut])
    with pytest.raises(SourceMalformed, match="cut off"):
        desk.read(**section("x.csv.gz"))


@pytest.mark.parametrize("damage", [slice(0, 60), slice(0, -30)])
def test_a_damaged_zip_is_refused(desk: Desk, damage: slice) -> None:
    with zipfile.ZipFile(desk.root / "x.zip", "w") as archive:
        archive.writestr("1.csv", "id\n" + "1\n" * 100)
    (desk.root / "x.zip").write_bytes((desk.root / "x.zip").read_bytes()[damage])
    with pytest.raises(SourceMalformed, match="zip archive cannot be read"):
        desk.read(**section("x.zip"))


def test_a_flipped_byte_in_a_zip_is_refused(desk: Desk) -> None:
    """It is found while the rows are read, and came out as the library's own error."""
    with zipfile.ZipFile(desk.root / "x.zip", "w") as archive:
        archive.writestr("1.csv", "id\n" + "1\n" * 100)
    content = (desk.root / "x.zip").read_bytes()
    (desk.root / "x.zip").write_bytes(content[:100] + b"7" + content[101:])
    with pytest.raises(SourceMalformed, match="zip archive cannot be read: Bad CRC"):
        desk.read(**section("x.zip"))


def test_whole_numbers_that_no_integer_holds_are_refused_unless_they_are_declared(desk: Desk) -> None:
    """Keys of twenty digits became floats, and two of them one."""
    (desk.root / "x.csv").write_text("id,far,most\n12345678901234567890,1e30,inf\n12345678901234567891,2.5,1\n")
    with pytest.raises(SourceMalformed, match="'id' has whole numbers that are too large") as caught:
        desk.read(**section("x.csv"))
    assert 'columns.id = "string"' in caught.value.remedy
    rows = desk.read(**section("x.csv"), types={"id": pa.string()})
    assert [row["id"] for row in rows] == ["12345678901234567890", "12345678901234567891"]
    assert [(row["far"], row["most"]) for row in rows] == [(1e30, float("inf")), (2.5, 1.0)]


def test_a_broken_json_line_is_named_by_its_number(desk: Desk) -> None:
    (desk.root / "x.jsonl").write_text('{"id": 1}\n\n{"id": \n{"id": 3}\n')
    with pytest.raises(SourceMalformed, match="line 3 is not JSON"):
        desk.read(**section("x.jsonl", "jsonl"))


def test_a_csv_value_that_does_not_fit_says_how_to_keep_it(desk: Desk) -> None:
    (desk.root / "x.csv").write_bytes(b"id\n1\nx\n")
    with pytest.raises(SourceMalformed, match="'x'") as caught:
        desk.read(**section("x.csv"), types={"id": pa.int64()})
    assert 'columns.NAME = "string"' in caught.value.remedy


def test_an_empty_file_has_no_rows(desk: Desk) -> None:
    (desk.root / "x.csv").write_bytes(b"")
    (desk.root / "x.jsonl").write_bytes(b"")
    assert desk.read(**section("x.csv")) == []
    assert desk.read(**section("x.jsonl", "jsonl")) == []


def test_no_file_at_all_is_an_error_not_an_empty_table(desk: Desk) -> None:
    with pytest.raises(SourceError, match=r"no file matches '\*\.csv'"):
        desk.read(**section("*.csv"))


def test_unchanged_files_are_known_by_size_and_time(desk: Desk) -> None:
    file = desk.root / "x.csv"
    file.write_bytes(CSV)
    known = json.loads(json.dumps(desk.open(**section("x.csv")).validators()))
    assert desk.open(**section("x.csv"), validators=known).unchanged()
    os.utime(file, (1, 1))
    assert not desk.open(**section("x.csv"), validators=known).unchanged()


def test_a_file_that_grows_behind_its_reader_is_not_unchanged(desk: Desk) -> None:
    """What came after it was read was taken for read: the next run said that nothing changed."""
    file = desk.root / "x.csv"
    file.write_bytes(CSV)
    reader = desk.open(**section("x.csv"))
    list(reader.pieces(None))
    with file.open("ab") as more:
        more.write(CSV.splitlines(keepends=True)[-1])
    assert not desk.open(**section("x.csv"), validators=reader.validators()).unchanged()


def test_a_large_file_comes_in_batches(desk: Desk) -> None:
    (desk.root / "x.jsonl").write_text("".join(f'{{"id": {n}}}\n' for n in range(2_500)))
    pieces = list(desk.open(**section("x.jsonl", "jsonl", batch_rows=1_000)).pieces(None))
    assert [piece.rows.num_rows for piece in pieces] == [1_000, 1_000, 500, 0]
