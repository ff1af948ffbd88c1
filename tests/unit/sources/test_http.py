"""The http source against a real server: paging, patience, secrets, and what a server can get wrong."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.sources import Cursor
from store.errors import (
    ProjectError,
    SecretMissing,
    SourceDenied,
    SourceError,
    SourceMalformed,
    SourceTooLarge,
    SourceUnreachable,
)
from tests.webserver import Answerer, Asked, Reply, Site

if TYPE_CHECKING:
    from tests.unit.sources.conftest import Desk

MakeSite = Callable[[Answerer], Site]
ROWS = [{"id": n} for n in range(25)]


def ids(rows: list[dict[str, Any]]) -> list[int]:
    return [row["id"] for row in rows]


def in_turn(*replies: Reply) -> Answerer:
    left = list(replies)
    return lambda _: left.pop(0) if len(left) > 1 else left[0]


# ---- paging ----------------------------------------------------------------------------------------------------


def test_a_cursor_is_followed_until_there_is_none(desk: Desk, site: MakeSite) -> None:
    def answer(asked: Asked) -> Reply:
        start = int(asked.query.get("after", 0))
        following = start + 10 if start + 10 < len(ROWS) else None
        return Reply.json({"data": {"rows": ROWS[start : start + 10]}, "meta": {"next": following}})

    made = site(answer)
    paging = {"style": "cursor", "param": "after", "next": "meta.next", "size_param": "limit", "size": 10}
    rows = desk.read(kind="http", url=made.url, path="/v1/rows", records="data.rows", paging=paging)
    assert ids(rows) == list(range(25))
    assert [(a.path, a.query) for a in made.asked] == [
        ("/v1/rows", {"limit": "10"}),
        ("/v1/rows", {"limit": "10", "after": "10"}),
        ("/v1/rows", {"limit": "10", "after": "20"}),
    ]


def test_a_cursor_may_be_a_whole_address(desk: Desk, site: MakeSite) -> None:
    def answer(asked: Asked) -> Reply:
        if asked.path == "/second":
            return Reply.json({"rows": ROWS[10:], "next_cursor": None})
        return Reply.json({"rows": ROWS[:10], "next_cursor": f"{made.url}/second"})

    made = site(answer)
    assert ids(desk.read(kind="http", url=made.url, records="rows", paging={"style": "cursor"})) == list(range(25))


def test_a_cursor_that_leads_to_itself_is_noticed(desk: Desk, site: MakeSite) -> None:
    made = site(lambda _: Reply.json({"rows": ROWS, "next_cursor": "same"}))
    with pytest.raises(SourceMalformed, match="round in a circle"):
        desk.read(kind="http", url=made.url, records="rows", paging={"style": "cursor"})


@pytest.mark.parametrize("end", ["empty", "404"])
def test_pages_are_counted_up_until_one_is_empty_or_missing(desk: Desk, site: MakeSite, end: str) -> None:
    def answer(asked: Asked) -> Reply:
        start = (int(asked.query["p"]) - 1) * 10
        return Reply(status=404) if end == "404" and start >= 25 else Reply.json(ROWS[start : start + 10])

    rows = desk.read(kind="http", url=site(answer).url, paging={"style": "page", "param": "p"})
    assert ids(rows) == list(range(25))


def test_offsets_move_by_what_came_not_by_what_was_asked(desk: Desk, site: MakeSite) -> None:
    """The server caps a page at 7 rows, whatever is asked for."""

    def answer(asked: Asked) -> Reply:
        start = int(asked.query["offset"])
        return Reply.json(ROWS[start : start + 7])

    paging = {"style": "offset", "param": "offset", "size_param": "limit", "size": 100}
    assert ids(desk.read(kind="http", url=site(answer).url, paging=paging)) == list(range(25))


def test_the_link_header_is_followed_relative_or_not(desk: Desk, site: MakeSite) -> None:
    def answer(asked: Asked) -> Reply:
        start = int(asked.query.get("from", 0))
        link = f'</rows?from={start + 10}>; rel="next", </rows>; rel="first"' if start < 20 else '</rows>; rel="first"'
        return Reply.json(ROWS[start : start + 10], Link=link)

    assert ids(desk.read(kind="http", url=site(answer).url, path="rows", paging={"style": "link"})) == list(range(25))


def test_every_whole_answer_is_a_place_to_go_on_from(desk: Desk, site: MakeSite) -> None:
    def answer(asked: Asked) -> Reply:
        start = int(asked.query.get("cursor", 0))
        return Reply.json({"rows": ROWS[start : start + 10], "next_cursor": start + 10 if start < 20 else None})

    made = site(answer)
    section: dict[str, Any] = {"kind": "http", "url": made.url, "records": "rows", "paging": {"style": "cursor"}}
    pieces = list(desk.open(**section).pieces(None))
    for number, piece in enumerate(pieces):
        resume = json.loads(json.dumps(piece.resume))
        rest = [row["id"] for later in desk.open(**section).pieces(resume) for row in later.rows.to_pylist()]
        assert rest == list(range(25))[(number + 1) * 10 :]


def test_the_incremental_cursor_is_a_query_parameter(desk: Desk, site: MakeSite) -> None:
    made = site(lambda _: Reply.json([]))
    section: dict[str, Any] = {"kind": "http", "url": f"{made.url}?a=1", "params": {"b": 2}}
    section["incremental"] = {"column": "at", "param": "updated_since"}
    desk.read(**section, cursor=Cursor(value="2013-01-01T00:00:00Z", kind="text"))
    desk.read(**section, cursor=Cursor(value="2013-01-01T00:00:00+00:00", kind="time"))
    desk.read(**section)
    assert made.asked[0].query == {"a": "1", "b": "2", "updated_since": "2013-01-01T00:00:00Z"}
    assert made.asked[1].query == made.asked[0].query
    assert made.asked[2].query == {"a": "1", "b": "2"}


# ---- formats ---------------------------------------------------------------------------------------------------


def parquet_of(rows: list[dict[str, Any]]) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), out)
    return out.getvalue()


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    ("format", "body"),
    [
        ("json", json.dumps(ROWS).encode()),
        ("jsonl", b"\n".join(json.dumps(row).encode() for row in ROWS)),
        ("csv", b"id\n" + b"\n".join(str(row["id"]).encode() for row in ROWS)),
        ("parquet", parquet_of(ROWS)),
    ],
)
def test_each_format_is_read_plain_and_packed(
    desk: Desk, site: MakeSite, format: str, body: bytes, packed: bool
) -> None:
    reply = Reply(gzip.compress(body), headers={"Content-Encoding": "gzip"}) if packed else Reply(body)
    assert desk.read(kind="http", url=site(lambda _: reply).url, format=format) == ROWS


def test_a_gz_file_is_opened_without_being_declared(desk: Desk, site: MakeSite) -> None:
    made = site(lambda _: Reply(gzip.compress(b"id\n1\n"), headers={"Content-Type": "application/gzip"}))
    assert desk.read(kind="http", url=made.url, path="rows.csv.gz", format="csv") == [{"id": 1}]


def test_rows_come_in_batches_no_larger_than_asked(desk: Desk, site: MakeSite) -> None:
    made = site(lambda _: Reply.json(ROWS))
    pieces = list(desk.open(kind="http", url=made.url, batch_rows=10).pieces(None))
    assert [piece.rows.num_rows for piece in pieces] == [10, 10, 5]
    assert [piece.resume is not None for piece in pieces] == [False, False, True]


@pytest.mark.parametrize("format", ["json", "jsonl", "csv", "parquet"])
def test_html_in_the_place_of_data_is_quoted(desk: Desk, site: MakeSite, format: str) -> None:
    made = site(lambda _: Reply(b"<!DOCTYPE html>\n<html><title>Please log in</title></html>"))
    with pytest.raises(SourceMalformed, match="<!DOCTYPE html>") as caught:
        desk.read(kind="http", url=made.url, format=format)
    assert made.url in caught.value.where


@pytest.mark.parametrize("format", ["json", "csv", "jsonl", "parquet"])
def test_gzip_that_is_cut_off_is_never_taken_for_whole(desk: Desk, site: MakeSite, format: str) -> None:
    lines = b"\n".join(json.dumps(row).encode() for row in ROWS)
    made = site(lambda _: Reply(gzip.compress(lines)[:-12], headers={"Content-Encoding": "gzip"}))
    with pytest.raises(SourceMalformed, match="cut off"):
        desk.read(kind="http", url=made.url, format=format)


@pytest.mark.parametrize("format", ["json", "jsonl"])
def test_lists_nested_deeper_than_python_follows_are_malformed(desk: Desk, site: MakeSite, format: str) -> None:
    made = site(lambda _: Reply(body=b"[" * 200_000))
    with pytest.raises(SourceMalformed):
        desk.read(kind="http", url=made.url, format=format)


def test_an_answer_without_the_promised_list_names_its_keys(desk: Desk, site: MakeSite) -> None:
    made = site(lambda _: Reply.json({"flights": [], "next": None}))
    with pytest.raises(SourceMalformed, match=r"no list of records at 'rows'; its keys are: flights, next"):
        desk.read(kind="http", url=made.url, records="rows")


# ---- bounds ----------------------------------------------------------------------------------------------------


def test_ten_gigabytes_declared_are_refused_before_a_byte_is_read(desk: Desk, site: MakeSite) -> None:
    made = site(lambda _: Reply(b"[]", headers={"Content-Length": str(10 * 10**9)}, cut_after=2))
    with pytest.raises(SourceTooLarge, match=r"10,000,000,000 bytes, and 1,000,000 bytes are allowed"):
        desk.read(kind="http", url=made.url, max_bytes="1MB")


@pytest.mark.slow
def test_a_small_answer_that_unpacks_to_a_large_one_is_stopped(desk: Desk, site: MakeSite) -> None:
    bomb = gzip.compress(b"[" + b" " * 50_000_000 + b"]")
    made = site(lambda _: Reply(bomb, headers={"Content-Encoding": "gzip"}))
    assert len(bomb) < 100_000
    with pytest.raises(SourceTooLarge, match="it gave more"):
        desk.read(kind="http", url=made.url, max_bytes="1MB")


def test_the_bound_counts_all_pages_together(desk: Desk, site: MakeSite) -> None:
    def answer(asked: Asked) -> Reply:
        return Reply.json({"rows": ROWS, "next_cursor": int(asked.query.get("cursor", 0)) + 1})

    with pytest.raises(SourceTooLarge):
        desk.read(kind="http", url=site(answer).url, records="rows", paging={"style": "cursor"}, max_bytes="2KB")


# ---- patience --------------------------------------------------------------------------------------------------


def test_a_busy_server_is_asked_again_after_the_pause_it_wants(desk: Desk, site: MakeSite) -> None:
    later = format_datetime(datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=42), usegmt=True)
    replies = (
        Reply(status=429, headers={"Retry-After": "7"}),
        Reply(status=503, headers={"Retry-After": later}),
        Reply(status=500),
        Reply.json(ROWS),
    )
    assert ids(desk.read(kind="http", url=site(in_turn(*replies)).url)) == list(range(25))
    assert desk.pauses == [7.0, 42.0, 1.0]


def test_a_connection_torn_in_the_middle_is_tried_again_and_no_row_comes_twice(desk: Desk, site: MakeSite) -> None:
    lines = b"\n".join(json.dumps(row).encode() for row in ROWS)
    made = site(in_turn(Reply(lines, cut_after=40), Reply(lines, cut_after=0), Reply(lines)))
    assert ids(desk.read(kind="http", url=made.url, format="jsonl")) == list(range(25))


def test_after_all_retries_the_source_is_unreachable_and_worth_a_later_try(desk: Desk, site: MakeSite) -> None:
    made = site(lambda _: Reply(status=503))
    with pytest.raises(SourceUnreachable, match=r"it answers 503 \(4 tries\)") as caught:
        desk.read(kind="http", url=made.url, retries=3)
    assert caught.value.retryable
    assert len(made.asked) == 4


def test_nobody_at_the_address_is_unreachable(desk: Desk, site: MakeSite) -> None:
    with pytest.raises(SourceUnreachable, match="ConnectError"):
        desk.read(kind="http", url="http://127.0.0.1:9", retries=1)


def test_a_wrong_path_is_not_tried_again(desk: Desk, site: MakeSite) -> None:
    made = site(lambda _: Reply(status=404))
    with pytest.raises(SourceError, match="it answers 404"):
        desk.read(kind="http", url=made.url)
    assert len(made.asked) == 1


# ---- secrets ---------------------------------------------------------------------------------------------------


def test_a_secret_header_comes_from_its_reference(desk: Desk, site: MakeSite) -> None:
    (desk.root / "token").write_text("s3cret\n")
    made = site(lambda _: Reply.json(ROWS))
    desk.read(kind="http", url=made.url, headers={"X-Api-Key": "file:token"})
    assert made.asked[0].headers["x-api-key"] == "s3cret"


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_secret_is_named_by_its_reference_never_by_its_value(desk: Desk, site: MakeSite, status: int) -> None:
    (desk.root / "token").write_text("s3cret")
    made = site(lambda _: Reply(status=status))
    with pytest.raises(SourceDenied, match="Authorization from file:token") as caught:
        desk.read(kind="http", url=f"{made.url}?key=hidden", headers={"Authorization": "file:token"})
    assert "s3cret" not in str(caught.value)
    assert "hidden" not in str(caught.value)
    assert len(made.asked) == 1


def test_a_missing_secret_stops_before_anything_is_asked(desk: Desk, site: MakeSite) -> None:
    made = site(lambda _: Reply.json(ROWS))
    with pytest.raises(SecretMissing, match="TRAINSHED_TEST_NO_SUCH_TOKEN is not set"):
        desk.read(kind="http", url=made.url, headers={"Authorization": "env:TRAINSHED_TEST_NO_SUCH_TOKEN"})
    assert made.asked == []


@pytest.mark.parametrize("value", ["Bearer s3cret\nX: y", "Bearer s3cret ", "Bearer s3cret\u2026"])
def test_a_secret_that_cannot_be_sent_is_refused_by_the_name_of_its_header(
    desk: Desk, site: MakeSite, value: str
) -> None:
    (desk.root / "token").write_text(value)
    made = site(lambda _: Reply.json(ROWS))
    with pytest.raises(ProjectError, match="cannot be sent") as caught:
        desk.read(kind="http", url=made.url, headers={"Authorization": "file:token"})
    assert caught.value.where == "sources.orders.headers.Authorization"
    assert "s3cret" not in str(caught.value)
    assert made.asked == []


def test_an_address_that_is_none_is_not_quoted_because_it_may_hold_a_password(desk: Desk) -> None:
    (desk.root / "address").write_text("https://ann:s3cret/word@example.org/")
    with pytest.raises(ProjectError, match="no address") as caught:
        desk.read(kind="http", url="file:address")
    assert "s3cret" not in str(caught.value)


def test_headers_do_not_follow_a_redirect_to_another_place(desk: Desk, site: MakeSite) -> None:
    other = site(lambda _: Reply.json(ROWS))
    made = site(lambda _: Reply(status=302, headers={"Location": other.url}))
    assert ids(desk.read(kind="http", url=made.url, headers={"X-Api-Key": "s3cret"})) == list(range(25))
    assert made.asked[0].headers["x-api-key"] == "s3cret"
    assert "x-api-key" not in other.asked[0].headers


def test_redirects_without_end_are_refused(desk: Desk, site: MakeSite) -> None:
    made = site(lambda _: Reply(status=302, headers={"Location": "/again"}))
    with pytest.raises(SourceError, match="more than 5 redirects"):
        desk.read(kind="http", url=made.url)


@pytest.mark.parametrize("url", ["ftp://example.org/x", "flights", "http://"])
def test_what_is_no_address_is_a_fault_of_the_project(desk: Desk, url: str) -> None:
    with pytest.raises(ProjectError, match=r"no http address|no address"):
        desk.read(kind="http", url=url)


# ---- unchanged -------------------------------------------------------------------------------------------------


def tagged(asked: Asked) -> Reply:
    """Pages with an ETag each."""
    start = int(asked.query.get("cursor", 0))
    tag = f'"{start}"'
    if asked.headers.get("if-none-match") == tag:
        return Reply(status=304, headers={"ETag": tag})
    following = start + 10 if start < 20 else None
    return Reply.json({"rows": ROWS[start : start + 10], "next_cursor": following}, ETag=tag)


def test_a_source_whose_every_page_is_unmodified_is_unchanged(desk: Desk, site: MakeSite) -> None:
    made = site(tagged)
    section: dict[str, Any] = {"kind": "http", "url": made.url, "records": "rows", "paging": {"style": "cursor"}}
    reader = desk.open(**section)
    assert not reader.unchanged()
    assert len(list(reader.pieces(None))) == 3
    validators = json.loads(json.dumps(reader.validators()))
    assert desk.open(**section, validators=validators).unchanged()
    made.answer = lambda asked: Reply.json({"rows": [], "next_cursor": None}) if asked.query else tagged(asked)
    assert not desk.open(**section, validators=validators).unchanged()


def test_one_page_without_etag_and_nothing_can_be_said(desk: Desk, site: MakeSite) -> None:
    def answer(asked: Asked) -> Reply:
        reply = tagged(asked)
        return Reply(reply.body) if asked.query else reply

    reader = desk.open(kind="http", url=site(answer).url, records="rows", paging={"style": "cursor"})
    assert len(list(reader.pieces(None))) == 3
    assert reader.validators() == {}


def test_an_address_that_the_server_gave_is_not_kept_where_its_query_may_be_a_signature(
    desk: Desk, site: MakeSite
) -> None:
    def answer(asked: Asked) -> Reply:
        link = {} if asked.query else {"Link": '</rows?after=10&signature=s3cret>; rel="next"'}
        return Reply.json(ROWS[:2], ETag='"1"', **link)

    section: dict[str, Any] = {"kind": "http", "url": site(answer).url, "path": "rows", "paging": {"style": "link"}}
    reader = desk.open(**section)
    assert len(list(reader.pieces(None))) == 2
    assert reader.validators() == {}
