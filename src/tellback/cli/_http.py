"""The server from elsewhere, over HTTP with the standard library."""

import http.client
import ipaddress
import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.message import Message
from typing import IO, Any

from tellback.cli._exit import DENIED, FINDING, UNREACHABLE, USAGE, CommandError

TIMEOUT = 120.0  # seconds; a question may scan much


@dataclass(frozen=True)
class Reply:
    status: int
    headers: Message
    body: bytes

    def json(self) -> Any:
        try:
            return json.loads(self.body)
        except ValueError:
            raise CommandError("the address answers, but not as a Tellback server does; check --url") from None


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect would carry the token to wherever it points."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Message, newurl: str
    ) -> None:
        return None


class Server:
    def __init__(self, url: str, token: str) -> None:
        """CommandError (usage) when `url` is no http(s) address."""
        parts = urllib.parse.urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise CommandError(f"--url: expected an address like http://127.0.0.1:8321, got {url!r}", USAGE)
        self.url = url.rstrip("/")
        self._token = token
        handlers: list[urllib.request.BaseHandler] = [_NoRedirect()]
        if _is_loopback(parts.hostname):
            # A proxy of the environment is for the world outside; its own loopback is another machine's.
            handlers.append(urllib.request.ProxyHandler({}))
        self._opener = urllib.request.build_opener(*handlers)

    def send(
        self,
        method: str,
        path: str,
        params: Sequence[tuple[str, str]] = (),
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float = TIMEOUT,
    ) -> Reply:
        """The reply, whatever its status. CommandError (unreachable) when there is none."""
        query = f"?{urllib.parse.urlencode(params)}" if params else ""
        request = urllib.request.Request(  # noqa: S310 - the scheme was checked
            f"{self.url}{path}{query}", body, dict(headers or {}), method=method
        )
        if self._token:
            request.add_unredirected_header("Authorization", f"Bearer {self._token}")
        try:
            with self._opener.open(request, timeout=timeout) as response:
                return Reply(response.status, response.headers, response.read())
        except urllib.error.HTTPError as error:
            with error:
                return Reply(error.code, error.headers, error.read())
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", None) or str(error) or type(error).__name__
            raise CommandError(
                f"no answer from {self.url}: {reason}; is the server running (`tellback serve`) and the address right?",
                UNREACHABLE,
            ) from None

    def call(
        self,
        method: str,
        path: str,
        params: Sequence[tuple[str, str]] = (),
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """The reply if it is a good one; else CommandError with the server's own words and the fitting exit code."""
        reply = self.send(method, path, params, body, headers)
        if reply.status < 300:
            return reply
        raise CommandError(*_refusal(reply))


def _refusal(reply: Reply) -> tuple[str, int]:
    try:
        message = str(json.loads(reply.body)["error"]["message"])
    except (ValueError, LookupError, TypeError):
        message = f"the address answers {reply.status}, not as a Tellback server does; check --url"
    if reply.status in (401, 403):
        return message, DENIED
    if reply.status in (502, 503, 504):
        return message, UNREACHABLE
    return message, USAGE if reply.status in (400, 404) else FINDING


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
