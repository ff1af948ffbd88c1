"""`[serving]`: where versions in production answer requests."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field, field_validator

from pipeline.config.base import Duration, Name, Section, Share, Size
from pipeline.experiments.stages import STAGES

Core = Annotated[int, Field(ge=0)]


class PredictionLogSection(Section):
    """What was asked and answered, written beside the requests and read into the lake by the daemon."""

    enabled: bool = True
    """Keep a log. Its values are what clients send: leave it out where they must not be stored."""
    payloads: Share = 1.0
    """Share of requests, drawn by their ids, whose inputs and outputs are kept; the others have a line without them."""
    labels: bool = True
    """Take labels from whoever may ask for predictions, at `/v1/labels/MODEL`; the daemon takes them in any case."""
    memory: Size = Field(default=32_000_000, gt=0)
    """Bytes of one model's requests that may wait to be written, in each process; beyond them lines are dropped."""
    disk: Size = Field(default=4_000_000_000, gt=0)
    """Bytes of one model's segments; beyond them lines are dropped until the daemon has read some and removed them."""
    every: Duration = Field(default="5m", validate_default=True)
    """How often the daemon reads the segments into the lake."""
    keep: Duration = Field(default="1h", validate_default=True)
    """How long a finished segment stays once it is in the lake; shorter when they take half of `disk`."""
    keep_rows: Duration | None = Field(default=None, ge=timedelta(days=1))
    """How long requests stay in the lake, and labels from their arrival on; without it for ever. Longer than any
    comparison and any look at drift reaches back."""


class CanaryStage(Section):
    """A share of the units, and what has to pass there before the next one."""

    share: float = Field(gt=0.0, lt=1.0)
    """Of the units; larger than the stage's before."""
    bake: Duration
    """How long it lasts at least."""
    least: int = Field(ge=0)
    """Requests that the canary has to have answered in this stage."""


def _usual_stages() -> list[CanaryStage]:
    return [CanaryStage(share=one.share, bake=one.bake, least=one.least) for one in STAGES]


class CanarySection(Section):
    """How `trainshed canary` brings a version in: more and more of the units, and back at the first sign of harm."""

    stages: list[CanaryStage] = Field(default_factory=_usual_stages, min_length=1)
    """In their order; after the last one the version waits to be promoted. Usual: 1 % for 10 minutes and 100 requests,
    10 % for 30 minutes and 1,000, 50 % for an hour and 5,000."""
    tolerated: float = Field(default=1.0, ge=1.0)
    """How many times production's rate of errors, of slow answers and of refusals is tolerated."""
    alpha: float = Field(default=0.05, gt=0.0, lt=1.0)
    """Probability that a canary without harm is taken back, over all stages, kinds of harm and looks together."""
    then: Literal["wait", "promote"] = "wait"
    """After the last stage: wait for an operator, or promote it if its gates allow that."""

    @field_validator("stages")
    @classmethod
    def _growing(cls, stages: list[CanaryStage]) -> list[CanaryStage]:
        if any(above.share <= below.share for below, above in pairwise(stages)):
            raise ValueError("each stage has a larger share than the one before")
        return stages


class TlsSection(Section):
    """HTTPS, and gRPC over TLS. Files that change are read again, without a restart."""

    cert: str
    """PEM file with the certificate, and behind it those that lead to a known authority; relative to the project."""
    key: str
    """PEM file with the certificate's private key, without a password."""


class ServingSection(Section):
    """Endpoints: each model with a version in production answers requests, in processes that outlive the daemon."""

    enabled: bool = False
    """Serve. `trainshed endpoints start` and `stop` go before this, until they are told `auto`."""
    host: str = "127.0.0.1"
    """Address to listen at; 0.0.0.0 lets others in, with a key (see `access`)."""
    port: int = Field(default=8080, ge=0, le=65_535)
    """Port for HTTP; 0 takes a free one."""
    grpc_port: int | None = Field(default=None, ge=0, le=65_535)
    """Port for gRPC, 0 takes a free one; without it there is no gRPC."""
    access: Literal["auto", "keys", "open"] = "auto"
    """Whether a request needs an API key (`trainshed keys`). auto: at any address but loopback, and on loopback once a
    key was made; keys: always; open: never, whoever reaches the address."""
    tls: TlsSection | None = None
    """Encrypted connections; without it there are none."""
    models: list[Name] = []
    """Models to serve; none named: all that have a version in production."""
    workers: int = Field(default=1, gt=0, le=64)
    """Processes that answer; each takes the memory of JAX and of all versions."""
    spare: bool = True
    """Keep one more process warm, which takes the place of one that dies at once."""
    cores: list[Core] = []
    """Cores of the processor, counted from 0, on which the processes that answer run, and off which runs keep that
    start while endpoints answer, if others are left to them. None named: nothing is pinned, and requests go before runs
    by priority alone; so it should be on small boxes."""
    press_ahead: bool = True
    """Compile a version as soon as it has passed its gates, with low priority, so that its promotion does not wait for
    that; off: compile it when it is promoted."""
    idle: Duration | None = Field(default=None, gt=timedelta(0))
    """A model that nobody has asked for so long is let go of in every process; the next request has it loaded again,
    from the disk and without compiling, and waits for that. Without it all models stay loaded."""
    max_batch: int = Field(default=256, gt=0, le=8192)
    """Rows that are answered in one run of a model; rounded up to a power of two."""
    max_rows: int = Field(default=4096, gt=0)
    """Rows of one request."""
    max_body: Size = Field(default=16_000_000, gt=0)
    """Bytes of one request, also after unpacking."""
    queue_rows: int = Field(default=16_384, gt=0)
    """Rows that may wait for a model; beyond them requests are refused with 503."""
    longest_wait: Duration = Field(default="500ms", validate_default=True, gt=timedelta(0))
    """For how long a request may have to wait for those that came before it, by what these have been measured to take;
    beyond that it is refused with 503 at once. That is for bursts: once somebody had to be refused, it is a tenth of
    it, until for a second nobody had to be. A full batch behind the one that is run may always wait."""
    timeout: Duration = Field(default="10s", validate_default=True, gt=timedelta(0))
    """A request that has waited longer is not answered any more (504)."""
    patience: Duration = Field(default="20s", validate_default=True, gt=timedelta(0))
    """How long a client may take to send a request, or to read an answer."""
    connections: int = Field(default=2048, gt=0)
    """Open connections of one process."""
    drain: Duration = Field(default="10s", validate_default=True)
    """For the requests in hand when a process is to end."""
    replay: int = Field(default=10_000, ge=0)
    """Logged requests that a plan has its candidate answer, the newest; 0: none."""
    slow: Duration = Field(default="1s", validate_default=True)
    """An answer that takes longer is slow: it is counted, and an excess of them takes a canary back."""
    canary: CanarySection = CanarySection()
    """How a version is brought into production by stages."""
    log: PredictionLogSection = PredictionLogSection()
    """The prediction log."""
