"""Bodies of requests: the same numbers as training had, whatever form they came in, or a sentence."""

from __future__ import annotations

import gzip
import struct
import tracemalloc
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.serving import oip, plain
from pipeline.serving.bodies import unpacked
from pipeline.serving.columns import Columns
from pipeline.serving.outputs import SCORE
from pipeline.serving.refusal import Refusal
from pipeline.serving.tensors import to_bytes
from pipeline.versions.encoding import encode
from pipeline.versions.signature import InputColumn, Signature
from tests.examples import examples

SIGNATURE = Signature(
    inputs=[
        InputColumn(name="distance", kind="numeric"),
        InputColumn(name="carrier", kind="categorical", vocabulary=["AA", "UA", "7", "true", "1.5"]),
        InputColumn(name="hour", kind="numeric"),
    ],
    task="binary",
    label="late",
    classes=["false", "true"],
)
COLUMNS = Columns(SIGNATURE)
MULTICLASS = SIGNATURE.model_copy(update={"task": "multiclass", "classes": ["a", "b", "c"]})
numbers = st.one_of(st.none(), st.floats(width=32, allow_nan=False), st.integers(-(2**53), 2**53))
texts = st.one_of(st.none(), st.sampled_from(["AA", "UA", "7", "true", "zz", ""]), st.text(max_size=5))
rows = st.lists(st.tuples(numbers, texts, numbers), min_size=1, max_size=9)


def trained_encoding(values: list[tuple[Any, Any, Any]]) -> tuple[Any, Any]:
    distance, carrier, hour = zip(*values, strict=True)
    table = pa.table(
        {
            "distance": pa.array([None if v is None else float(v) for v in distance], pa.float64()),
            "carrier": pa.array(carrier, pa.string()),
            "hour": pa.array([None if v is None else float(v) for v in hour], pa.float64()),
        }
    )
    return encode(table, SIGNATURE)


def same(found: tuple[Any, Any], expected: tuple[Any, Any]) -> None:
    assert found[0].dtype == np.float32
    assert found[1].dtype == np.int32
    np.testing.assert_array_equal(found[0], expected[0])
    np.testing.assert_array_equal(found[1], expected[1])


def finite(values: Any) -> Any:
    """JSON has no infinity."""
    return [tuple(None if isinstance(v, float) and not np.isfinite(v) else v for v in row) for row in values]


@pytest.mark.slow
@given(rows)
def test_rows_of_plain_json_are_encoded_as_training_encodes_a_table(values: Any) -> None:
    body = orjson.dumps([dict(zip(("distance", "carrier", "hour"), row, strict=True)) for row in finite(values)])
    same(COLUMNS.of_rows(plain.read(body).rows), trained_encoding(finite(values)))


def infer(inputs: list[dict[str, Any]], raw: bytes = b"", **more: Any) -> tuple[bytes, int | None]:
    text = orjson.dumps({"inputs": inputs, **more}, option=orjson.OPT_SERIALIZE_NUMPY)
    return text + raw, len(text) if raw else None


def read(body: tuple[bytes, int | None]) -> tuple[Any, Any]:
    numeric, categorical, _ = oip.encoded(oip.read(*body), COLUMNS, 1000)
    return numeric, categorical


@pytest.mark.slow
@given(rows, st.booleans())
def test_tensors_in_json_are_encoded_as_training_encodes_a_table(values: Any, nested: bool) -> None:
    distance, carrier, hour = zip(*finite(values), strict=True)
    shape = [len(values), 1] if nested else [len(values)]

    def data(column: Any) -> Any:
        return [[value] for value in column] if nested else column

    body = infer(
        [
            {"name": "hour", "datatype": "FP64", "shape": shape, "data": data(hour)},
            {"name": "distance", "datatype": "FP64", "shape": shape, "data": data(distance)},
            {"name": "carrier", "datatype": "BYTES", "shape": shape, "data": data(carrier)},
        ]
    )
    same(read(body), trained_encoding(finite(values)))


@pytest.mark.slow
@given(st.lists(st.tuples(st.floats(width=32), st.text(max_size=5), st.floats(width=32)), min_size=1, max_size=9))
def test_tensors_in_bytes_are_encoded_as_training_encodes_a_table(values: Any) -> None:
    distance, carrier, hour = zip(*values, strict=True)
    tensors = [
        ("distance", "FP32", to_bytes(np.array(distance, np.float32))),
        ("carrier", "BYTES", to_bytes(list(carrier))),
        ("hour", "FP64", np.array(hour, "<f8").tobytes()),
    ]
    body = infer(
        [
            {"name": n, "datatype": d, "shape": [len(values)], "parameters": {"binary_data_size": len(raw)}}
            for n, d, raw in tensors
        ],
        b"".join(raw for _, _, raw in tensors),
    )
    same(read(body), trained_encoding(values))


@pytest.mark.slow
@given(st.lists(st.tuples(st.floats(width=32), st.text(max_size=3), st.floats(width=32)), min_size=1, max_size=9))
def test_packed_columns_are_the_same_rows(values: Any) -> None:
    matrix = np.array([[row[0], row[2]] for row in values], "<f4")
    raw = matrix.tobytes()
    body = infer(
        [
            {
                "name": "numeric",
                "datatype": "FP32",
                "shape": [len(values), 2],
                "parameters": {"binary_data_size": len(raw)},
            },
            {"name": "categorical", "datatype": "BYTES", "shape": [len(values), 1], "data": [row[1] for row in values]},
        ],
        raw,
    )
    same(read(body), trained_encoding(values))


@pytest.mark.parametrize("value", [7, 7.0, "7", True, 1.5, None])
def test_a_category_is_the_same_word_in_every_type(value: Any) -> None:
    found = COLUMNS.of_rows([{"distance": 1, "carrier": value, "hour": 2}])[1]
    expected = encode(pa.table({"distance": [1.0], "carrier": pa.array([value]), "hour": [2.0]}), SIGNATURE)[1]
    assert found.tolist() == expected.tolist()


@pytest.mark.parametrize(
    ("datatype", "values", "encoded"),
    [
        ("INT8", [1, -1], "b"),
        ("INT64", [1, -1], "q"),
        ("UINT16", [1, 2], "H"),
        ("BOOL", [True, False], "?"),
        ("FP16", [1.5, 2.0], "e"),
    ],
)
def test_every_kind_of_number_may_be_sent(datatype: str, values: list[Any], encoded: str) -> None:
    raw = struct.pack(f"<2{encoded}", *values)
    body = infer(
        [
            {"name": "distance", "datatype": datatype, "shape": [2], "parameters": {"binary_data_size": len(raw)}},
            {"name": "hour", "datatype": "FP32", "shape": [2], "data": [0, 0]},
            {"name": "carrier", "datatype": "BYTES", "shape": [2], "data": ["AA", "UA"]},
        ],
        raw,
    )
    assert read(body)[0][:, 0].tolist() == [float(value) for value in values]


def test_bfloat16_is_the_upper_half_of_a_float32() -> None:
    raw = (np.array([1.5, -2.0], "<f4").view("<u4") >> 16).astype("<u2").tobytes()
    body = infer(
        [
            {"name": "distance", "datatype": "BF16", "shape": [2], "parameters": {"binary_data_size": 4}},
            {"name": "hour", "datatype": "FP32", "shape": [2], "data": [0, 0]},
            {"name": "carrier", "datatype": "BYTES", "shape": [2], "data": ["AA", "UA"]},
        ],
        raw,
    )
    assert read(body)[0][:, 0].tolist() == [1.5, -2.0]


GOOD: list[dict[str, Any]] = [
    {"name": "distance", "datatype": "FP32", "shape": [1], "data": [1.0]},
    {"name": "hour", "datatype": "FP32", "shape": [1], "data": [2.0]},
    {"name": "carrier", "datatype": "BYTES", "shape": [1], "data": ["AA"]},
]


def with_input(**change: Any) -> list[dict[str, Any]]:
    return [{**GOOD[0], **change}, *GOOD[1:]]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "the body is not JSON"),
        (b"[1]", "not an object with `inputs`"),
        (b'{"inputs": [{"name": "distance", "datatype": "FP32", "shape": [1], "data": [NaN]}]}', "not JSON"),
        (infer([])[0], "at least one tensor"),
        (infer(GOOD[:2])[0], "input carrier is missing"),
        (infer([*GOOD, {**GOOD[0], "name": "distanse"}])[0], "no input distanse; did you mean distance?"),
        (infer([*GOOD, GOOD[0]])[0], "distance is there twice"),
        (infer(with_input(shape=[2]))[0], r"has 1 values, and shape \[2\] has 2"),
        (infer(with_input(shape=[1, 2], data=[1, 2]))[0], r"has shape \[1, 2\], and the model takes \[rows\]"),
        (infer(with_input(shape=[2], data=[1, 2]))[0], "input carrier has 1 rows, and distance has 2"),
        (infer(with_input(shape=[-1]))[0], "`shape` is an array of whole numbers"),
        (infer(with_input(shape=[True]))[0], "`shape` is an array of whole numbers"),
        (infer(with_input(data=["far"]))[0], "input distance: value 0, 'far', is not a FP32"),
        (infer(with_input(data=[[1.0], 2.0]))[0], "nested here and flat there"),
        (infer(with_input(datatype="FLOAT"))[0], "there is no datatype 'FLOAT'"),
        (infer(with_input(datatype="FP16"))[0], "FP16 has no form in JSON"),
        (infer(with_input(datatype="INT8", data=[300]))[0], "too large for INT8"),
        (infer(with_input(datatype="INT8", data=[1.5]))[0], "is not a INT8"),
        (infer(with_input(datatype="BYTES", data=["1"]))[0], "distance is BYTES, and the model takes numbers"),
        (infer(with_input(parameters={"binary_data_size": 4}))[0], "binary_data_size is not what the body holds"),
        (infer(GOOD, id=7)[0], "`id` is not a string"),
        (infer(GOOD, outputs=[{"name": "scores"}])[0], "no output scores; it gives score, label"),
        (infer(GOOD, outputs=[{"name": "score"}] * 50_000)[0], "output score is asked for twice"),
        (infer(GOOD, parameters={"unit": ["ann"]})[0], "the parameter unit is text or a whole number"),
        (infer(GOOD, parameters={"unit": True})[0], "the parameter unit is text or a whole number"),
        (infer([{**one, "shape": [0], "data": []} for one in GOOD])[0], "the request has no rows"),
        (
            infer([{"name": "numeric", "datatype": "FP32", "shape": [1, 3], "data": [1, 2, 3]}])[0],
            "categorical is missing",
        ),
    ],
)
def test_what_is_wrong_with_tensors_is_said_in_a_sentence(body: bytes, said: str) -> None:
    def asked() -> None:
        document = oip.read(body, None)
        oip.encoded(document, COLUMNS, 1000)
        assert document.unit is None

    with pytest.raises(Refusal, match=said) as refused:
        asked()
    assert refused.value.status == 400


def test_bytes_that_belong_to_no_tensor_or_are_cut_short_are_refused() -> None:
    sized = {"name": "distance", "datatype": "FP32", "shape": [1], "parameters": {"binary_data_size": 4}}
    with pytest.raises(Refusal, match="3 bytes behind the JSON belong to no input"):
        oip.read(*infer([sized, *GOOD[1:]], b"\0" * 7))
    words = {"name": "carrier", "datatype": "BYTES", "shape": [1], "parameters": {"binary_data_size": 6}}
    with pytest.raises(Refusal, match="its BYTES are cut short"):
        oip.read(*infer([*GOOD[:2], words], struct.pack("<I", 3) + b"AA"))
    with pytest.raises(Refusal, match="Inference-Header-Content-Length is 99"):
        oip.read(b"{}", 99)


def test_too_many_rows_are_refused_with_the_limit() -> None:
    many = [{**one, "shape": [11], "data": one["data"] * 11} for one in GOOD]
    with pytest.raises(Refusal, match="has 11 rows; at most 10"):
        oip.encoded(oip.read(*infer(many)), COLUMNS, 10)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"nonsense", "the body is not JSON"),
        (b"7", "send a row"),
        (b'[{"distance": 1}, 7]', "row 1 is not an object"),
        (b'{"distance": 1, "carrier": "AA"}', "row 0 has no column 'hour'; send null"),
        (b'{"distance": 1, "carrier": "AA", "hours": 3}', "row 0 has no column 'hour'; is 'hours' meant?"),
        (b'{"distance": "far", "carrier": "AA", "hour": 3}', "row 0, column 'distance': 'far' is not a number"),
        (b'{"distance": 1, "carrier": ["AA"], "hour": 3}', "column 'carrier': .* is not text"),
        (b'{"rows": [], "timeout_ms": -1}', "`timeout_ms` is a number of milliseconds"),
        (b'{"rows": [], "id": 1.5}', "`id` is not a string"),
    ],
)
def test_what_is_wrong_with_rows_is_said_in_a_sentence(body: bytes, said: str) -> None:
    with pytest.raises(Refusal, match=said):
        COLUMNS.of_rows(plain.read(body).rows)


@pytest.mark.slow
@settings(max_examples=examples(500))
@given(
    st.binary(max_size=200)
    | st.recursive(
        st.none()
        | st.booleans()
        | st.floats(allow_nan=False)
        | st.integers()
        | st.sampled_from(["inputs", "name", "distance", "carrier", "hour", "FP32", "BYTES", "data", "shape", "rows"]),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from(
                    ["inputs", "outputs", "name", "datatype", "shape", "data", "parameters", "id", "rows", "distance"]
                ),
                inner,
                max_size=5,
            )
        ),
    ).map(lambda value: orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS, default=str) if small(value) else b"1"),
    st.none() | st.integers(-1, 300),
)
def test_no_body_whatever_breaks_the_codec(body: bytes, length: int | None) -> None:
    for use in (
        lambda: oip.encoded(oip.read(body, length), COLUMNS, 100),
        lambda: COLUMNS.of_rows(plain.read(body).rows),
    ):
        refused = refusal_of(use)
        assert refused is None or (400 <= refused.status < 500 and orjson.loads(refused.body())["error"])


def refusal_of(use: Callable[[], object]) -> Refusal | None:
    """Any other error is the test's failure."""
    try:
        use()
    except Refusal as refused:
        return refused
    return None


def small(value: Any) -> bool:
    """Whether orjson can write it: 64 bits."""
    if isinstance(value, int):
        return -(2**63) <= value < 2**64
    if isinstance(value, list):
        return all(map(small, value))
    return all(map(small, value.values())) if isinstance(value, dict) else True


def test_an_answer_has_id_model_version_and_outputs_in_json() -> None:
    document = oip.read(*infer(GOOD, id="q7"))
    _, _, wanted = oip.encoded(document, COLUMNS, 10)
    text, length = oip.answer(document, wanted, "late", 3, SIGNATURE, np.array([0.25, 0.75], np.float32))
    assert length is None
    assert orjson.loads(text) == {
        "model_name": "late",
        "model_version": "3",
        "id": "q7",
        "outputs": [
            {"name": "score", "datatype": "FP32", "shape": [2], "data": [0.25, 0.75]},
            {"name": "label", "datatype": "BYTES", "shape": [2], "data": ["false", "true"]},
        ],
    }


def test_an_answer_in_bytes_says_where_they_begin_and_how_many_they_are() -> None:
    document = oip.read(*infer(GOOD, parameters={"binary_data_output": True}))
    _, _, wanted = oip.encoded(document, COLUMNS, 10)
    body, length = oip.answer(document, wanted, "late", 3, SIGNATURE, np.array([0.25], np.float32))
    assert length is not None
    sizes = [output["parameters"]["binary_data_size"] for output in orjson.loads(body[:length])["outputs"]]
    assert sizes == [4, 9]
    assert body[length:] == struct.pack("<f", 0.25) + struct.pack("<I", 5) + b"false"


def test_only_the_outputs_that_are_asked_for_are_given_each_in_its_own_form() -> None:
    document = oip.read(*infer(GOOD, outputs=[{"name": SCORE, "parameters": {"binary_data": True}}]))
    _, _, wanted = oip.encoded(document, COLUMNS, 10)
    assert wanted == [oip.Wanted(SCORE, binary=True)]


def test_metadata_name_a_tensor_for_each_column() -> None:
    found = oip.metadata("late", [3, 2], COLUMNS)
    assert [(one["name"], one["datatype"]) for one in found["inputs"]] == [
        ("distance", "FP32"),
        ("carrier", "BYTES"),
        ("hour", "FP32"),
    ]
    assert found["versions"] == ["3", "2"]


def test_plain_answers_give_probabilities_by_class() -> None:
    request = plain.read(b'{"rows": [], "id": 7}')
    two = orjson.loads(plain.answer(request, "late", 3, SIGNATURE, np.array([0.75], np.float32)))
    assert two == {
        "model": "late",
        "version": 3,
        "predictions": [{"label": "true", "probabilities": {"false": 0.25, "true": 0.75}}],
        "id": "7",
    }
    many = orjson.loads(plain.answer(request, "late", 3, MULTICLASS, np.array([[0.25, 0.5, 0.25]], np.float32)))
    assert many["predictions"] == [{"label": "b", "probabilities": {"a": 0.25, "b": 0.5, "c": 0.25}}]


# -------------------------------------------------------------------------------------------------- compression


def raw_deflate(data: bytes) -> bytes:
    stream = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return stream.compress(data) + stream.flush()


@given(st.binary(min_size=1, max_size=2000))
def test_compressed_bodies_come_back_as_they_were(data: bytes) -> None:
    assert unpacked(data, "", 5000) == data
    assert unpacked(gzip.compress(data), "gzip", 5000) == data
    assert unpacked(gzip.compress(data) + gzip.compress(data), "GZIP", 5000) == data * 2
    assert unpacked(zlib.compress(data), "deflate", 5000) == data
    assert unpacked(raw_deflate(data), "deflate", 5000) == data


@pytest.mark.slow
def test_a_bomb_costs_no_more_than_the_limit() -> None:
    bomb = gzip.compress(b"\0" * 200_000_000, 1)
    tracemalloc.start()
    with pytest.raises(Refusal, match="unpacks to more than 100000 bytes") as refused:
        unpacked(bomb, "gzip", 100_000)
    assert tracemalloc.get_traced_memory()[1] < 2_000_000 + len(bomb)
    tracemalloc.stop()
    assert refused.value.status == 413


@pytest.mark.parametrize(
    ("body", "encoding", "status"),
    [(b"x", "br", 415), (b"not gzip", "gzip", 400), (gzip.compress(b"some text")[:-9], "gzip", 400)],
    ids=["unknown", "none", "cut"],
)
def test_damaged_and_unknown_compression_is_refused(body: bytes, encoding: str, status: int) -> None:
    with pytest.raises(Refusal) as refused:
        unpacked(body, encoding, 1000)
    assert refused.value.status == status


@given(st.binary(max_size=300), st.sampled_from(["gzip", "deflate"]))
def test_no_compressed_body_whatever_breaks_the_unpacking(body: bytes, encoding: str) -> None:
    refused = refusal_of(lambda: unpacked(body, encoding, 1000))
    assert refused is None or refused.status in (400, 413)


def test_a_body_of_very_many_members_is_refused_at_once() -> None:
    with pytest.raises(Refusal, match="more than 16 members"):
        unpacked(gzip.compress(b"") * 100_000, "gzip", 1000)
