"""`kind = "file"`: files on this machine; gzip and zip are opened."""

from __future__ import annotations

import glob
import io
import json
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import IO

import pyarrow as pa

from pipeline.config.sources import FileSource
from pipeline.sources.bytestream import (
    GZIP_MAGIC,
    ZIP_MAGIC,
    Allowance,
    ChunkFile,
    bounded,
    damaged_zip,
    gunzipped,
    read_chunks,
    zip_members,
)
from pipeline.sources.client import spool
from pipeline.sources.decode import Decoder
from pipeline.sources.reader import Opening, Piece, Resume, no_rows, piece_of
from pipeline.sources.times import Times
from store.errors import SourceDenied, SourceError


class FileReader:
    """Reads file by file in the order of their names; every whole file is a place to go on from."""

    def __init__(self, source: FileSource, opening: Opening) -> None:
        self._source = source
        self._opening = opening
        self._files = matching(opening.root, source.path, opening.where)
        # As they are before they are read: what is written to them meanwhile is for the next run to notice.
        facts = {str(file): file.stat() for file in self._files}
        self._stamps = {name: f"{fact.st_size} bytes, {fact.st_mtime_ns} ns" for name, fact in facts.items()}
        self._times = Times(where=opening.where, zone=source.timezone, types=opening.types)
        self._allowance = Allowance(limit=source.max_bytes, where=opening.where)
        self._decoder = Decoder(
            format=source.format,
            where=opening.where,
            batch_rows=source.batch_rows,
            types=opening.types,
            delimiter=source.delimiter,
            null_values=tuple(source.null_values),
        )

    def unchanged(self) -> bool:
        return self._opening.validators == self.validators()

    def identity(self) -> str:
        return json.dumps(self.validators(), sort_keys=True)

    def validators(self) -> dict[str, str]:
        """File → size and time of change when it was opened, which say as much as an ETag."""
        return dict(self._stamps)

    def pieces(self, resume: Resume | None) -> Iterator[Piece]:
        done = int(resume["files"]) if resume else 0
        self._allowance.taken = int(resume["bytes"]) if resume else 0
        self._allowance.declare(sum(f.stat().st_size for f in self._files[done:]), "what is on disk")
        for number, file in enumerate(self._files[done:], done + 1):
            for batch in self._batches(file):
                yield self._piece(batch, None)
            yield self._piece(no_rows(), {"files": number, "bytes": self._allowance.taken})

    def _piece(self, batch: pa.RecordBatch, resume: Resume | None) -> Piece:
        return piece_of(batch, self._times, self._source.incremental, text=self._decoder.text, resume=resume)

    def _batches(self, file: Path) -> Iterator[pa.RecordBatch]:
        try:
            with file.open("rb") as content:
                if begins_with(content, ZIP_MAGIC):
                    yield from self._archive(file, content)
                else:
                    yield from self._content(content, str(file))
        except PermissionError:
            raise SourceDenied(
                "we may not read this file", where=str(file), remedy="give the daemon's user the right to read it"
            ) from None
        except FileNotFoundError:
            raise SourceError("the file is gone", where=str(file), remedy="run the job again") from None

    def _archive(self, file: Path, content: IO[bytes]) -> Iterator[pa.RecordBatch]:
        try:
            with closing(zip_members(content, self._allowance)) as members:
                for name, member in members:
                    yield from self._content(member, f"{file}!{name}")
        except (zipfile.BadZipFile, zlib.error, EOFError) as error:  # of a member: found while its rows are read
            raise damaged_zip(error, self._allowance.where) from None

    def _content(self, content: IO[bytes], where: str) -> Iterator[pa.RecordBatch]:
        if (
            self._source.format == "parquet"
            and not isinstance(content, zipfile.ZipExtFile)
            and not begins_with(content, GZIP_MAGIC)
        ):
            self._allowance.take(content.seek(0, io.SEEK_END))
            yield from self._decoder.batches(content, where)
            return
        chunks = bounded(gunzipped(read_chunks(content), where), self._allowance)
        if self._source.format == "parquet":
            # Parquet is read from its end, so it has to be unpacked to a real file.
            with spool(chunks, self._opening.scratch) as file:
                yield from self._decoder.batches(file, where)
        else:
            yield from self._decoder.batches(ChunkFile(chunks), where)  # type: ignore[arg-type]


def begins_with(content: IO[bytes], magic: bytes) -> bool:
    """Whether a file at its start begins so; it stays at its start."""
    head = content.read(len(magic))
    content.seek(0)
    return head == magic


def matching(root: Path, pattern: str, where: str) -> list[Path]:
    """The files that a path or glob names, sorted; relative ones are in the project. Raises SourceError."""
    files = sorted(Path(found) for found in glob.glob(str(root / Path(pattern).expanduser()), recursive=True))
    files = [file for file in files if file.is_file()]
    if not files:
        raise SourceError(
            f"no file matches {pattern!r}", where=f"{where}.path", remedy=f"put it there, or correct the path ({root})"
        )
    return files
