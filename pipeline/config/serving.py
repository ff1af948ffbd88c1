"""`[serving]`: where versions in production answer requests."""

from __future__ import annotations

from pydantic import Field

from pipeline.config.base import Duration, Name, Section, Share, Size


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


class ServingSection(Section):
    """Endpoints: each model with a version in production answers requests, in processes that outlive the daemon."""

    enabled: bool = False
    """Serve. `trainshed endpoints start` and `stop` go before this, until they are told `auto`."""
    host: str = "127.0.0.1"
    """Address to listen at; 0.0.0.0 lets others in, and nobody asks who they are."""
    port: int = Field(default=8080, ge=0, le=65_535)
    """Port for HTTP; 0 takes a free one."""
    grpc_port: int | None = Field(default=None, ge=0, le=65_535)
    """Port for gRPC, 0 takes a free one; without it there is no gRPC."""
    models: list[Name] = []
    """Models to serve; none named: all that have a version in production."""
    workers: int = Field(default=1, gt=0, le=64)
    """Processes that answer; each takes the memory of JAX and of all versions."""
    spare: bool = True
    """Keep one more process warm, which takes the place of one that dies at once."""
    max_batch: int = Field(default=256, gt=0, le=8192)
    """Rows that are answered in one run of a model; rounded up to a power of two."""
    max_rows: int = Field(default=4096, gt=0)
    """Rows of one request."""
    max_body: Size = Field(default=16_000_000, gt=0)
    """Bytes of one request, also after unpacking."""
    queue_rows: int = Field(default=16_384, gt=0)
    """Rows that may wait for a model; beyond them requests are refused with 503."""
    timeout: Duration = Field(default="10s", validate_default=True)
    """A request that has waited longer is not answered any more (504)."""
    patience: Duration = Field(default="20s", validate_default=True)
    """How long a client may take to send a request, or to read an answer."""
    connections: int = Field(default=2048, gt=0)
    """Open connections of one process."""
    drain: Duration = Field(default="10s", validate_default=True)
    """For the requests in hand when a process is to end."""
    replay: int = Field(default=10_000, ge=0)
    """Logged requests that a plan has its candidate answer, the newest; 0: none."""
    log: PredictionLogSection = PredictionLogSection()
    """The prediction log."""
