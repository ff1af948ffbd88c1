"""Over HTTP: JSON to a webhook, Slack's JSON to an incoming webhook, and the ping of the dead man's switch."""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from functools import cache
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

import httpx

from daemon.channels.answer import Answer, Message
from daemon.notices import without
from pipeline.retry import retry_after
from store.release import RELEASE

MOST_BYTES: Final = 4096
"""Of an answer; nobody needs more to see what it says."""
SHOWN: Final = 200
"""Characters of an answer."""
SLACK_CHARACTERS: Final = 3500
"""Of a text: Slack asks for at most 4,000."""
UNWANTED: Final = frozenset({400, 405, 406, 413, 415, 422})
"""Statuses that are about the message, not about the moment."""
_TELLING: Final = 6
"""Characters from which on a part of an address may be what makes it a secret."""


def post_webhook(url: str, headers: Mapping[str, str], message: Message, seconds: float, now: datetime) -> Answer:
    """The whole document, as JSON."""
    return _ask("POST", url, {**headers, "Idempotency-Key": message.key}, _document(message), seconds, now)


def post_slack(url: str, message: Message, seconds: float, now: datetime) -> Answer:
    """Title and text. https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks"""
    title, text = _escaped(message.body["title"]), _escaped(message.body["text"])
    if len(text) > SLACK_CHARACTERS:
        text = f"{text[:SLACK_CHARACTERS]}…"
    body = {"text": f"*{title}*\n{text}"}
    return _ask("POST", url, {"Idempotency-Key": message.key}, body, seconds, now)


def ping(url: str, seconds: float, now: datetime) -> Answer:
    return _ask("GET", url, {}, None, seconds, now)


def _document(message: Message) -> dict[str, Any]:
    return {"key": message.key, **message.body}


def _escaped(text: str) -> str:
    """https://docs.slack.dev/messaging/formatting-message-text#escaping"""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _ask(method: str, url: str, headers: Mapping[str, str], body: Any, seconds: float, now: datetime) -> Answer:
    secrets = list(_secrets(url, headers.values()))
    # As it is: what a receiver packs is noise to who reads its beginning.
    sent = {"User-Agent": f"trainshed/{RELEASE}", "Accept-Encoding": "identity", **headers}
    try:
        with (
            httpx.Client(timeout=seconds, follow_redirects=False, verify=_certificates()) as client,
            client.stream(method, url, headers=sent, json=body) as answer,
        ):
            return _judged(answer, without(_beginning(answer, seconds), secrets), now)
    except httpx.TimeoutException:
        return Answer(ok=False, text=f"no answer within {seconds:g} s")
    except (httpx.InvalidURL, httpx.UnsupportedProtocol):
        return Answer(ok=False, text="the url is no address that begins with http:// or https://")
    except (httpx.HTTPError, ValueError) as error:  # ValueError: a header that cannot be sent
        return Answer(ok=False, text=without(f"{type(error).__name__}: {error}", secrets))


@cache
def _certificates() -> ssl.SSLContext:
    """Read once: that takes 20 ms of computing, more than all else that a message needs."""
    return httpx.create_ssl_context()


def _beginning(answer: httpx.Response, seconds: float) -> str:
    """Of its body, read no longer than a request may take."""
    read, until = b"", time.monotonic() + seconds
    for piece in answer.iter_raw():
        read += piece
        if len(read) >= MOST_BYTES or time.monotonic() > until:
            break
    text = read[:MOST_BYTES].decode("utf-8", "replace")
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def _secrets(url: str, headers: Iterable[str]) -> Iterator[str]:
    """What nobody else may read of a request: the address, the headers, and the parts of them by which a receiver may
    name them (`Cannot POST /services/…`)."""
    yield url
    for value in headers:
        yield from {value, *(word for word in value.split()[1:] if len(word) >= _TELLING)}
    try:
        parts = urlsplit(url)
    except ValueError:
        return
    pieces = [f"{parts.path}?{parts.query}", parts.path, parts.query, parts.password or "", *parts.path.split("/")]
    pieces += [value for _, value in parse_qsl(parts.query)]
    yield from {form for piece in pieces for form in (piece, unquote(piece)) if len(form) >= _TELLING}


def _judged(answer: httpx.Response, said: str, now: datetime) -> Answer:
    """`said`: the beginning of its body, without secrets. They are blotted out before it is cut, for half of one is
    still half of one."""
    status = answer.status_code
    words = f"{status} {answer.reason_phrase}".strip() + (f": {said[:SHOWN]}" if said else "")
    if answer.is_success:
        return Answer(ok=True, text=words)
    if answer.is_redirect:
        return Answer(ok=False, text=f"{status}: it sends us elsewhere; write the address that it leads to as `url`")
    after = retry_after(answer.headers.get("Retry-After"), now)
    return Answer(ok=False, text=words, after_s=after, unwanted=status in UNWANTED)
