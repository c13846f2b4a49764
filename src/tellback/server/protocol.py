"""HTTP/1.1 as uvicorn speaks it, with a bound on a request's head.

httptools gathers a header until it is whole, and copies what it has with each piece that comes: one header of 100 MB,
from anybody who can connect, kept the whole server busy for a minute. A body is bounded where it is read.
"""

from typing import Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEAD: Final = 256 << 10
"""Bytes of request line and headers. `Tellback-Process` is the longest header there is: some 90 KB at the very most."""

_REFUSAL: Final = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"content-type: text/plain; charset=utf-8\r\nconnection: close\r\n\r\n"
    b"The head of the request is over %d bytes.\n" % MAX_HEAD
)


class BoundedProtocol(HttpToolsProtocol):
    """One connection. A piece that comes in has 256 KiB at most, so that counting after it was read is soon enough."""

    _head: int | None = 0
    """Bytes that came since the head began; None while a body comes in."""

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._head is None:
            return
        self._head += len(data)
        if self._head > MAX_HEAD and not self.transport.is_closing():
            self.transport.write(_REFUSAL)
            self.transport.close()

    def on_headers_complete(self) -> None:
        self._head = None
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._head = 0
        super().on_message_complete()
