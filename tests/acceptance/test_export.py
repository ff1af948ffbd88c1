"""An exported version answers in a process in which nothing is installed but what its requirements name."""

from __future__ import annotations

import base64
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from store.home import Home
from tests.acceptance.exported import Image, built, environment_of
from tests.unit.export.events import http_api, rest_api
from tests.unit.export.shed import ROW, Shed, scores_of

pytestmark = pytest.mark.slow
TRAINSHED = str(Path(sys.executable).with_name("trainshed"))
LEFT_BEHIND = ("daemon", "tui", "pyarrow", "orbax", "flax", "duckdb", "deltalake", "sklearn", "fastapi")
MODULES = f"""
import importlib.util
print([name for name in {LEFT_BEHIND!r} if importlib.util.find_spec(name) is not None])
"""


@pytest.fixture(scope="module")
def shed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shed]:
    made = Shed(Home(tmp_path_factory.mktemp("export") / "home"))
    made.version(0.25)
    yield made
    made.shelf.record.close()


@contextmanager
def serving(image: Image, python: Path) -> Iterator[tuple[httpx.Client, dict[str, Any], subprocess.Popen[str]]]:
    """The image's command, its environment in force."""
    with subprocess.Popen(
        [str(python), *(image.here(part) for part in image.command[1:])],
        env={**image.variables, "TRAINSHED_PORT": "0"},
        cwd=image.folder,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            ready = json.loads(process.stdout.readline())
            with httpx.Client(
                base_url=f"http://127.0.0.1:{ready['port']}", trust_env=False, verify=False, timeout=20
            ) as client:
                yield client, ready, process
        finally:
            process.kill()


def test_a_container_answers_with_nothing_but_its_requirements(shed: Shed, tmp_path: Path) -> None:
    exported = shed.export(tmp_path / "late")
    python = environment_of(exported.folder / "requirements.txt", tmp_path / "env")
    image = built(exported.folder, tmp_path / "image", python)
    shutil.rmtree(exported.folder)  # what the image has is all there is
    with serving(image, python) as (client, ready, process):
        assert (ready["model"], ready["version"], ready["digest"]) == ("late", 1, exported.provenance.digest)
        answer = client.post("/v1/predict/late", json=ROW).json()
        bundle = shed.home.bundle(exported.provenance.digest)
        assert scores_of(answer) == pytest.approx(scores_by(bundle), abs=1e-6)
        assert client.get("/v2/health/ready").json() == {"ready": True}
        assert client.post("/v1/predict/late", json={}).status_code == 400
        assert b"compilations_after_ready_total" in client.get("/metrics").content
        assert healthy(python, image, ready["port"])
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    assert not healthy(python, image, ready["port"])
    found = asked(python, MODULES, image.folder / "app")
    assert found.strip() == "[]"


def test_a_container_of_a_changed_model_ends_and_says_why(shed: Shed, tmp_path: Path) -> None:
    exported = shed.export(tmp_path / "late")
    (exported.folder / "model" / "parameters.bin").write_bytes(b"")
    done = subprocess.run(
        [sys.executable, "-P", "-m", "pipeline.standalone.serve", str(exported.folder)],
        env={**os.environ, "PYTHONPATH": str(exported.folder / "app"), "JAX_PLATFORMS": "cpu"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 73
    assert "parameters.bin has changed" in done.stderr


def test_a_function_answers_events_with_nothing_but_its_requirements(shed: Shed, tmp_path: Path) -> None:
    exported = shed.export(tmp_path / "late", to="lambda")
    python = environment_of(exported.folder / "requirements.txt", tmp_path / "env")
    image = built(exported.folder, tmp_path / "image", python)
    shutil.rmtree(exported.folder)
    (said,) = image.command
    module, _, function = said.partition(".")
    events = [
        http_api("/v1/predict/late", json.dumps(ROW), stage="prod"),
        rest_api("/v1/predict/late", json.dumps(ROW)),
        rest_api("/v1/predict/late", base64.b64encode(json.dumps(ROW).encode()).decode(), base64=True),
        http_api("/v1/predict/late", "{}"),
        http_api("/v2/models/early", None, method="GET"),
        http_api("/v2/health/ready", None, method="GET"),
        {"Records": [{"eventSource": "aws:sqs"}]},
    ]
    (tmp_path / "events.json").write_text(json.dumps(events))
    program = f"""
import json, sys
sys.path.insert(0, {str(image.folder)!r})
from {module} import {function} as handler
print(json.dumps([handler(event, None) for event in json.load(open({str(tmp_path / "events.json")!r}))]))
"""
    answered = json.loads(asked(python, program, image.folder, **image.variables))
    answers, others = answered[:3], answered[3:]
    bundle = shed.home.bundle(exported.provenance.digest)
    for answer in answers:
        assert answer["statusCode"] == 200
        assert scores_of(json.loads(answer["body"])) == pytest.approx(scores_by(bundle), abs=1e-6)
    assert [answer["statusCode"] for answer in others] == [400, 404, 200, 400]
    assert all(set(json.loads(answer["body"])) == {"error"} for answer in others if answer["statusCode"] != 200)


def test_the_command_line_exports_what_is_in_production_without_a_daemon(shed: Shed, tmp_path: Path) -> None:
    (tmp_path / "trainshed.toml").write_text('[project]\nname = "flights"\n')
    done = subprocess.run(
        [TRAINSHED, "export", "late@production", "--to", "container", "--json"],
        cwd=tmp_path,
        env={**os.environ, "TRAINSHED_HOME": str(shed.home.root), "JAX_PLATFORMS": "cpu"},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["folder"] == str(tmp_path / "late-1-container")
    assert told["golden"]["difference"] <= told["golden"]["tolerance"]
    assert told["provenance"]["alias"] == "production"


def scores_by(bundle: Path) -> list[float]:
    from pipeline.versions.bundle import load_bundle

    scores = load_bundle(bundle).scores(np.array([[500.0, 12.0]], np.float32), np.array([[2]], np.int32))
    return [float(score) for score in scores]


def healthy(python: Path, image: Image, port: int) -> bool:
    """By the program that HEALTHCHECK names."""
    done = subprocess.run(
        [str(python), *image.health[1:]],
        env={**image.variables, "TRAINSHED_PORT": str(port)},
        timeout=60,
        check=False,
    )
    return done.returncode == 0


def asked(python: Path, program: str, folder: Path, **environment: str) -> str:
    """What a program says in the environment of an export; `folder` is its path to our code."""
    done = subprocess.run(
        [str(python), "-P", "-c", program],
        env={"PYTHONPATH": str(folder), "JAX_PLATFORMS": "cpu", **environment},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
