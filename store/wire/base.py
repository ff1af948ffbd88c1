"""What every view and request is, lists, and how a refusal looks."""

from __future__ import annotations

from typing import Generic, TypeVar

from pydantic import BaseModel, ConfigDict

T = TypeVar("T")


class Wire(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Page(Wire, Generic[T]):
    items: list[T]
    next: str | None = None


class Window(Wire, Generic[T]):
    """Rows of a long list by their position."""

    items: list[T]
    offset: int
    """Position of the first."""
    total: int | None
    """Of the whole list, filtered as it is; None where counting would take longer than reading."""


class CountView(Wire):
    """How long a list is."""

    count: int


class Problem(Wire):
    """application/problem+json (RFC 9457) with the remedy."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    code: str
    """Name of the error class, see docs/reference/errors.md."""
    where: str = ""
    remedy: str


class Fault(Wire):
    """Why something did not succeed."""

    code: str
    what: str
    where: str = ""
    remedy: str = ""


class Done(Wire):
    """An action was carried out."""

    message: str
