"""What endpoints have answered."""

from __future__ import annotations

from sqlalchemy import BigInteger
from sqlmodel import Field, SQLModel


class ServingSample(SQLModel, table=True):
    """What was counted between two looks at the serving processes; see store/servingsamples.py."""

    __tablename__ = "serving_sample"
    __table_args__ = {"sqlite_with_rowid": False}
    at: int = Field(primary_key=True, sa_type=BigInteger)
    model: str = Field(primary_key=True)
    version: int = Field(primary_key=True)
    seconds: float
    requests: int
    errors: int
    refused: int
    rows: int
    runs: int
    waiting: int
    dropped: int
    compilations: int
    latency: str
    """JSON: [[cell, count], …] of the histogram of answering times."""
    queued: str
    """JSON, likewise: of the times that batches waited."""
