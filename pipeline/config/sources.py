"""`[sources.NAME]`: where raw data comes from."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from pipeline.config.base import Duration, PythonReference, Reference, Section, Size
from pipeline.config.zones import zone_name


class Incremental(Section):
    """Fetch only what is new: rows whose `column` is at or after the highest value seen."""

    column: str
    """Column whose values only grow (a time or a sequence number)."""
    param: str = "since"
    """Name of the query parameter (http) or of the SQL parameter `:name` (sql) that receives the cursor."""
    initial: str | int | float | None = None
    """Cursor of the first run; without it the first run fetches everything."""
    key: list[str] = []
    """Columns that identify a row, to recognise ties at the edge; without it, and where rows are merged, the whole row
    does."""
    overlap: Duration | None = Field(default=None, gt=timedelta(0))
    """Ask also for what is up to this much older than the highest value seen: for rows that were committed late, with a
    time of before, and for local times in the hour that comes twice. Only where rows are merged and `column` is a
    time; rows that are as they were make no new version."""


class Source(Section):
    """What all kinds have."""

    timezone: Annotated[str, AfterValidator(zone_name)] | None = None
    """IANA zone of times that come without an offset; without it such times are refused."""
    incremental: Incremental | None = None
    """How to fetch only what is new; without it every run fetches everything."""
    max_bytes: Size = 10**10
    """Refuse a source that has, or declares, more than this."""
    batch_rows: int = Field(default=65_536, gt=0)
    """Rows in a record batch: bounds memory."""


class Paging(Section):
    """How a paged answer leads to the next one."""

    style: Literal["cursor", "page", "offset", "link"]
    """cursor: a token from the answer; page: 1, 2, 3 …; offset: row numbers; link: the Link header (RFC 8288)."""
    param: str = "cursor"
    """Query parameter that carries the token, page number or offset."""
    next: str = "next_cursor"
    """Dotted path of the next token in a JSON answer (style cursor)."""
    size_param: str | None = None
    """Query parameter for the page size."""
    size: int = Field(default=1000, gt=0)
    """Rows asked for in a page."""
    first: int = 1
    """Number of the first page (style page)."""


class HttpSource(Source):
    """Files or paged answers over HTTP."""

    kind: Literal["http"]
    url: Reference
    """Base address, or a reference to it (`env:NAME`)."""
    path: str = ""
    """Appended to `url`."""
    format: Literal["json", "jsonl", "csv", "parquet"] = "json"
    """What the answers are."""
    records: str = ""
    """Dotted path of the list of records in a JSON answer; empty: the answer is the list."""
    params: dict[str, str | int | float] = {}
    """Query parameters of every request."""
    headers: dict[str, Reference] = {}
    """Request headers; secrets as references (`env:NAME`, `file:PATH`)."""
    paging: Paging | None = None
    """How an answer leads to the next one; without it there is one request."""
    retries: int = Field(default=6, ge=0)
    """Tries after the first for time-outs, 429 and 5xx; waits as Retry-After says, else backs off."""
    timeout: Duration = Field(default="30s", validate_default=True)
    """Of one request."""


class FileSource(Source):
    """Files on this machine."""

    kind: Literal["file"]
    path: str
    """File or glob, relative to the project; `.gz` and `.zip` are opened."""
    format: Literal["csv", "jsonl", "parquet"]
    """What the files are."""
    delimiter: str = Field(default=",", min_length=1, max_length=1)
    """Between the fields of a CSV file."""
    null_values: list[str] = ["", "NA"]
    """CSV texts that mean missing."""


class SqlSource(Source):
    """A query against a database."""

    kind: Literal["sql"]
    uri: Reference
    """`sqlite:PATH` or `postgresql://…`, or a reference to it."""
    password: Reference | None = None
    """Reference to the password, kept out of the uri."""
    query: str
    """SQL text, or the path of a `.sql` file in the project."""


class PythonSource(Source):
    """A function that yields Arrow tables or record batches."""

    kind: Literal["python"]
    function: PythonReference
    """Called with what it asks for: `cursor` (last value of `incremental.column`, or None), `scheduled_for` (the time
    of its schedule that the run stands for, also in a backfill; None where no schedule asked) and the `params`."""
    params: dict[str, Any] = {}
    """Keyword arguments for the function."""


AnySource = Annotated[HttpSource | FileSource | SqlSource | PythonSource, Field(discriminator="kind")]
