"""JSON records become columns."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.sources.records import to_batch
from store.errors import SourceMalformed


def columns(records: list[Any], **types: pa.DataType) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = to_batch(records, types, "sources.x").to_pydict()
    return found


def test_columns_are_the_union_of_all_keys() -> None:
    assert columns([{"a": 1}, {"b": "x"}, {"a": 2, "b": "y"}]) == {"a": [1, None, 2], "b": [None, "x", "y"]}


def test_nested_values_are_kept_as_json_text() -> None:
    assert columns([{"a": {"b": 1}}, {"a": None}, {"a": [1, "x"]}]) == {"a": ['{"b":1}', None, '[1,"x"]']}


def test_whole_and_broken_numbers_are_numbers() -> None:
    assert to_batch([{"a": 1}, {"a": 2.5}], {}, "sources.x").schema.field("a").type == pa.float64()


def test_mixed_types_are_refused_unless_text_is_wanted() -> None:
    with pytest.raises(SourceMalformed, match="several types") as caught:
        columns([{"a": 1}, {"a": "x"}])
    assert 'columns.a = "string"' in caught.value.remedy
    assert columns([{"a": 1}, {"a": "x"}, {"a": True}], a=pa.string()) == {"a": ["1", "x", "true"]}


def test_a_number_larger_than_64_bits_is_refused_unless_text_is_wanted() -> None:
    with pytest.raises(SourceMalformed):
        columns([{"a": 2**70}])
    assert columns([{"a": 2**70}], a=pa.string()) == {"a": [str(2**70)]}


def test_what_is_no_object_is_named_by_its_place() -> None:
    with pytest.raises(SourceMalformed, match=r"record 2 is \[1\], not an object"):
        columns([{"a": 1}, [1]])


@pytest.mark.slow
@given(st.lists(st.dictionaries(st.sampled_from("abc"), st.none() | st.integers(-(2**62), 2**62), max_size=3)))
def test_no_value_is_lost_or_moved_to_another_row(records: list[dict[str, Any]]) -> None:
    batch = to_batch(json.loads(json.dumps(records)), {}, "sources.x")
    for name in batch.schema.names:
        assert batch.column(name).to_pylist() == [record.get(name) for record in records]
    assert set(batch.schema.names) == {name for record in records for name in record}
