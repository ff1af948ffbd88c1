"""The Open Inference Protocol v2 over REST: a body → a request, scores → a body. Pure.

JSON, with tensors inside it or as bytes behind it (the binary tensor extension: a header says where the JSON ends).
Source: kserve/open-inference-protocol, specification/protocol/inference_rest.md, and Triton's extension_binary_data.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import orjson

from pipeline.serving.columns import Columns
from pipeline.serving.outputs import Scores, described, tensor
from pipeline.serving.plain import null_is_enough
from pipeline.serving.refusal import malformed
from pipeline.serving.tensors import DATATYPES, Values, from_bytes, from_json, to_bytes
from pipeline.versions.signature import Categorical, Numeric, Signature

_WHOLE: Final = {int}


class Wanted(NamedTuple):
    """An output that was asked for."""

    name: str
    binary: bool


class Document(NamedTuple):
    """A request as far as it can be read without knowing the model."""

    id: str
    parameters: Mapping[str, Any]
    tensors: Mapping[str, tuple[Sequence[int], Values]]
    outputs: Sequence[Wanted] | None
    """None: all, as `all_binary` says."""
    all_binary: bool

    @property
    def unit(self) -> str | None:
        """Whom the request is about, for a sticky choice of the version. Raises Refusal."""
        unit = self.parameters.get("unit")
        if unit is None or isinstance(unit, str):
            return unit
        if isinstance(unit, bool) or not isinstance(unit, int):
            raise malformed("the parameter unit is text or a whole number")
        return str(unit)

    @property
    def lookup(self) -> bool:
        """Whether what the tensors lack is looked up in the feature views: the parameter `features` is `online`."""
        features = self.parameters.get("features")
        if features not in (None, "online"):
            raise malformed("the parameter features is `online`, or is not there")
        return features is not None

    @property
    def null(self) -> bool:
        """What is not known there is null, instead of a refusal."""
        return null_is_enough(self.parameters.get("missing"))

    @property
    def timeout_s(self) -> float | None:
        """`timeout` of the parameters is in microseconds, as Triton has it."""
        timeout = self.parameters.get("timeout")
        if timeout is None:
            return None
        if isinstance(timeout, bool) or not isinstance(timeout, int) or timeout < 0:
            raise malformed("the parameter timeout is a whole number of microseconds")
        return timeout / 1e6 if timeout else None


def read(body: bytes, json_length: int | None) -> Document:
    """`json_length`: bytes of JSON before the binary data, if there is such a header. Raises Refusal."""
    if json_length is not None and not 0 <= json_length <= len(body):
        raise malformed(f"Inference-Header-Content-Length is {json_length}, and the body has {len(body)} bytes")
    whole = memoryview(body)
    document = _document(whole if json_length is None else whole[:json_length])
    raw = whole[len(body) if json_length is None else json_length :]
    parameters = _parameters(document, "the request")
    all_binary = bool(parameters.get("binary_data_output"))
    return Document(
        _text(document.get("id", ""), "`id`"),
        parameters,
        _tensors(document.get("inputs"), raw),
        _wanted(document.get("outputs"), all_binary),
        all_binary,
    )


def encoded(document: Document, columns: Columns, most_rows: int) -> tuple[Numeric, Categorical, Sequence[Wanted]]:
    """The arrays for the model, and the outputs that are wanted of it. Raises Refusal."""
    known, wanted = columns.outputs, document.outputs
    if wanted is None:
        wanted = [Wanted(name, document.all_binary) for name in known]
    else:
        _require_outputs(wanted, known)
    numeric, categorical = columns.of_tensors(document.tensors)
    check_rows(len(numeric), most_rows)
    return numeric, categorical, wanted


def _require_outputs(wanted: Sequence[Wanted], known: Sequence[str]) -> None:
    """Each once: an answer must not be many times as large as what it is made of."""
    asked: set[str] = set()
    for one in wanted:
        if one.name not in known:
            raise malformed(f"the model has no output {one.name}; it gives {', '.join(known)}")
        if one.name in asked:
            raise malformed(f"output {one.name} is asked for twice")
        asked.add(one.name)


def check_rows(rows: int, most: int) -> None:
    if rows == 0:
        raise malformed("the request has no rows")
    if rows > most:
        raise malformed(f"the request has {rows} rows; at most {most} are answered at once, send several")


def answer(
    document: Document, wanted: Sequence[Wanted], model: str, version: int, signature: Signature, scores: Scores
) -> tuple[bytes, int | None]:
    """The body, and how much of it is JSON when binary data follow it."""
    outputs: list[dict[str, Any]] = []
    pieces: list[bytes] = []
    for one in wanted:
        found = tensor(one.name, signature, scores)
        entry: dict[str, Any] = {"name": found.name, "datatype": found.datatype, "shape": found.shape}
        if one.binary:
            pieces.append(to_bytes(found.values))
            entry["parameters"] = {"binary_data_size": len(pieces[-1])}
        else:
            entry["data"] = found.values
        outputs.append(entry)
    said = {"model_name": model, "model_version": str(version), "id": document.id, "outputs": outputs}
    text = orjson.dumps(said, option=orjson.OPT_SERIALIZE_NUMPY)
    if not any(one.binary for one in wanted):
        return text, None
    return b"".join([text, *pieces]), len(text)


def metadata(model: str, versions: Sequence[int], columns: Columns) -> dict[str, Any]:
    """A model as clients see it: a tensor for each column."""
    inputs = [
        {"name": column.name, "datatype": "FP32" if column.kind == "numeric" else "BYTES", "shape": [-1]}
        for column in columns.signature.inputs
    ]
    return {
        "name": model,
        "versions": [str(version) for version in versions],
        "platform": "trainshed_stablehlo",
        "inputs": inputs,
        "outputs": described(columns.signature),
    }


# ----------------------------------------------------------------------------------------------------- reading


def _document(text: memoryview) -> dict[str, Any]:
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise malformed(f"the body is not JSON: {error}") from None
    if not isinstance(document, dict):
        raise malformed("the body is not an object with `inputs`")
    return document


def _tensors(inputs: Any, raw: memoryview) -> dict[str, tuple[Sequence[int], Values]]:
    if not isinstance(inputs, list) or not inputs:
        raise malformed("`inputs` is an array of at least one tensor")
    tensors: dict[str, tuple[Sequence[int], Values]] = {}
    place = 0
    for entry in inputs:
        if not isinstance(entry, dict):
            raise malformed("each of `inputs` is an object")
        name = _text(entry.get("name"), "`name` of an input")
        if name in tensors:
            raise malformed(f"input {name} is there twice")
        datatype, shape = _kind(name, entry), _shape(name, entry)
        size = _parameters(entry, f"input {name}").get("binary_data_size") if "parameters" in entry else None
        if size is None:
            tensors[name] = shape, from_json(name, datatype, shape, entry.get("data"))
            continue
        if not isinstance(size, int) or isinstance(size, bool) or not 0 <= size <= len(raw) - place or "data" in entry:
            raise malformed(f"input {name}: its binary_data_size is not what the body holds, or it has `data` too")
        tensors[name] = shape, from_bytes(name, datatype, shape, raw[place : place + size])
        place += size
    if place != len(raw):
        raise malformed(f"{len(raw) - place} bytes behind the JSON belong to no input")
    return tensors


def _kind(name: str, entry: Mapping[str, Any]) -> str:
    datatype = entry.get("datatype")
    if not isinstance(datatype, str) or datatype not in DATATYPES:
        raise malformed(f"input {name}: there is no datatype {datatype!r}; use one of {', '.join(sorted(DATATYPES))}")
    return datatype


def _shape(name: str, entry: Mapping[str, Any]) -> list[int]:
    shape = entry.get("shape")
    if not isinstance(shape, list) or set(map(type, shape)) != _WHOLE or min(shape) < 0:
        raise malformed(f"input {name}: `shape` is an array of whole numbers, not {shape!r}"[:300])
    return shape


def _wanted(outputs: Any, all_binary: bool) -> Sequence[Wanted] | None:
    if outputs is None or outputs == []:
        return None
    if not isinstance(outputs, list) or not all(isinstance(one, dict) for one in outputs):
        raise malformed("`outputs` is an array of objects")
    found = []
    for one in outputs:
        name = _text(one.get("name"), "`name` of an output")
        found.append(Wanted(name, bool(_parameters(one, f"output {name}").get("binary_data", all_binary))))
    return found


def _parameters(entry: Mapping[str, Any], of_what: str) -> Mapping[str, Any]:
    parameters = entry.get("parameters")
    if parameters is None:
        return {}
    if not isinstance(parameters, dict):
        raise malformed(f"`parameters` of {of_what} is not an object")
    return parameters


def _text(value: Any, what: str) -> str:
    if not isinstance(value, str):
        raise malformed(f"{what} is not a string")
    return value
