"""`[alerts]`: who is told of alerts, how, and when."""

from __future__ import annotations

import re
from datetime import datetime, time, timedelta
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, field_validator, model_validator

from pipeline.config.base import Duration, Name, Reference, Section, none_if_off
from pipeline.config.zones import zone_name
from store.findings import Policy
from store.times import us
from store.words import AlertSeverity

_HOURS = re.compile(r"\s*(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})\s*")
_LEAST = timedelta(seconds=1)


def quiet_hours(text: str) -> str:
    """The text itself. ValueError when it is not `HH:MM-HH:MM`."""
    begin, end = _parsed(text)
    if begin == end:
        raise ValueError(f"{text!r} begins when it ends: leave `quiet` out, or choose two times")
    return text


def _parsed(text: str) -> tuple[time, time]:
    match = _HOURS.fullmatch(text)
    if match is None:
        raise ValueError(f'{text!r} is not a span of a day: write "22:00-07:00"')
    hours = [int(part) for part in match.groups()]
    try:
        return time(hours[0], hours[1]), time(hours[2], hours[3])
    except ValueError:
        raise ValueError(f'{text!r} has a time that no clock shows: write "22:00-07:00"') from None


class Channel(Section):
    """What all kinds have."""

    severities: list[AlertSeverity] = Field(default=["warning", "critical"], min_length=1)
    """Alerts of these severities are told here."""
    timeout: Duration = Field(default="10s", validate_default=True, ge=timedelta(milliseconds=100))
    """How long one try may take."""


class WebhookChannel(Channel):
    """A POST of JSON to an address of yours, with `Idempotency-Key`: the same key is the same message again."""

    kind: Literal["webhook"]
    url: Reference
    """Address, or a reference to it (`env:NAME`, `file:PATH`). Redirects are not followed."""
    headers: dict[str, Reference] = {}
    """Request headers; secrets as references."""


class SlackChannel(Channel):
    """An incoming webhook of Slack, or of what takes the same JSON (Mattermost, Rocket.Chat)."""

    kind: Literal["slack"]
    url: Reference
    """Address of the incoming webhook; it is a secret, so write a reference (`env:NAME`, `file:PATH`)."""


class EmailChannel(Channel):
    """A mail."""

    kind: Literal["email"]
    host: str
    """Name of the mail server."""
    port: int = Field(default=587, gt=0, le=65_535)
    """Usual: 587 with `starttls`, 465 with `tls`."""
    security: Literal["starttls", "tls", "none"] = "starttls"
    """starttls: a plain connection that becomes encrypted before anything is said, or no mail; tls: encrypted from the
    start; none: plain, for a mail server on this machine."""
    user: Reference | None = None
    """Name to log in with; without it nobody logs in."""
    password: Reference | None = None
    """Reference to the password."""
    sender: str = Field(min_length=3)
    """Address that the mail comes from."""
    to: list[str] = Field(min_length=1)
    """Addresses that it goes to."""
    ca: str | None = None
    """PEM file of the authority that signed the server's certificate, relative to the project; else the system's."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.user is None) != (self.password is None):
            raise ValueError("`user` and `password` go together")
        if self.user is not None and self.security == "none":
            raise ValueError('a password is not sent over a plain connection: security = "starttls" or "tls"')
        return self


class CommandChannel(Channel):
    """A program that is given the message as JSON on standard input. Exit status 0: it is told."""

    kind: Literal["command"]
    command: list[str] = Field(min_length=1)
    """Program and arguments; no shell reads them. A program with a `/` is relative to the project, where it runs."""


AnyChannel = Annotated[WebhookChannel | SlackChannel | EmailChannel | CommandChannel, Field(discriminator="kind")]


class HeartbeatSection(Section):
    """A dead man's switch: an outside service that is pinged while the daemon is well, and alarms at its silence."""

    url: Reference
    """Address that is asked with GET, or a reference to it. Redirects are not followed."""
    every: Duration = Field(default="1m", validate_default=True, ge=_LEAST)
    """Between two pings."""
    timeout: Duration = Field(default="10s", validate_default=True, ge=timedelta(milliseconds=100))
    """How long one may take."""


class AlertsSection(Section):
    """Who is told of alerts. Without a channel they are told in the overview, `trainshed status` and `alerts` only."""

    quiet: Annotated[str, AfterValidator(quiet_hours)] | None = None
    """Quiet hours, `"22:00-07:00"`: what comes up then is told afterwards, as one message."""
    timezone: Annotated[str, AfterValidator(zone_name)] = "UTC"
    """IANA zone of the quiet hours, and of times in messages."""
    quiet_critical: bool = False
    """Hold back critical alerts too in quiet hours."""
    repeat: Annotated[Duration | None, BeforeValidator(none_if_off)] = Field(default="1d", validate_default=True)
    """Between two reminders of an alert that nobody has acknowledged; `"off"`: none."""
    settle: Duration = Field(default="2h", validate_default=True)
    """An alert that comes back within so long of its end is the same one and nobody is told of the return; its end is
    told once it has lasted for so long. So what comes and goes is no storm."""
    gather: Duration = Field(default="10s", validate_default=True)
    """How long a message waits for others, to be one with them."""
    give_up: Duration = Field(default="2d", validate_default=True, ge=timedelta(minutes=1))
    """A message that could not be sent for so long is given up, which is an alert of its own."""
    keep_messages: Annotated[Annotated[Duration, Field(ge=timedelta(days=1))] | None, BeforeValidator(none_if_off)] = (
        Field(default="90d", validate_default=True)
    )
    """How long what was told to channels stays in the record once the alert is over; `"off"`: for ever. The alert and
    its history stay in any case."""
    watch: bool = True
    """With a channel: make alerts of what the daemon itself sees: failed runs of scheduled jobs, a stuck queue, a full
    disk, endpoints that are down."""
    channels: dict[Name, AnyChannel] = {}
    """Where alerts are told."""
    heartbeat: HeartbeatSection | None = None
    """The dead man's switch; without it there is none."""

    @field_validator("repeat")
    @classmethod
    def _not_a_storm(cls, repeat: timedelta | None) -> timedelta | None:
        if repeat is not None and repeat < timedelta(minutes=1):
            raise ValueError('at least "1m", or "off"')
        return repeat

    @property
    def policy(self) -> Policy:
        """What `store.alerts.observe` needs of it."""
        return Policy(
            channels={name: tuple(channel.severities) for name, channel in self.channels.items()},
            settle_us=us(self.settle),
            repeat_us=None if self.repeat is None else us(self.repeat),
            gather_us=us(self.gather),
        )

    def is_quiet(self, now: datetime) -> bool:
        """Whether `now` is in the quiet hours, by the clock on a wall in the zone, through each of its changes."""
        if self.quiet is None:
            return False
        begin, end = _parsed(self.quiet)
        clock = now.astimezone(ZoneInfo(self.timezone)).time()
        return begin <= clock < end if begin < end else clock >= begin or clock < end

    def held_back(self, severity: str, what: str, now: datetime) -> bool:
        """Whether the quiet hours hold a message back now. The end of an alert can wait for the morning in any case."""
        passes = severity == "critical" and what != "resolved" and not self.quiet_critical
        return not passes and self.is_quiet(now)
