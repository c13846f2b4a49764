"""Graphite's plaintext protocol: `path;label=value number seconds` a line, over TCP."""

import re
import socket
import time
from collections.abc import Iterable

from tellback.client.push.pusher import Pusher
from tellback.client.push.values import Value, number

_TIMEOUT = 5.0
_KEY = re.compile(r"[;!^=~\s]")
_TEXT = re.compile(r"[;~\s]")


def graphite(host: str, port: int = 2003, *, prefix: str = "", period: float = 60.0) -> Pusher:
    """Push to a Graphite (carbon) each `period` seconds; totals as they stand since this process began. Labels become
    tags, which Graphite has since 1.1. Nothing is pushed before `allow`."""

    def send(values: Iterable[Value]) -> None:
        now = int(time.time())
        text = "".join(line(value, prefix, now) for value in values)
        if text:
            with socket.create_connection((host, port), timeout=_TIMEOUT) as connection:
                connection.sendall(text.encode())

    return Pusher(f"graphite {host}:{port}", send, period)


def line(value: Value, prefix: str, now: int) -> str:
    """One line with its newline."""
    path = f"{prefix}.{value.path}" if prefix else value.path
    # A tag's name has no `;!^=`, its value no `;` and no `~` in front; a space would end the path.
    tags = "".join(
        f";{_KEY.sub('_', key) or '_'}={_TEXT.sub('_', text) or '_'}" for key, text in sorted(value.labels.items())
    )
    return f"{path}{tags} {number(value.value)} {now}\n"
