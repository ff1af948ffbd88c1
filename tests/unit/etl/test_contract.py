"""The schema contract, decided without any row."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.etl.contract import OnChanged, OnNew, Settled, found_schema, meet, settle
from store.errors import SchemaChanged

TYPES = [pa.null(), pa.int16(), pa.int32(), pa.int64(), pa.float32(), pa.float64(), pa.string(), pa.bool_()]
TYPE = st.sampled_from(TYPES)


def decide(
    found: dict[str, pa.DataType],
    previous: dict[str, pa.DataType] | None = None,
    *,
    declared: dict[str, pa.DataType] | None = None,
    on_new: OnNew = "add",
    on_changed: OnChanged = "widen",
    keeps_rows: bool = True,
) -> Settled:
    return settle(
        pa.schema(list(found.items())),
        declared=declared or {},
        previous=None if previous is None else pa.schema(list(previous.items())),
        keeps_rows=keeps_rows,
        on_new=on_new,
        on_changed=on_changed,
        where="datasets.x",
    )


@given(TYPE, TYPE)
def test_types_meet_in_either_order_and_nothing_meets_anything(a: pa.DataType, b: pa.DataType) -> None:
    assert meet(a, b) == meet(b, a) or {a, b} <= {pa.float32(), pa.float64()}
    assert meet(a, pa.null()) == a
    assert meet(a, a) == a


def test_parts_meet_or_the_column_is_named() -> None:
    parts = [pa.schema([("a", pa.null())]), pa.schema([("a", pa.int64()), ("b", pa.string())])]
    assert found_schema(parts, "datasets.x") == parts[1]
    with pytest.raises(SchemaChanged, match="some of its values are string and some are bool") as caught:
        found_schema([pa.schema([("b", pa.string())]), pa.schema([("b", pa.bool_())])], "datasets.x")
    assert caught.value.where == "datasets.x.b"


def test_the_first_version_takes_what_is_found_and_changes_nothing() -> None:
    settled = decide({"a": pa.int64(), "b": pa.null()})
    assert (settled.schema.names, settled.changes, settled.rewrite) == (["a"], [], False)


def test_a_wider_type_rewrites_only_where_rows_stay() -> None:
    kept = decide({"a": pa.float64()}, {"a": pa.int64()})
    assert (kept.rewrite, kept.changes) == (True, ["column a: int64 → float64"])
    assert not decide({"a": pa.float64()}, {"a": pa.int64()}, keeps_rows=False).rewrite


def test_refuse_refuses_even_what_would_fit() -> None:
    with pytest.raises(SchemaChanged, match="int64 now, and its contract says float64"):
        decide({"a": pa.int64()}, {"a": pa.float64()}, on_changed="refuse")


def test_cast_keeps_the_type_that_is_there() -> None:
    assert decide({"a": pa.string()}, {"a": pa.int64()}, on_changed="cast").schema.field("a").type == pa.int64()


def test_a_declared_column_that_was_dropped_is_told() -> None:
    settled = decide({"a": pa.int64(), "b": pa.int64()}, {"a": pa.int64(), "b": pa.int64()}, declared={"a": pa.int64()})
    assert settled.changes == ["column b is no longer kept"]


def test_a_contract_that_contradicts_the_rows_that_stay_is_refused() -> None:
    with pytest.raises(SchemaChanged, match="the rows that are there are string"):
        decide({"a": pa.int64()}, {"a": pa.string()}, declared={"a": pa.int64()})
    cast = decide({"a": pa.int64()}, {"a": pa.string()}, declared={"a": pa.int64()}, on_changed="cast")
    assert cast.rewrite


def test_several_columns_that_are_gone_are_all_named() -> None:
    with pytest.raises(SchemaChanged, match=r"columns a, b of the contract are gone \(found: c\)"):
        decide({"c": pa.int64()}, {"a": pa.int64(), "b": pa.int64()})


@given(
    st.dictionaries(st.sampled_from("abc"), TYPE, min_size=1),
    st.dictionaries(st.sampled_from("abc"), TYPE.filter(lambda t: t != pa.null()), min_size=1),
    st.sampled_from(["add", "ignore"]),
)
def test_what_is_settled_holds_all_old_columns_and_never_a_narrower_type(
    found: dict[str, pa.DataType], previous: dict[str, pa.DataType], on_new: OnNew
) -> None:
    try:
        settled = decide(found, previous, on_new=on_new)
    except SchemaChanged:
        return
    for name, type_ in previous.items():
        assert meet(type_, settled.schema.field(name).type) == settled.schema.field(name).type
    new = set(settled.schema.names) - set(previous)
    assert new == ({n for n, t in found.items() if n not in previous and t != pa.null()} if on_new == "add" else set())
