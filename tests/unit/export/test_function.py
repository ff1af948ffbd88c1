"""The function of an export, asked with events of API Gateway."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.serving.compilations import Compilations
from pipeline.standalone.function import Function
from pipeline.versions.bundle import load_bundle
from store.errors import ProjectError
from tests.unit.export.events import http_api, rest_api
from tests.unit.export.shed import ROW, Shed, scores_of

BOTH = pytest.mark.parametrize("kind", [http_api, rest_api], ids=["http api", "rest api"])


@pytest.fixture(scope="module")
def function(function_folder: Path) -> Iterator[Function]:
    opened = Function(function_folder, {})
    yield opened
    opened.close()


def said(answer: dict[str, Any]) -> Any:
    assert answer["headers"]["content-type"] == "application/json"
    assert answer["isBase64Encoded"] is False
    return json.loads(answer["body"])


@pytest.mark.slow
@BOTH
def test_a_row_is_predicted_as_the_version_predicts_it(shed: Shed, function: Function, kind: Any) -> None:
    answer = function(kind("/v1/predict/late", json.dumps(ROW)), None)
    assert answer["statusCode"] == 200
    bundle = load_bundle(shed.home.bundle(shed.export(shed.home.root / "scores").provenance.digest))
    expected = bundle.scores(np.array([[500.0, 12.0]], np.float32), np.array([[2]], np.int32))
    assert said(answer)["version"] == 1
    np.testing.assert_allclose(scores_of(said(answer)), expected, atol=1e-6)


@pytest.mark.slow
def test_the_event_that_the_readme_sends_is_there_and_is_answered(function_folder: Path, function: Function) -> None:
    assert "-d @event.json" in (function_folder / "README.md").read_text(encoding="utf-8")
    answer = function(json.loads((function_folder / "event.json").read_bytes()), None)
    assert answer["statusCode"] == 200
    assert said(answer)["predictions"][0]["label"] in ("false", "true")


@BOTH
def test_rows_by_the_inference_protocol_are_answered(function: Function, kind: Any) -> None:
    inputs = [
        {"name": "distance", "datatype": "FP32", "shape": [2], "data": [500.0, 700.0]},
        {"name": "carrier", "datatype": "BYTES", "shape": [2], "data": ["AA", None]},
        {"name": "hour", "datatype": "INT64", "shape": [2], "data": [12, 2]},
    ]
    answer = function(kind("/v2/models/late/infer", json.dumps({"id": "a", "inputs": inputs})), None)
    told = said(answer)
    assert (told["id"], told["model_version"]) == ("a", "1")
    assert [one["shape"] for one in told["outputs"]] == [[2], [2]]


@BOTH
def test_binary_tensors_come_and_go_as_base64(function: Function, kind: Any) -> None:
    document = {
        "inputs": [
            {"name": "numeric", "datatype": "FP32", "shape": [1, 2], "parameters": {"binary_data_size": 8}},
            {"name": "categorical", "datatype": "BYTES", "shape": [1, 1], "data": ["AA"]},
        ],
        "outputs": [{"name": "score", "parameters": {"binary_data": True}}],
    }
    text = json.dumps(document).encode()
    body = base64.b64encode(text + np.array([500.0, 12.0], "<f4").tobytes()).decode()
    event = kind("/v2/models/late/infer", body, base64=True, inference_header_content_length=str(len(text)))
    answer = function(event, None)
    assert (answer["statusCode"], answer["isBase64Encoded"]) == (200, True)
    received = base64.b64decode(answer["body"])
    length = int(answer["headers"]["inference-header-content-length"])
    (score,) = np.frombuffer(received[length:], "<f4")
    plain = function(kind("/v1/predict/late", json.dumps(ROW)), None)
    assert scores_of(said(plain)) == pytest.approx([score])


@BOTH
def test_a_compressed_body_is_unpacked(function: Function, kind: Any) -> None:
    body = base64.b64encode(gzip.compress(json.dumps([ROW, ROW]).encode())).decode()
    answer = function(kind("/v1/predict/late", body, base64=True, content_encoding="gzip"), None)
    assert len(scores_of(said(answer))) == 2


@BOTH
@pytest.mark.parametrize(
    ("path", "body", "status", "error"),
    [
        ("/v1/predict/late", "{", 400, "the body is not JSON"),
        ("/v1/predict/late", '{"carrier": "AA"}', 400, "row 0 has no column 'distance'"),
        ("/v1/predict/early", "{}", 404, "there is no model 'early' here; there are: late"),
        ("/v1/predict/late/versions/9", json.dumps(ROW), 404, "version 9 of late is not served"),
        ("/nowhere", "{}", 404, "there is nothing at /nowhere"),
    ],
)
def test_what_is_wrong_is_an_error_with_its_status(
    function: Function, kind: Any, path: str, body: str, status: int, error: str
) -> None:
    answer = function(kind(path, body), None)
    assert answer["statusCode"] == status
    assert error in said(answer)["error"]


def test_an_event_of_something_else_is_answered_with_an_error_too(function: Function) -> None:
    answer = function({"Records": []}, None)
    assert answer["statusCode"] == 400
    assert "no event of API Gateway" in said(answer)["error"]


@BOTH
def test_health_metadata_and_description_are_there(function: Function, kind: Any) -> None:
    assert said(function(kind("/v2/health/ready", None, method="GET"), None)) == {"ready": True}
    assert said(function(kind("/v2/models/late", None, method="GET"), None))["versions"] == ["1"]
    assert "/v1/predict/late" in said(function(kind("/openapi.json", None, method="GET"), None))["paths"]
    assert function(kind("/v1/predict/late", None, method="GET"), None)["statusCode"] == 405
    metrics = function(kind("/metrics", None, method="GET"), None)
    assert "trainshed_serving_ready" in metrics["body"]


def test_after_the_cold_start_nothing_is_compiled(function: Function) -> None:
    compilations = Compilations()
    for rows in (1, 2, 7, 8, 9, 40):
        assert function(http_api("/v1/predict/late", json.dumps([ROW] * rows)), None)["statusCode"] == 200
    assert compilations.count == 0
    compilations.close()


def test_settings_come_from_the_environment(function_folder: Path) -> None:
    function = Function(function_folder, {"TRAINSHED_LARGEST_BATCH": "1", "TRAINSHED_MOST_ROWS": "3"})
    try:
        assert function(http_api("/v1/predict/late", json.dumps([ROW] * 3)), None)["statusCode"] == 200
        assert function(http_api("/v1/predict/late", json.dumps([ROW] * 4)), None)["statusCode"] == 400
    finally:
        function.close()
    with pytest.raises(ProjectError, match="'many' is not a number"):
        Function(function_folder, {"TRAINSHED_MOST_ROWS": "many"})
