"""ModelInfer's messages ↔ the documents and tensors that the other doors have. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from pipeline.serving.oip import Document, Wanted
from pipeline.serving.outputs import Scores, tensor
from pipeline.serving.refusal import malformed
from pipeline.serving.rpc.schema import INFERENCE, message
from pipeline.serving.tensors import DATATYPES, Values, from_bytes, from_json, to_bytes
from pipeline.versions.signature import Signature

_CONTENTS: Final[Mapping[str, str]] = {
    "BOOL": "bool_contents",
    "INT8": "int_contents",
    "INT16": "int_contents",
    "INT32": "int_contents",
    "INT64": "int64_contents",
    "UINT8": "uint_contents",
    "UINT16": "uint_contents",
    "UINT32": "uint_contents",
    "UINT64": "uint64_contents",
    "FP32": "fp32_contents",
    "FP64": "fp64_contents",
    "BYTES": "bytes_contents",
}


def document_of(request: Any) -> Document:
    """A ModelInferRequest as a document; `all_binary` when its tensors are raw bytes. Raises Refusal."""
    raw = list(request.raw_input_contents)
    if raw and len(raw) != len(request.inputs):
        raise malformed(f"there are {len(raw)} raw_input_contents for {len(request.inputs)} inputs")
    if not request.inputs:
        raise malformed("`inputs` has at least one tensor")
    tensors: dict[str, tuple[Sequence[int], Values]] = {}
    for place, one in enumerate(request.inputs):
        if one.name in tensors:
            raise malformed(f"input {one.name} is there twice")
        tensors[one.name] = _tensor(one, raw[place] if raw else None)
    wanted = [Wanted(one.name, bool(raw)) for one in request.outputs] or None
    return Document(request.id, _parameters(request.parameters), tensors, wanted, bool(raw))


def response_of(
    document: Document, wanted: Sequence[Wanted], model: str, version: int, signature: Signature, scores: Scores
) -> Any:
    """A ModelInferResponse: raw bytes to those who sent them, contents to the others."""
    response = message(INFERENCE, "ModelInferResponse")(model_name=model, model_version=str(version), id=document.id)
    for one in wanted:
        found = tensor(one.name, signature, scores)
        output = response.outputs.add(name=found.name, datatype=found.datatype, shape=found.shape)
        if document.all_binary:
            response.raw_output_contents.append(to_bytes(found.values))
        elif isinstance(found.values, list):
            output.contents.bytes_contents.extend([word.encode() for word in found.values])
        else:
            output.contents.fp32_contents.extend(found.values.tolist())
    return response


def _tensor(one: Any, raw: bytes | None) -> tuple[Sequence[int], Values]:
    name, datatype, shape = one.name, one.datatype, list(one.shape)
    if datatype not in DATATYPES:
        raise malformed(f"input {name}: there is no datatype {datatype!r}; use one of {', '.join(sorted(DATATYPES))}")
    if any(size < 0 for size in shape):
        raise malformed(f"input {name}: `shape` is an array of whole numbers, not {shape!r}"[:300])
    if raw is not None:
        if one.HasField("contents"):
            raise malformed(f"input {name} has contents, and raw_input_contents too")
        return shape, from_bytes(name, datatype, shape, raw)
    if datatype not in _CONTENTS:
        raise malformed(f"input {name}: {datatype} has no contents; send it as raw_input_contents")
    data: list[Any] = list(getattr(one.contents, _CONTENTS[datatype]))
    if datatype == "BYTES":
        try:
            data = [word.decode() for word in data]
        except UnicodeDecodeError:
            raise malformed(f"input {name}: a value is not UTF-8") from None
    if datatype in ("FP32", "FP64"):
        return shape, _floats(name, shape, data)
    return shape, from_json(name, datatype, shape, data)


def _floats(name: str, shape: Sequence[int], data: list[float]) -> Values:
    """As from JSON; NaN and infinity, which JSON has not, are missing values."""
    return from_json(name, "FP64", shape, data)


def _parameters(given: Any) -> dict[str, Any]:
    found = {}
    for name, value in given.items():
        choice = value.WhichOneof("parameter_choice")
        found[name] = None if choice is None else getattr(value, choice)
    return found
