"""`kind = "http"`: files or paged answers over HTTP."""

from __future__ import annotations

import json
import re
from collections.abc import Generator, Iterator

import httpx
import pyarrow as pa

from pipeline import secrets
from pipeline.config.sources import HttpSource
from pipeline.sources import paging
from pipeline.sources.bytestream import Allowance
from pipeline.sources.client import Answer, Client, shown
from pipeline.sources.cursor import Cursor
from pipeline.sources.decode import Decoder
from pipeline.sources.paging import Position
from pipeline.sources.reader import Opening, Piece, Resume, no_rows, piece_of
from pipeline.sources.times import Times
from store.errors import ProjectError, SourceError

_MOST_VALIDATORS = 1000
"""A source of more answers than this is not asked for each of them whether it changed."""
_SENDABLE = re.compile(r"([!-~]([ -~]*[!-~])?)?")
"""Printable ASCII, no blank at an end: what every server takes for a header's value (RFC 9110, 5.5)."""


class HttpReader:
    """Reads answer by answer; every whole answer is a place to go on from."""

    def __init__(self, source: HttpSource, opening: Opening) -> None:
        self._source = source
        self._opening = opening
        self._url = self._address()
        self._times = Times(where=opening.where, zone=source.timezone, types=opening.types)
        self._allowance = Allowance(limit=source.max_bytes, where=opening.where)
        self._decoder = Decoder(
            format=source.format,
            where=opening.where,
            batch_rows=source.batch_rows,
            types=opening.types,
            records=source.records,
        )
        self._etags: dict[str, str] | None = {}

    def unchanged(self) -> bool:
        known = self._opening.validators
        if not known:
            return False
        with self._client() as client:
            return all(self._not_modified(client, place, etag) for place, etag in known.items())

    def identity(self) -> str:
        return ""

    def validators(self) -> dict[str, str]:
        return self._etags or {}

    def pieces(self, resume: Resume | None) -> Iterator[Piece]:
        position: Position | None = paging.start(self._source.paging)
        if resume is not None:
            # What came before the interruption has no validators here, so the whole cannot be asked about.
            self._etags = None
            self._allowance.taken = int(resume["bytes"])
            position = Position(**resume["next"]) if resume["next"] else None
        with self._client() as client:
            while position is not None:
                position = yield from self._answer_pieces(client, position)

    def _answer_pieces(self, client: Client, position: Position) -> Generator[Piece, None, Position | None]:
        """The pieces of one answer; returns the position that follows."""
        answer = self._ask(client, position)
        if answer is None:
            yield self._end(no_rows(), None)
            return None
        with answer.body as body:
            self._remember(position, answer)
            if self._source.format == "json":
                return (yield from self._json_pieces(position, answer))
            rows = 0
            for batch in self._decoder.batches(body, shown(self._request(position))):
                rows += batch.num_rows
                yield self._piece(batch)
        following = self._following(position, answer, None, rows)
        yield self._end(no_rows(), following)
        return following

    def _json_pieces(self, position: Position, answer: Answer) -> Generator[Piece, None, Position | None]:
        where = shown(self._request(position))
        document = self._decoder.document(answer.body, where)
        rows = self._decoder.rows_of(document, where)
        following = self._following(position, answer, document, rows.num_rows)
        size = self._source.batch_rows
        for start in range(0, max(rows.num_rows - size, 0), size):
            yield self._piece(rows.slice(start, size))
        last = (max(rows.num_rows - 1, 0) // size) * size
        yield self._end(rows.slice(last), following)
        return following

    def _piece(self, batch: pa.RecordBatch, resume: Resume | None = None) -> Piece:
        return piece_of(batch, self._times, self._source.incremental, text=self._decoder.text, resume=resume)

    def _end(self, batch: pa.RecordBatch, following: Position | None) -> Piece:
        """The last piece of an answer: from here reading can go on."""
        resume = {"next": following.to_json() if following else None, "bytes": self._allowance.taken}
        return self._piece(batch, resume)

    def _ask(self, client: Client, position: Position) -> Answer | None:
        """The answer, or None where a server says 404 for the page after the last."""
        url = self._request(position)
        answer = client.get(url)
        if answer.status == 404 and position.kind == "page" and position != paging.start(self._source.paging):
            return None
        if answer.status == 204:
            return None
        if answer.status != 200:
            raise SourceError(
                f"it answers {answer.status}", where=shown(url), remedy="check `url`, `path` and `params` with curl"
            )
        return answer

    def _following(self, position: Position, answer: Answer, document: object, rows: int) -> Position | None:
        given = paging.Given(document=document, link=answer.link, rows=rows)
        return paging.following(self._source.paging, position, given, self._opening.where)

    def _remember(self, position: Position, answer: Answer) -> None:
        """What is kept here goes into the commit, where no secret may stand: the addresses of servers may be signed."""
        signed = position.kind == "url" and str(self._request(position)) != shown(self._request(position))
        if answer.etag is None or signed or self._source.incremental is not None or self._etags is None:
            self._etags = None
        elif len(self._etags) < _MOST_VALIDATORS:
            self._etags[json.dumps(position.to_json())] = answer.etag
        else:
            self._etags = None

    def _not_modified(self, client: Client, place: str, etag: str) -> bool:
        url = self._request(Position(**json.loads(place)))
        return client.get(url, etag, body=False).status == 304

    def _request(self, position: Position) -> httpx.URL:
        if position.kind == "url":
            return self._url.join(str(position.value))
        source = self._source
        asked: dict[str, str | int | float] = {**source.params, **paging.query(source.paging, position)}
        cursor = self._opening.cursor
        if source.incremental is not None and cursor is not None:
            asked[source.incremental.param] = _said(cursor)
        return self._url.copy_merge_params(asked)

    def _address(self) -> httpx.URL:
        where = f"{self._opening.where}.url"
        base = secrets.resolve(self._source.url, self._opening.root)
        path = self._source.path
        try:
            url = httpx.URL(f"{base.rstrip('/')}/{path.lstrip('/')}" if path else base)
        except httpx.InvalidURL:
            # Not httpx's own words: they quote the piece, which may be of a password.
            raise ProjectError("this is no address", where=where, remedy="write http://… or https://…") from None
        if url.scheme not in ("http", "https") or not url.host:
            raise ProjectError("this is no http address", where=where, remedy="write http://… or https://…")
        return url

    def _client(self) -> Client:
        source, root = self._source, self._opening.root
        return Client(
            self._opening,
            headers={name: self._header(name, secrets.resolve(value, root)) for name, value in source.headers.items()},
            secret_headers={n: v for n, v in source.headers.items() if secrets.is_reference(v)},
            origin=self._url,
            timeout_s=source.timeout.total_seconds(),
            retries=source.retries,
            allowance=self._allowance,
        )

    def _header(self, name: str, value: str) -> str:
        """The value as it can be sent. Raises ProjectError, where httpx would quote the whole value in its error."""
        if not _SENDABLE.fullmatch(value):
            raise ProjectError(
                "the value of this header cannot be sent: it has a line break, a space at an end or a letter beyond "
                "ASCII",
                where=f"{self._opening.where}.headers.{name}",
                remedy="write the secret again as one line, without anything around it",
            )
        return value


def _said(cursor: Cursor) -> str | int | float:
    """The cursor as a query parameter; times that came typed in the form every API reads."""
    return str(cursor.value).replace("+00:00", "Z") if cursor.kind == "time" else cursor.value
