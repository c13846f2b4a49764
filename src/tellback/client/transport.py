"""One POST over one kept-alive connection. Knows HTTP, and nothing about what an answer means."""

import http.client
import os
import ssl
import time
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import urlsplit

import msgspec

from tellback.version import __version__

CONNECT: Final = 5.0
ANSWER: Final = 10.0
"""Seconds. They hold a background thread only."""

_MAX_ANSWER: Final = 1 << 20


class Answer(msgspec.Struct):
    """What the server said. `status` 0: nothing, it could not be reached or broke off."""

    status: int
    body: bytes = b""
    retry_after: float | None = None
    reason: str = ""


class Transport:
    """Posts to one URL. Used by one thread at a time. A fork must make its own."""

    def __init__(self, url: str, token: str | None, *, answer: float = ANSWER) -> None:
        parts = urlsplit(url)
        self._path = parts.path + "/v1/records"
        self._host = parts.hostname or ""
        # Said, because http.client looks for a port in a host that came without, and `::1` has a colon.
        self._port = parts.port or (443 if parts.scheme == "https" else 80)
        self._tls = parts.scheme == "https"
        self._answer = answer
        self._connection: http.client.HTTPConnection | None = None
        self._headers = {"Content-Type": "application/x-ndjson", "User-Agent": f"tellback/{__version__}"}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"

    def post(self, body: bytes, headers: dict[str, str]) -> Answer:
        """Send and read the answer. Never raises for what a network or a server can do."""
        fresh = self._connection is None
        answer = self._try(body, headers)
        if answer.status == 0 and not fresh:
            # A server may close an idle connection at any time; only a new one tells whether it is there.
            answer = self._try(body, headers)
        return answer

    def _try(self, body: bytes, headers: dict[str, str]) -> Answer:
        try:
            connection = self._connect()
            connection.request("POST", self._path, body, {**self._headers, **headers})
            response = connection.getresponse()
            read = response.read(_MAX_ANSWER)
            if response.will_close or not response.isclosed():
                self.close()
            return Answer(response.status, read, _retry_after(response.getheader("Retry-After")), response.reason)
        except TimeoutError as error:
            self.close()
            return Answer(0, reason=f"no answer within {self._answer:g} s ({error})")
        except (OSError, http.client.HTTPException, ValueError) as error:
            self.close()
            return Answer(0, reason=str(error) or type(error).__name__)

    def _connect(self) -> http.client.HTTPConnection:
        if self._connection is None:
            if self._tls:
                context = ssl.create_default_context()
                self._connection = http.client.HTTPSConnection(self._host, self._port, timeout=CONNECT, context=context)
            else:
                self._connection = http.client.HTTPConnection(self._host, self._port, timeout=CONNECT)
            self._connection.connect()
            self._connection.sock.settimeout(self._answer)
        return self._connection

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def abandon(self) -> None:
        """In a fork: let go of the parent's connection without a byte on it."""
        connection, self._connection = self._connection, None
        if connection is not None and connection.sock is not None:
            os.close(connection.sock.detach())


def _retry_after(value: str | None) -> float | None:
    """Seconds, from either form of the header (RFC 9110, 10.2.3)."""
    if value is None:
        return None
    try:
        return max(0.0, float(int(value)))
    except OverflowError:
        return None
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return None
