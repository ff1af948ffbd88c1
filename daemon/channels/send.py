"""A message to a channel of the project file. Secrets are read here, for each try, and kept nowhere.

What speaks to the network is imported by the first who needs it: a daemon without channels starts without it.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from daemon.channels.answer import Answer, Message
from pipeline.config.alerts import AnyChannel, EmailChannel, SlackChannel, WebhookChannel
from pipeline.secrets import resolve
from store.errors import SecretMissing

if TYPE_CHECKING:
    from daemon.channels.mail import Post


def send(channel: AnyChannel, message: Message, root: Path, now: datetime) -> Answer:
    """One try. `root`: the project's folder."""
    seconds = channel.timeout.total_seconds()
    try:
        match channel:
            case WebhookChannel():
                from daemon.channels import web

                headers = {name: resolve(value, root) for name, value in channel.headers.items()}
                return web.post_webhook(resolve(channel.url, root), headers, message, seconds, now)
            case SlackChannel():
                from daemon.channels import web

                return web.post_slack(resolve(channel.url, root), message, seconds, now)
            case EmailChannel():
                from daemon.channels import mail

                return mail.send_mail(_post(channel, root), message, now)
            case _:
                from daemon.channels import command

                return command.run_command(channel.command, root, message, seconds)
    except SecretMissing as error:
        return Answer(ok=False, text=f"{error.where}: {error.what}")


def _post(channel: EmailChannel, root: Path) -> Post:
    from daemon.channels.mail import Post

    user, password = channel.user, channel.password
    return Post(
        host=channel.host,
        port=channel.port,
        security=channel.security,
        login=(resolve(user, root), resolve(password, root)) if user and password else None,
        sender=channel.sender,
        to=channel.to,
        ca=None if channel.ca is None else str(root / channel.ca),
        seconds=channel.timeout.total_seconds(),
    )
