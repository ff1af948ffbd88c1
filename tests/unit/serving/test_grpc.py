"""The gRPC door: Triton's unmodified client, beside our own messages in one process; and what is said of faults."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import grpc
import numpy as np
import pytest
import tritonclient.grpc as triton
from tritonclient.grpc import service_pb2
from tritonclient.utils import InferenceServerException

from pipeline.serving.loaded import LoadedVersion
from pipeline.serving.rpc import schema
from pipeline.serving.rpc.schema import HEALTH, INFERENCE, message
from store.routing import Arm, Route, Snapshot
from tests.unit.serving.door import Door, opened


@pytest.fixture(scope="module")
def door(loaded: LoadedVersion) -> Iterator[Door]:
    arm = Arm(version=3, digest=loaded.digest)
    with opened({("late", 3): loaded}, Snapshot(epoch=7, routes={"late": Route(arms=(arm,))})) as door:
        yield door


@pytest.fixture
def client(door: Door) -> Iterator[Any]:
    client = triton.InferenceServerClient(f"{door.host}:{door.grpc_port}")
    yield client
    client.close()


@pytest.fixture
def channel(door: Door) -> Iterator[Any]:
    with grpc.insecure_channel(f"{door.host}:{door.grpc_port}") as channel:
        yield channel


def inputs(rows: int) -> list[Any]:
    distance, hour = (triton.InferInput(name, [rows], "FP32") for name in ("distance", "hour"))
    carrier = triton.InferInput("carrier", [rows, 1], "BYTES")
    distance.set_data_from_numpy(np.linspace(100, 900, rows, dtype=np.float32))
    hour.set_data_from_numpy(np.full(rows, 12, np.float32))
    carrier.set_data_from_numpy(np.array(["AA"] * rows, np.object_).reshape(rows, 1))
    return [distance, carrier, hour]


def expected(loaded: LoadedVersion, rows: int) -> np.ndarray:
    numeric = np.stack([np.linspace(100, 900, rows), np.full(rows, 12)], axis=1).astype(np.float32)
    return loaded.run(numeric, np.full((rows, 1), 2, np.int32))


def call(channel: Any, name: str, request: Any, response: str, service: str = "inference.GRPCInferenceService") -> Any:
    package = INFERENCE if service.startswith("inference") else HEALTH
    return channel.unary_unary(
        f"/{service}/{name}",
        request_serializer=lambda one: one.SerializeToString(),
        response_deserializer=message(package, response).FromString,
    )(request, timeout=20)


def test_every_field_has_the_name_and_number_that_tritons_client_knows() -> None:
    known = service_pb2.DESCRIPTOR.message_types_by_name
    for name in schema._MESSAGES[INFERENCE]:
        outer, _, inner = name.partition(".")
        theirs = known[outer] if not inner else known[outer].nested_types_by_name[inner]
        ours = message(INFERENCE, name).DESCRIPTOR
        for field in ours.fields:
            assert theirs.fields_by_name[field.name].number == field.number, f"{name}.{field.name}"
            assert theirs.fields_by_name[field.name].type == field.type, f"{name}.{field.name}"


def test_health_metadata_repository_and_statistics_are_understood(client: Any) -> None:
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready("late")
    assert client.is_model_ready("late", "3")
    assert not client.is_model_ready("late", "9")
    assert not client.is_model_ready("other")
    assert client.get_server_metadata().name == "trainshed"
    metadata = client.get_model_metadata("late")
    first = metadata.inputs[0]
    assert (first.name, first.datatype, list(first.shape)) == ("distance", "FP32", [-1])
    assert [(one.name, one.state) for one in client.get_model_repository_index().models] == [("late", "READY")]
    for asked in (("late", "3"), ("late",), ()):
        assert [(one.name, one.version) for one in client.get_inference_statistics(*asked).model_stats] == [
            ("late", "3")
        ]
    client.load_model("late")
    with pytest.raises(InferenceServerException, match="trainshed promote late VERSION"):
        client.unload_model("late")


@pytest.mark.parametrize("rows", [1, 2, 37])
def test_a_call_with_the_defaults_has_scores_and_labels(client: Any, loaded: LoadedVersion, rows: int) -> None:
    answer = client.infer("late", inputs(rows), request_id="r1")
    assert answer.get_response().id == "r1"
    np.testing.assert_allclose(answer.as_numpy("score"), expected(loaded, rows), rtol=1e-5)
    assert set(answer.as_numpy("label")) <= {b"true", b"false"}


def test_compressed_calls_and_deadlines_are_answered(client: Any, loaded: LoadedVersion) -> None:
    answer = client.infer("late", inputs(2), compression_algorithm="gzip", client_timeout=20)
    np.testing.assert_allclose(answer.as_numpy("score"), expected(loaded, 2), rtol=1e-5)


def test_one_output_may_be_asked_for(client: Any) -> None:
    answer = client.infer("late", inputs(1), outputs=[triton.InferRequestedOutput("label")])
    assert answer.as_numpy("score") is None
    assert answer.as_numpy("label") is not None


@pytest.mark.parametrize(
    ("named", "status", "said"),
    [
        ({"model_name": "none"}, "NOT_FOUND", "there is no model 'none' here"),
        ({"model_name": "late", "model_version": "9"}, "NOT_FOUND", "version 9 of late is not served"),
        ({"model_name": "late", "inputs": slice(0, 2)}, "INVALID_ARGUMENT", "input hour is missing"),
    ],
)
def test_what_is_wrong_is_said_with_the_status_that_grpc_has_for_it(
    client: Any, named: dict[str, Any], status: str, said: str
) -> None:
    given = inputs(1)[named.pop("inputs", slice(None))]
    with pytest.raises(InferenceServerException, match=said) as refused:
        client.infer(inputs=given, **named)
    assert refused.value.status() == f"StatusCode.{status}"


def infer_request(**contents: Any) -> Any:
    request = message(INFERENCE, "ModelInferRequest")(model_name="late", id="c")
    for name, datatype, field, values in (
        ("distance", "FP32", "fp32_contents", [500.0]),
        ("hour", "INT32", "int_contents", [12]),
        ("carrier", "BYTES", "bytes_contents", [b"AA"]),
    ):
        tensor = request.inputs.add(name=name, datatype=datatype, shape=[1])
        getattr(tensor.contents, field).extend(contents.get(name, values))
    return request


def test_contents_are_answered_in_contents_with_the_epoch_behind_them(channel: Any, loaded: LoadedVersion) -> None:
    call_ = channel.unary_unary(
        "/inference.GRPCInferenceService/ModelInfer",
        request_serializer=lambda one: one.SerializeToString(),
        response_deserializer=message(INFERENCE, "ModelInferResponse").FromString,
    )
    answer, told = call_.with_call(infer_request(), timeout=20)
    assert answer.id == "c"
    assert answer.model_version == "3"
    score = loaded.run(np.array([[500, 12]], np.float32), np.array([[2]], np.int32))
    assert list(answer.outputs[0].contents.fp32_contents) == pytest.approx(list(score))
    assert list(answer.outputs[1].contents.bytes_contents) == [b"true"]
    assert dict(told.trailing_metadata())["x-routing-epoch"] == "7"


def test_a_number_that_is_missing_comes_as_nan(channel: Any, loaded: LoadedVersion) -> None:
    answer = call(channel, "ModelInfer", infer_request(distance=[float("nan")]), "ModelInferResponse")
    score = loaded.run(np.array([[np.nan, 12]], np.float32), np.array([[2]], np.int32))
    assert list(answer.outputs[0].contents.fp32_contents) == pytest.approx(list(score))


def test_raw_and_typed_contents_together_are_refused(channel: Any) -> None:
    request = infer_request()
    request.raw_input_contents.extend([b"\0\0\0\0", b"\0\0\0\0", b""])
    with pytest.raises(grpc.RpcError) as refused:
        call(channel, "ModelInfer", request, "ModelInferResponse")
    assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert "has contents, and raw_input_contents too" in refused.value.details()


def test_a_message_that_is_too_large_is_refused(client: Any) -> None:
    with pytest.raises(InferenceServerException) as refused:
        client.infer("late", inputs(20_000))
    assert refused.value.status() == "StatusCode.RESOURCE_EXHAUSTED"


def test_grpc_health_says_whether_it_serves(channel: Any, door: Door) -> None:
    def status() -> int:
        asked = message(HEALTH, "HealthCheckRequest")()
        return int(call(channel, "Check", asked, "HealthCheckResponse", "grpc.health.v1.Health").status)

    assert status() == 1
    door.within(lambda: setattr(door.desk, "draining", True))
    assert status() == 2
    door.within(lambda: setattr(door.desk, "draining", False))


def test_grpc_health_knows_the_service_that_is_here_and_no_other(channel: Any) -> None:
    def check(service: str) -> int:
        asked = message(HEALTH, "HealthCheckRequest")(service=service)
        return int(call(channel, "Check", asked, "HealthCheckResponse", "grpc.health.v1.Health").status)

    assert check("inference.GRPCInferenceService") == 1
    with pytest.raises(grpc.RpcError) as refused:
        check("orders.Orders")
    assert refused.value.code() == grpc.StatusCode.NOT_FOUND
