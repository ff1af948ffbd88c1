"""How a canary ends by itself, and that both doors part units alike: two workers, real clients over HTTP and gRPC."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import grpc
import httpx
import jax
import jax.numpy as jnp
import pytest

from pipeline.serving.rpc.schema import INFERENCE, message
from pipeline.traffic.documents import split_of
from pipeline.traffic.route import assigned
from store.engine import Record
from store.times import system_clock
from tests.acceptance.living import until
from tests.acceptance.stage import Stage
from tests.acceptance.test_traffic import UNITS, change, comparison, endpoint, heard, until_accepting
from tests.unit.serving.bench import apply

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
SERVING = """
[serving]
enabled = true
port = 0
grpc_port = 0
max_batch = 16
workers = 2
spare = false
press_ahead = false
slow = "300ms"
[serving.log]
every = "1d"
[serving.canary]
stages = [{ share = 0.3, bake = "1s", least = 10 }, { share = 0.6, bake = "1s", least = 10 }]
then = "promote"
"""
SLOW, UNJUDGED = 3, 4


def very_slow_at_13(params: dict[str, jax.Array], numeric: jax.Array, categorical: jax.Array) -> jax.Array:
    """Golden rows come back, and a batch with an hour 13 takes some 0.4 s: longer than is promised."""
    turns = jnp.where((numeric[:, 1] == 13.0).any(), 80_000_000, 0)
    dust = jax.lax.fori_loop(0, turns, lambda turn, sum: sum * 0.5 + turn.astype(jnp.float32) * 1e-30, jnp.float32(0))
    return jnp.add(apply(params, numeric, categorical), dust * 1e-30)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Versions 1, 2 and 4 are well, 3 is slow at hour 13; 4 has failed its gates; 1 is in production."""
    made = Stage(tmp_path_factory.mktemp("ends"), versions=2, serving=SERVING, pressed=True)
    record = Record.open(made.home, system_clock)
    made._shelve(record, made.bench.version(shift=0.1, function=very_slow_at_13))
    made._shelve(record, made.bench.version(shift=0.7), passed=False)
    record.close()
    try:
        made.start()
        made.promote(1)
        until_accepting(made)
        yield made
    finally:
        made.close()


def test_a_unit_meets_the_same_version_over_grpc_as_over_http_in_every_worker(stage: Stage) -> None:
    change(stage, do="weights", shares={2: 0.4})
    row = stage.rows("SELECT control, split FROM comparison WHERE status = 'running'")[0]
    split = split_of(row[0], httpx.Response(200, text=row[1]).json())
    planned = {unit: assigned(split, unit) for unit in UNITS}
    assert set(planned.values()) == {1, 2}
    address = str(stage.endpoints()["grpc"])
    for _ in range(2):  # each call has a connection of its own, and finds one of the two workers
        assert called(address, UNITS) == planned
    assert heard(stage, UNITS) == planned
    counted = until(lambda: _compared(stage, 3 * len(UNITS)), 30)
    assert sum(arm["units"] for arm in counted) == pytest.approx(len(UNITS), rel=0.05), "a unit counts once"
    assert called(address, UNITS[:20], version="1") == dict.fromkeys(UNITS[:20], 1), "who insists gets what it wants"
    assert called(address, ["", ""]) == {"": 1}, "no unit, no comparison"
    change(stage, do="stop", kind="weights")
    assert set(called(address, UNITS[:20]).values()) == {1}


def _compared(stage: Stage, requests: int) -> list[dict[str, Any]] | None:
    arms: list[dict[str, Any]] = endpoint(stage)["arms"]
    return arms if sum(arm["compared"] or 0 for arm in arms) == requests else None


def called(address: str, units: list[str], version: str = "") -> dict[str, int]:
    """Unit → the version that answered it, each over a channel of its own."""
    return {unit: _called(address, unit, version) for unit in units}


def _called(address: str, unit: str, version: str) -> int:
    request = message(INFERENCE, "ModelInferRequest")(model_name="late", model_version=version, id=f"g-{unit}")
    if unit:
        request.parameters["unit"].string_param = unit
    for name, datatype, field, value in (
        ("distance", "FP32", "fp32_contents", 500.0),
        ("carrier", "BYTES", "bytes_contents", b"AA"),
        ("hour", "FP32", "fp32_contents", 12.0),
    ):
        tensor = request.inputs.add(name=name, datatype=datatype, shape=[1])
        getattr(tensor.contents, field).append(value)
    with grpc.insecure_channel(address, options=[("grpc.use_local_subchannel_pool", 1)]) as channel:
        infer = channel.unary_unary(
            f"/{INFERENCE}.GRPCInferenceService/ModelInfer",
            request_serializer=lambda one: one.SerializeToString(),
            response_deserializer=message(INFERENCE, "ModelInferResponse").FromString,
        )
        return int(infer(request, timeout=60, wait_for_ready=True).model_version)


def test_a_canary_that_answers_slowly_is_taken_back_though_it_fails_nobody(stage: Stage) -> None:
    change(stage, do="canary", version=SLOW)

    def taken_back() -> dict[str, Any] | None:
        met = heard(stage, UNITS[:40], hour=13)
        assert set(met.values()) <= {1, SLOW}, "slow, and not wrong"
        row = comparison(stage)
        return row if row["status"] == "rolled back" else None

    row = until(taken_back, 180)
    assert row["reason"].startswith("slow answers: ")
    assert set(heard(stage, UNITS[:40], hour=13).values()) == {1}
    (arm,) = [one for one in endpoint(stage)["arms"] if one["role"] in ("control", "production")]
    assert arm["version"] == 1
    (need,) = [one for one in stage.get("/v1/status")["needs_you"] if one["severity"] == "fail"]
    assert need["message"] == f"the canary of late {SLOW} was taken back: {row['reason']}"
    change(stage, do="stop", kind="canary")


def test_a_canary_whose_version_failed_its_gates_passes_its_stages_and_is_not_promoted_by_itself(stage: Stage) -> None:
    change(stage, do="canary", version=UNJUDGED)

    def left() -> bool:
        heard(stage, UNITS)
        return "is not promoted by itself" in (comparison(stage)["waits"] or "")

    until(left, 180)
    assert stage.get("/v1/models/late")["aliases"] == {"production": 1}
    assert len(stage.history("comparison.waiting")) == 1, "it is said once"
    change(stage, do="stop", kind="canary")


def test_a_canary_that_may_is_promoted_after_its_last_stage_by_the_daemon_and_nobody_notices(stage: Stage) -> None:
    change(stage, do="canary", version=2)
    answers: list[int] = []

    def promoted() -> bool:
        answers.extend(heard(stage, UNITS).values())
        return bool(stage.get("/v1/models/late")["aliases"] == {"production": 2})

    until(promoted, 180)
    assert set(answers) <= {1, 2}
    assert (answers.count(1) > 0, answers.count(2) > 0) == (True, True)
    row = until(lambda: found if (found := comparison(stage))["status"] == "finished" else None, 30)
    assert row["reason"].partition(",")[0] == "version 2 was promoted"
    query = "SELECT actor, reason FROM alias_event WHERE to_version = 2 ORDER BY id DESC LIMIT 1"
    ((actor, reason),) = stage.rows(query)
    assert (actor, reason.partition(":")[0]) == ("daemon", "its canary has passed")
    until(lambda: set(heard(stage, UNITS[:20]).values()) == {2}, 30)
    stage.rollback()
    assert set(heard(stage, UNITS[:20]).values()) == {1}, "and one command takes it back"
