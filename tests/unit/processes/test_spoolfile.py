"""Reading spools: whole lines only, wherever the file ends at the moment."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon import spoolfile
from daemon.spoolfile import last_word, read_lines
from pipeline.process.spool import Spool
from store.errors import ProjectError, SourceUnreachable


def spool(file: Path) -> Spool:
    return Spool(file, lambda: 1000.5)


@pytest.mark.slow
@given(data=st.data(), count=st.integers(0, 8))
def test_cut_anywhere_every_event_is_read_once_and_in_order(data: st.DataObject, count: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        whole, part = Path(folder) / "whole", Path(folder) / "part"
        writer = spool(whole)
        for number in range(count):
            writer.write("note", message="x" * (number * 7))
        writer.close()
        content = whole.read_bytes()
        cuts = sorted(data.draw(st.lists(st.integers(0, len(content)), max_size=5)))
        seen, offset = [], 0
        for cut in [*cuts, len(content)]:
            part.write_bytes(content[:cut])
            for line in read_lines(part, offset):
                seen.append(line.number)
                offset = line.end
        assert seen == list(range(1, count + 1))
        assert offset == len(content)


def test_a_line_that_is_no_event_is_marked_and_the_next_one_is_read(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    file.write_bytes(b'{"n": 1}\nnonsense\n[1, 2]\n\n{"n": 2, "t": 5.0, "e": "done"}\n')
    assert [line.kind for line in read_lines(file, 0)] == [None, None, None, "done"]


def test_a_line_nested_deeper_than_python_follows_is_marked_too(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    file.write_bytes(b"[" * 200_000 + b'\n{"n": 2, "t": 5.0, "e": "done"}\n')
    assert [line.kind for line in read_lines(file, 0)] == [None, "done"]


def test_a_line_whose_number_has_no_end_is_marked_too(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    file.write_bytes(b'{"n": Infinity, "t": 1.0, "e": "done"}\n{"n": 2, "t": 5.0, "e": "done"}\n')
    assert [line.kind for line in read_lines(file, 0)] == [None, "done"]


def test_a_file_that_is_not_there_has_no_lines(tmp_path: Path) -> None:
    assert read_lines(tmp_path / "none", 0) == []


def test_a_line_longer_than_a_piece_is_read_whole(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    writer = spool(file)
    writer.write("version", evidence="x" * (spoolfile.PIECE + 10))
    writer.write("done", message="")
    writer.close()
    first = read_lines(file, 0)
    assert first[0].kind == "version"
    assert [line.kind for line in read_lines(file, first[-1].end)] in (["done"], [])


def test_a_monstrous_line_is_passed_over(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    with file.open("wb") as out:
        out.truncate(spoolfile.LONGEST_LINE + 100)
        out.seek(0, 2)
        out.write(b'\n{"n": 2, "t": 5.0, "e": "done"}\n')
    kinds, offset = [], 0
    while lines := read_lines(file, offset):
        kinds += [line.kind for line in lines]
        offset = lines[-1].end
    assert kinds[-1] == "done"
    assert set(kinds[:-1]) == {None}


def test_an_error_of_any_size_is_still_the_last_word(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    writer = spool(file)
    writer.fault(ProjectError("it raised ValueError: " + "x" * 3_000_000, where="own.py:f", remedy="mend it"))
    writer.close()
    said = last_word(file)
    assert said is not None
    assert said.fault is not None
    assert said.fault.what.startswith("it raised ValueError: xxx")
    assert len(said.fault.what) < 5000


def test_the_last_word_is_found_behind_heartbeats(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    writer = spool(file)
    writer.write("skip", reason="inputs unchanged")
    writer.write("done", message="")
    writer.write("heartbeat")
    said = last_word(file)
    assert said is not None
    assert (said.kind, said.text) == ("skip", "inputs unchanged")


def test_a_fault_is_the_last_word_even_after_a_skip(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    writer = spool(file)
    writer.write("skip", reason="inputs unchanged")
    writer.fault(SourceUnreachable("no answer", remedy="try later"))
    said = last_word(file)
    assert said is not None
    assert said.fault is not None
    assert (said.fault.code, said.retryable) == ("SourceUnreachable", True)


def test_a_worker_that_said_nothing_has_no_last_word(tmp_path: Path) -> None:
    assert last_word(tmp_path / "none") is None
    spool(tmp_path / "events.jsonl").write("hello", pid=1)
    assert last_word(tmp_path / "events.jsonl") is None


def test_a_torn_last_line_is_no_word(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    file.write_text(json.dumps({"n": 1, "t": 1.0, "e": "done"}))
    assert last_word(file) is None
