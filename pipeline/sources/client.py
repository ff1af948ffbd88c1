"""One request and its answer: retries, redirects, secrets in headers, bounded bodies, errors in our words."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

import httpx

from pipeline.retry import WORTH_IT, GiveUp, next_try, retry_after
from pipeline.sources.bytestream import Allowance, bounded, gunzipped
from pipeline.sources.reader import Opening
from store.errors import SourceDenied, SourceError, SourceMalformed, SourceUnreachable

_IN_MEMORY: Final = 8 * 2**20
"""A larger body waits on disk."""
_REDIRECTS: Final = 5


@dataclass(frozen=True, kw_only=True)
class Answer:
    status: int
    body: IO[bytes]
    """Unpacked, at its start."""
    etag: str | None
    link: str | None
    """Absolute address of rel="next"."""
    retry_after: str | None = None


class Client:
    """Asks one source. Use as a context manager."""

    def __init__(
        self,
        opening: Opening,
        *,
        headers: Mapping[str, str],
        secret_headers: Mapping[str, str],
        origin: httpx.URL,
        timeout_s: float,
        retries: int,
        allowance: Allowance,
    ) -> None:
        """`headers` go to `origin` only; `secret_headers` says, for messages, from which reference each came."""
        self._opening = opening
        self._headers = dict(headers)
        self._secrets = dict(secret_headers)
        self._origin = origin
        self._retries = retries
        self._allowance = allowance
        self._http = httpx.Client(timeout=timeout_s, follow_redirects=False)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def get(self, url: httpx.URL, etag: str | None = None, *, body: bool = True) -> Answer:
        """The answer, after as many tries as it takes and may take.

        With `etag` the answer may be status 304; without `body` only status and headers are read.
        Raises SourceUnreachable, SourceDenied, SourceTooLarge, SourceMalformed, SourceError.
        """
        failed = 0
        while True:
            taken = self._allowance.taken
            asked_s = None
            try:
                answer = self._once(url, etag, body)
                if answer.status not in WORTH_IT:
                    return answer
                reason = f"it answers {answer.status}"
                asked_s = retry_after(answer.retry_after, self._opening.now())
            except httpx.TransportError as error:
                reason = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
            self._allowance.taken = taken
            failed += 1
            decision = next_try(failed, self._retries, asked_s=asked_s, chance=self._opening.chance())
            if isinstance(decision, GiveUp):
                raise self._unreachable(url, reason, decision.reason)
            self._opening.sleep(decision.seconds)

    def _once(self, url: httpx.URL, etag: str | None, body: bool) -> Answer:
        for _ in range(_REDIRECTS):
            with self._http.stream("GET", url, headers=self._headers_for(url, etag)) as response:
                if response.is_redirect and "location" in response.headers:
                    url = url.join(response.headers["location"])
                    continue
                return self._answer(url, response, body)
        raise SourceError(
            f"more than {_REDIRECTS} redirects", where=shown(url), remedy="set `url` to where the data really is"
        )

    def _answer(self, url: httpx.URL, response: httpx.Response, body: bool) -> Answer:
        status = response.status_code
        if status in WORTH_IT:
            pause = response.headers.get("retry-after")
            return Answer(status=status, body=io.BytesIO(), etag=None, link=None, retry_after=pause)
        if status in (401, 403):
            raise self._denied(url, status)
        if status >= 400 or status in (204, 205, 206):
            return Answer(status=status, body=io.BytesIO(), etag=None, link=None)
        link = response.links.get("next", {}).get("url")
        return Answer(
            status=status,
            body=self._spooled(url, response) if body and status != 304 else io.BytesIO(),
            etag=response.headers.get("etag"),
            link=str(url.join(link)) if link else None,
        )

    def _spooled(self, url: httpx.URL, response: httpx.Response) -> IO[bytes]:
        """The unpacked body. It is taken whole before it is read, so that a torn connection can be tried again."""
        encoding = response.headers.get("content-encoding", "identity").lower()
        if encoding not in ("identity", "gzip", "x-gzip"):
            raise SourceMalformed(
                f"the answer is packed as {encoding!r}, which was not asked for",
                where=shown(url),
                remedy="let the server answer in gzip or plain",
            )
        declared = response.headers.get("content-length", "")
        if declared.isdigit():
            self._allowance.declare(int(declared), "the answer")
        return spool(bounded(gunzipped(response.iter_raw(), shown(url)), self._allowance), self._opening.scratch)

    def _headers_for(self, url: httpx.URL, etag: str | None) -> dict[str, str]:
        # httpx would unpack by itself, and says nothing when gzip ends early; so we unpack (bytestream.gunzipped).
        headers = {"Accept-Encoding": "gzip", "User-Agent": "trainshed"}
        if same_origin(url, self._origin):
            headers |= self._headers
        return headers | ({"If-None-Match": etag} if etag else {})

    def _denied(self, url: httpx.URL, status: int) -> SourceDenied:
        sent = ", ".join(f"{name} from {reference}" for name, reference in self._secrets.items())
        return SourceDenied(
            f"it answers {status}: " + (f"it does not accept what we sent ({sent})" if sent else "it wants to know us"),
            where=shown(url),
            remedy="check the secret; headers go to `headers` of the source, as `env:NAME` or `file:PATH`",
        )

    def _unreachable(self, url: httpx.URL, reason: str, why: str) -> SourceUnreachable:
        return SourceUnreachable(
            f"{reason} ({why})", where=shown(url), remedy="check that the server is up, then run the job again"
        )


def spool(chunks: Iterator[bytes], scratch: Path) -> IO[bytes]:
    """The chunks as a file at its start: in memory if small, else a nameless file in `scratch`."""
    file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY, dir=str(scratch))  # noqa: SIM115 - the answer owns it
    try:
        for chunk in chunks:
            file.write(chunk)
    except BaseException:
        file.close()
        raise
    file.seek(0)
    return file


def same_origin(a: httpx.URL, b: httpx.URL) -> bool:
    return (a.scheme, a.host, _port(a)) == (b.scheme, b.host, _port(b))


def shown(url: httpx.URL) -> str:
    """The address for messages: without user, password and query, which may hold secrets."""
    return str(url.copy_with(username=None, password=None, query=None, fragment=None))


def _port(url: httpx.URL) -> int | None:
    return url.port or {"http": 80, "https": 443}.get(url.scheme)
