"""What the serving processes were told when they were started: `serving/settings.json`. Standard library only."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self


@dataclass(frozen=True, kw_only=True)
class ServingSettings:
    """See `[serving]` of the project file, where each has its sentence."""

    host: str = "127.0.0.1"
    port: int = 8080
    grpc_port: int | None = None
    tls_cert: str | None = None
    tls_key: str | None = None
    workers: int = 1
    spare: bool = True
    cores: list[int] = field(default_factory=list)
    idle_s: float | None = None
    largest_batch: int = 256
    most_rows: int = 4096
    most_body: int = 16_000_000
    queue_rows: int = 16_384
    longest_wait_s: float = 0.5
    timeout_s: float = 10.0
    patience_s: float = 20.0
    most_connections: int = 2048
    drain_s: float = 10.0
    views: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """Model → what it takes from feature views: `view`, `on`, `prefix`."""
    log: bool = True
    log_payloads: float = 1.0
    log_memory: int = 32_000_000
    log_disk: int = 4_000_000_000
    labels: bool = True

    def same_doors(self, other: Self) -> bool:
        """Whether workers with either settings can answer beside each other, on the same sockets."""
        return self._doors() == other._doors()

    def _doors(self) -> tuple[Any, ...]:
        return self.host, self.port, self.grpc_port, self.tls_cert is None

    @property
    def fingerprint(self) -> str:
        """Two settings with the same one are the same."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()[:16]

    @classmethod
    def read(cls, file: Path) -> Self:
        return cls(**json.loads(file.read_bytes()))

    def write(self, file: Path) -> None:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        aside = file.with_name(f"{file.name}.new")
        aside.write_text(json.dumps(asdict(self), indent=1), encoding="utf-8")
        os.replace(aside, file)
