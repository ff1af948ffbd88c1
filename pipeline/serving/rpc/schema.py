"""Messages of the Open Inference Protocol over gRPC, and of grpc.health.v1, in a pool of their own.

Names and numbers are those of kserve/open-inference-protocol, specification/protocol/open_inference_grpc.proto, and of
Triton's superset where its client asks for more. Generated code would register them in the process's common pool, where
a client's own copy of the same names collides; here they live in a private one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

INFERENCE: Final = "inference"
HEALTH: Final = "grpc.health.v1"
_FIELD: Final = re.compile(r"(?P<name>\w+) (?P<repeated>\*)?(?P<type>[\w.]+) (?P<number>\d+)(?P<choice> \?)?")
_TENSOR: Final = "name string 1, datatype string 2, shape *int64 3, parameters map 4, contents InferTensorContents 5"
_MESSAGES: Final[Mapping[str, Mapping[str, str]]] = {
    INFERENCE: {
        "ServerLiveRequest": "",
        "ServerLiveResponse": "live bool 1",
        "ServerReadyRequest": "",
        "ServerReadyResponse": "ready bool 1",
        "ModelReadyRequest": "name string 1, version string 2",
        "ModelReadyResponse": "ready bool 1",
        "ServerMetadataRequest": "",
        "ServerMetadataResponse": "name string 1, version string 2, extensions *string 3",
        "ModelMetadataRequest": "name string 1, version string 2",
        "ModelMetadataResponse": "name string 1, versions *string 2, platform string 3, "
        "inputs *ModelMetadataResponse.TensorMetadata 4, outputs *ModelMetadataResponse.TensorMetadata 5",
        "ModelMetadataResponse.TensorMetadata": "name string 1, datatype string 2, shape *int64 3",
        "InferParameter": "bool_param bool 1 ?, int64_param int64 2 ?, string_param string 3 ?, "
        "double_param double 4 ?, uint64_param uint64 5 ?",
        "InferTensorContents": "bool_contents *bool 1, int_contents *int32 2, int64_contents *int64 3, "
        "uint_contents *uint32 4, uint64_contents *uint64 5, fp32_contents *float 6, fp64_contents *double 7, "
        "bytes_contents *bytes 8",
        "ModelInferRequest": "model_name string 1, model_version string 2, id string 3, parameters map 4, "
        "inputs *ModelInferRequest.InferInputTensor 5, outputs *ModelInferRequest.InferRequestedOutputTensor 6, "
        "raw_input_contents *bytes 7",
        "ModelInferRequest.InferInputTensor": _TENSOR,
        "ModelInferRequest.InferRequestedOutputTensor": "name string 1, parameters map 2",
        "ModelInferResponse": "model_name string 1, model_version string 2, id string 3, parameters map 4, "
        "outputs *ModelInferResponse.InferOutputTensor 5, raw_output_contents *bytes 6",
        "ModelInferResponse.InferOutputTensor": _TENSOR,
        "RepositoryIndexRequest": "repository_name string 1, ready bool 2",
        "RepositoryIndexResponse": "models *RepositoryIndexResponse.ModelIndex 1",
        "RepositoryIndexResponse.ModelIndex": "name string 1, version string 2, state string 3, reason string 4",
        "RepositoryModelLoadRequest": "repository_name string 1, model_name string 2",
        "RepositoryModelLoadResponse": "",
        "RepositoryModelUnloadRequest": "repository_name string 1, model_name string 2",
        "RepositoryModelUnloadResponse": "",
        "StatisticDuration": "count uint64 1, ns uint64 2",
        "InferStatistics": "success StatisticDuration 1, fail StatisticDuration 2, queue StatisticDuration 3, "
        "compute_infer StatisticDuration 5",
        "ModelStatistics": "name string 1, version string 2, inference_count uint64 4, execution_count uint64 5, "
        "inference_stats InferStatistics 6",
        "ModelStatisticsRequest": "name string 1, version string 2",
        "ModelStatisticsResponse": "model_stats *ModelStatistics 1",
    },
    HEALTH: {
        "HealthCheckRequest": "service string 1",
        "HealthCheckResponse": "status int32 1",  # an enum on paper; the same on the wire
    },
}
_Field = descriptor_pb2.FieldDescriptorProto


@cache
def message(package: str, name: str) -> Any:
    """The class of a message."""
    return message_factory.GetMessageClass(_pool().FindMessageTypeByName(f"{package}.{name}"))


@cache
def _pool() -> descriptor_pool.DescriptorPool:
    pool = descriptor_pool.DescriptorPool()
    for package, messages in _MESSAGES.items():
        file = descriptor_pb2.FileDescriptorProto(name=f"{package}.proto", package=package, syntax="proto3")
        for name, fields in messages.items():
            outer, _, inner = name.partition(".")
            if inner:
                parent = next(one for one in file.message_type if one.name == outer)
                _describe(parent.nested_type.add(name=inner), package, name, fields)
            else:
                _describe(file.message_type.add(name=name), package, name, fields)
        pool.Add(file)
    return pool


def _describe(described: descriptor_pb2.DescriptorProto, package: str, path: str, fields: str) -> None:
    for found in _FIELD.finditer(fields):
        field = described.field.add(name=found["name"], number=int(found["number"]))
        field.label = _Field.LABEL_REPEATED if found["repeated"] or found["type"] == "map" else _Field.LABEL_OPTIONAL
        if found["type"] == "map":
            _map_of_parameters(described, field, package, path)
        elif found["type"][0].isupper():
            field.type, field.type_name = _Field.TYPE_MESSAGE, f".{package}.{found['type']}"
        else:
            field.type = getattr(_Field, f"TYPE_{found['type'].upper()}")
        if found["choice"]:
            if not described.oneof_decl:
                described.oneof_decl.add(name="parameter_choice")
            field.oneof_index = 0


def _map_of_parameters(
    described: descriptor_pb2.DescriptorProto, field: descriptor_pb2.FieldDescriptorProto, package: str, path: str
) -> None:
    """map<string, InferParameter>, which is a repeated entry on the wire."""
    entry = described.nested_type.add(name="ParametersEntry")
    entry.options.map_entry = True
    entry.field.add(name="key", number=1, label=_Field.LABEL_OPTIONAL, type=_Field.TYPE_STRING)
    value = entry.field.add(name="value", number=2, label=_Field.LABEL_OPTIONAL, type=_Field.TYPE_MESSAGE)
    value.type_name = f".{package}.InferParameter"
    field.type, field.type_name = _Field.TYPE_MESSAGE, f".{package}.{path}.ParametersEntry"
