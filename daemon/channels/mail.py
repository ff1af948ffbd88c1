"""By mail, over SMTP with STARTTLS or TLS."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Final, Literal

from daemon.channels.answer import Answer, Message
from daemon.notices import without

SUBJECT: Final = 180
"""Characters."""


@dataclass(frozen=True, kw_only=True)
class Post:
    """The mail server, and whom it is asked to reach."""

    host: str
    port: int
    security: Literal["starttls", "tls", "none"]
    login: tuple[str, str] | None
    sender: str
    to: list[str]
    ca: str | None
    seconds: float


def send_mail(post: Post, message: Message, now: datetime) -> Answer:
    """The key makes the Message-ID, by which mail systems know a repetition."""
    try:
        mail = _mail(post, message, now)
        with _server(post) as server:
            if post.login is not None:
                server.login(*post.login)
            refused = server.send_message(mail)
    except (smtplib.SMTPException, ssl.SSLError, OSError, ValueError) as error:
        return Answer(ok=False, text=without(_why(error), post.login or ()), unwanted=_unwanted(error))
    taken = [address for address in post.to if address not in refused]
    not_taken = f", but not for {', '.join(sorted(refused))}" if refused else ""
    return Answer(ok=True, text=f"{post.host} took the mail for {', '.join(taken)}{not_taken}")


def _mail(post: Post, message: Message, now: datetime) -> EmailMessage:
    mail = EmailMessage()
    title = " ".join(message.body["title"].split())
    mail["Subject"] = title if len(title) <= SUBJECT else f"{title[: SUBJECT - 1]}…"
    mail["From"], mail["To"] = post.sender, ", ".join(post.to)
    mail["Date"], mail["Message-ID"] = format_datetime(now), f"<{message.key}@trainshed>"
    # RFC 3834: so that nobody's out-of-office answers an alert.
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(f"{message.body['text']}\n")
    return mail


@contextmanager
def _server(post: Post) -> Iterator[smtplib.SMTP]:
    """Connected, and encrypted where that is wanted: there is no fallback to plain text."""
    context = ssl.create_default_context(cafile=post.ca) if post.security != "none" else None
    if post.security == "tls":
        with smtplib.SMTP_SSL(post.host, post.port, timeout=post.seconds, context=context) as server:
            yield server
        return
    with smtplib.SMTP(post.host, post.port, timeout=post.seconds) as server:
        if context is not None:
            server.starttls(context=context)
        yield server


def _why(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        reasons = {f"{address}: {code} {_text(said)}" for address, (code, said) in error.recipients.items()}
        return f"no recipient was taken: {'; '.join(sorted(reasons))}"
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{error.smtp_code} {_text(error.smtp_error)}"
    if isinstance(error, TimeoutError):
        return "the mail server did not answer in time"
    return f"{type(error).__name__}: {error}"


def _unwanted(error: Exception) -> bool:
    """5xx to the message itself. A login that fails is mended by whoever mends the password."""
    return isinstance(error, smtplib.SMTPDataError) and error.smtp_code >= 500


def _text(said: bytes | str) -> str:
    return " ".join((said.decode("utf-8", "replace") if isinstance(said, bytes) else said).split())
