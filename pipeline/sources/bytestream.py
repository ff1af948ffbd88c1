"""Bytes with a bound: gzip and zip opened on the way, no more than allowed, and never a silent end.

A small file can hold a very large one, so the bound counts what comes out, not what went in.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from typing import IO, Final

from store.errors import SourceMalformed, SourceTooLarge

CHUNK: Final = 1 << 18
GZIP_MAGIC: Final = b"\x1f\x8b"
ZIP_MAGIC: Final = b"PK\x03\x04"


@dataclass(kw_only=True)
class Allowance:
    """How many bytes a source may still give; shared by all its pages or files."""

    limit: int
    where: str
    taken: int = 0

    def declare(self, size: int, what: str) -> None:
        """Refuses before anything is read. Raises SourceTooLarge."""
        if self.taken + size > self.limit:
            raise self._fault(f"{what} has {size:,} bytes")

    def take(self, size: int) -> None:
        """Counts bytes that came. Raises SourceTooLarge."""
        self.taken += size
        if self.taken > self.limit:
            raise self._fault("it gave more")

    def _fault(self, what: str) -> SourceTooLarge:
        return SourceTooLarge(
            f"{what}, and {self.limit:,} bytes are allowed for the whole source",
            where=self.where,
            remedy=f"if this is right, raise `max_bytes` in [{self.where}]",
        )


def gunzipped(chunks: Iterable[bytes], where: str) -> Iterator[bytes]:
    """The chunks, unpacked if they are gzip (of one or several members). Raises SourceMalformed if cut off."""
    source = iter(chunks)
    head = b""
    for chunk in source:
        head += chunk
        if len(head) >= len(GZIP_MAGIC):
            break
    whole = _chain(head, source)
    return _unpacked(whole, where) if head.startswith(GZIP_MAGIC) else whole


def bounded(chunks: Iterable[bytes], allowance: Allowance) -> Iterator[bytes]:
    """The same chunks, counted."""
    for chunk in chunks:
        allowance.take(len(chunk))
        yield chunk


def read_chunks(file: IO[bytes]) -> Iterator[bytes]:
    while chunk := file.read(CHUNK):
        yield chunk


def zip_members(file: IO[bytes], allowance: Allowance) -> Generator[tuple[str, IO[bytes]], None, None]:
    """Name and content of each file in a zip archive, in the archive's order; nothing is written to disk.

    A member's name is only shown, never used as a path. Raises SourceMalformed, SourceTooLarge.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            for member in archive.infolist():
                if member.is_dir():
                    continue
                allowance.declare(member.file_size, f"{member.filename} unpacked")
                with archive.open(member) as content:
                    yield member.filename, content
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
        raise damaged_zip(error, allowance.where) from None


def damaged_zip(error: Exception, where: str) -> SourceMalformed:
    return SourceMalformed(
        f"the zip archive cannot be read: {error}", where=where, remedy="fetch it again whole, without a password"
    )


def _chain(head: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    if head:
        yield head
    yield from rest


def _unpacked(chunks: Iterator[bytes], where: str) -> Iterator[bytes]:
    unpacker = zlib.decompressobj(wbits=31)
    begun = False
    try:
        for chunk in chunks:
            data = chunk
            while data:
                begun = True
                piece = unpacker.decompress(data, CHUNK)
                if piece:
                    yield piece
                data = unpacker.unconsumed_tail
                if unpacker.eof:
                    data = unpacker.unused_data.lstrip(b"\0")
                    unpacker = zlib.decompressobj(wbits=31)
                    begun = False
    except zlib.error as error:
        raise _damaged(f"the gzip data are damaged ({error})", where) from None
    if begun:
        raise _damaged("the gzip data are cut off", where)


def _damaged(what: str, where: str) -> SourceMalformed:
    return SourceMalformed(what, where=where, remedy="have it written again, or fetch it again whole")


class ChunkFile(io.RawIOBase):
    """Chunks as a file that can be read once, front to back, for parsers that want a file."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._rest = memoryview(chunk)
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count
