"""Events of API Gateway ↔ requests and answers of HTTP. Pure.

An HTTP API sends payload format 2.0 (or 1.0, if it was told to), a REST API 1.0, a function URL 2.0. Sources: AWS,
"Working with AWS Lambda proxy integrations for HTTP APIs" and "… for REST APIs".
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from pipeline.serving.refusal import malformed

Event = Any
"""Whatever somebody sends to a function; of a gateway's it is a mapping."""
_DEFAULT_STAGE = "$default"
_BEGINNINGS = frozenset({"v1", "v2", "metrics", "openapi.json"})
"""Of the paths that there is something at, none of which has another of them behind it."""


@dataclass(frozen=True)
class Asked:
    method: str
    path: str
    """Without the name of a stage."""
    query: str
    headers: Sequence[tuple[bytes, bytes]]
    """Names in lower case."""
    body: bytes


def request_of(event: Event) -> Asked:
    """Raises Refusal for what is no event of API Gateway, or a body that is not what it claims to be."""
    context = event.get("requestContext") if isinstance(event, Mapping) else None
    if not isinstance(context, Mapping):
        raise malformed("this is no event of API Gateway: it has no requestContext")
    if event.get("version") == "2.0":
        http = context.get("http") or {}
        method, path, query = http.get("method"), event.get("rawPath"), str(event.get("rawQueryString") or "")
    else:
        method, path, query = event.get("httpMethod"), event.get("path"), ""
    if not isinstance(method, str) or not isinstance(path, str):
        raise malformed("this is no event of API Gateway: it has no method or no path")
    body = _body(event)
    return Asked(
        method=method.upper(),
        path=_below_stage(unquote(path), context.get("stage")),
        query=query,
        headers=_headers(event, len(body)),
        body=body,
    )


def answer_of(status: int, headers: Sequence[tuple[bytes, bytes]], body: bytes) -> dict[str, Any]:
    """What a function gives back, in both formats: text as it is, all else as base64."""
    named = {name.decode("latin-1"): value.decode("latin-1") for name, value in headers}
    named.pop("content-length", None)  # the gateway counts what it sends
    text = _text(body) if named.get("content-type", "").startswith(("application/json", "text/")) else None
    return {
        "statusCode": status,
        "headers": named,
        "body": base64.b64encode(body).decode() if text is None else text,
        "isBase64Encoded": text is None,
    }


def _body(event: Event) -> bytes:
    body = event.get("body")
    if body is None:
        return b""
    if not isinstance(body, str):
        raise malformed("the event's body is not text")
    if not event.get("isBase64Encoded"):
        return body.encode()
    try:
        return base64.b64decode(body, validate=True)
    except binascii.Error as error:
        raise malformed(f"the event's body says that it is base64, and is not: {error}") from None


def _headers(event: Event, length: int) -> list[tuple[bytes, bytes]]:
    """Format 1.0 has each value of a header in `multiValueHeaders`; 2.0 has them joined by commas."""
    several = event.get("multiValueHeaders")
    given = event.get("headers")
    values: dict[str, str] = {}
    for name, value in (given if isinstance(given, Mapping) else {}).items():
        values[str(name).lower()] = str(value)
    for name, parts in (several if isinstance(several, Mapping) else {}).items():
        if isinstance(parts, list):
            values[str(name).lower()] = ",".join(map(str, parts))
    values["content-length"] = str(length)  # of what was sent, before the gateway made text of it
    return [(name.encode("latin-1", "replace"), value.encode("latin-1", "replace")) for name, value in values.items()]


def _below_stage(path: str, stage: Any) -> str:
    """Format 2.0 has the name of a stage before the path, unless it is the default one; 1.0 usually has not.

    A stage may be called `v1`, as paths begin: then it is the stage only if what follows begins as paths do.
    """
    slash, head, rest = path[:1], *_parted(path[1:])
    if slash != "/" or not stage or stage == _DEFAULT_STAGE or head != str(stage):
        return path
    if head in _BEGINNINGS and _parted(rest)[0] not in _BEGINNINGS:
        return path
    return f"/{rest}"


def _parted(path: str) -> tuple[str, str]:
    head, _, rest = path.partition("/")
    return head, rest


def _text(body: bytes) -> str | None:
    try:
        return body.decode()
    except UnicodeDecodeError:
        return None
