"""StatsD over UDP: `path:number|c` for what was added since the last push, `|g` for what holds; tags as DogStatsD has
them."""

import re
import socket
from collections.abc import Iterable, Iterator

from tellback.client.push.pusher import Pusher
from tellback.client.push.values import Value, number

_PACKET = 1432
"""Bytes that an Ethernet frame takes whole, as StatsD's documentation advises."""


def statsd(host: str, port: int = 8125, *, prefix: str = "", period: float = 10.0) -> Pusher:
    """Push to a StatsD each `period` seconds. Labels become tags (`|#key:value`), which the classic server does not
    know: `forbid` what has them there. Nothing is pushed before `allow`."""
    told: dict[tuple[str, str], float] = {}

    def send(values: Iterable[Value]) -> None:
        family, type_, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, type_) as connection:
            connection.connect(address)
            for packet in packets(line for value in values for line in lines(value, prefix, told)):
                connection.send(packet)

    return Pusher(f"statsd {host}:{port}", send, period)


def lines(value: Value, prefix: str, told: dict[tuple[str, str], float]) -> Iterator[str]:
    """The lines for one value, without newlines; a total that has not grown has none."""
    path = f"{prefix}.{value.path}" if prefix else value.path
    tags = ",".join(f"{_plain(key)}:{_plain(text)}" for key, text in sorted(value.labels.items()))
    end = f"|#{tags}" if tags else ""
    if value.total:
        before = told.get((path, tags), 0.0)
        told[path, tags] = value.value
        # A total that went back is that of a new beginning (`init` was called again).
        added = value.value - before if value.value >= before else value.value
        if added:
            yield f"{path}:{number(added)}|c{end}"
        return
    line = f"{path}:{number(value.value)}|g{end}"
    # A sign makes it a difference, so it is one from 0; both in one packet.
    yield f"{path}:0|g{end}\n{line}" if value.value < 0 else line


def packets(lines: Iterable[str]) -> Iterator[bytes]:
    """Lines joined by newlines, as many as fit a packet."""
    packet = b""
    for line in lines:
        encoded = line.encode()
        if packet and len(packet) + 1 + len(encoded) > _PACKET:
            yield packet
            packet = b""
        packet = packet + b"\n" + encoded if packet else encoded
    if packet:
        yield packet


def _plain(text: str) -> str:
    return re.sub(r"[|#:,\s]", "_", text) or "_"
