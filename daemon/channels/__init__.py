"""Channels: a file for each way to tell somebody, and `send`, which chooses. What others do wrong raises nothing."""

from daemon.channels.answer import Answer, Message
from daemon.channels.send import send

__all__ = ["Answer", "Message", "send"]
