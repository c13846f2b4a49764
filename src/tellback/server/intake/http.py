"""The HTTP side of intake, raw ASGI: reads a bounded body, asks who sends, lets the wire decode, waits for the journal.

One body is decompressed and decoded at a time. Decoding holds the interpreter anyway, and what it makes depends on what
was accepted before it; small bodies are decoded in the event loop, large ones in a thread, so that others are heard.
"""

import asyncio
import contextlib
import logging
import time
import urllib.parse
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, Protocol, TypeVar

from tellback.order import HEADER
from tellback.record import HEADER_SEGMENT, MAX_BODY
from tellback.server.grant import WRITE, Grant
from tellback.server.intake import wires
from tellback.server.intake.body import decompressed, too_large
from tellback.server.intake.contract import Answer, Batch, Refusal, Request, Unavailable, Wire
from tellback.server.intake.seen import Index

log = logging.getLogger("tellback.server.intake")

_T = TypeVar("_T")

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

Authenticate = Callable[[str, str | None], Grant | None]
"""(token, user beside it) -> what it allows; None when it is no token, or no longer one."""

Signed = Callable[[str, str], str | None]
"""(project, token) -> the order about what this client may record, signed for it; None without one."""

_INLINE = 1 << 20
"""Bytes of a body that is decoded in the event loop: some 8 ms."""

_LARGE = 4
"""Bodies over `_INLINE` that are held at once, so that their senders cannot fill the memory."""

_ROOM_SECONDS = 5.0
"""How long a request waits for the loader to catch up before it is sent away."""

_BODY_SECONDS = 60.0
"""How long a sender may take for a body."""


class Sink(Protocol):
    """Where batches go: the journal, and whether there is room behind it."""

    def append(self, batch: Batch) -> Awaitable[None]:
        """Done when the batch is durable; raises OSError or `Unavailable`."""

    async def room(self) -> None:
        """Returns when the loader is near enough behind."""


class Intake:
    """An ASGI application for the paths of every wire."""

    def __init__(
        self, authenticate: Authenticate, seen: Index, sink: Sink, limit: int = MAX_BODY, control: Signed | None = None
    ) -> None:
        self.authenticate = authenticate
        self.seen = seen
        self.sink = sink
        self.limit = limit
        self.control = control
        self._turn = asyncio.Lock()
        self._large = asyncio.Semaphore(_LARGE)
        self._routes = [(pattern.split("/"), wire) for wire in wires().values() for pattern in wire.paths]

    def match(self, path: str) -> tuple[Wire, dict[str, str]] | None:
        """The wire that speaks at this path, and what its pattern took out of it."""
        parts = (path.rstrip("/") or "/").split("/")
        for pattern, wire in self._routes:
            if len(pattern) == len(parts):
                params: dict[str, str] = {}
                for want, have in zip(pattern, parts, strict=True):
                    if want[:1] == "{" and have:
                        params[want[1:-1]] = have
                    elif want != have:
                        break
                else:
                    return wire, params
        return None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        matched = self.match(scope["path"])
        if matched is None:
            raise LookupError(f"no wire speaks at {scope['path']}: ask match() first")
        wire, params = matched
        try:
            answer = await self._take(wire, params, scope, receive)
        except Refusal as refusal:
            answer = wire.error(refusal)
        except _Gone:
            return
        except Exception:
            log.exception("%s: a request could not be handled", wire.name)
            answer = wire.error(Refusal(500, "internal", "a fault of the server's own; its log says more"))
        with contextlib.suppress(OSError):  # the sender may have gone; what was kept is kept
            await _send(answer, send)

    async def _take(self, wire: Wire, params: Mapping[str, str], scope: Scope, receive: Receive) -> Answer:
        if scope["method"] != "POST":
            raise Refusal(405, "method", f"{scope['method']} is not taken here: POST", headers={"allow": "POST"})
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        query = dict(urllib.parse.parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
        grant, user, token = self._who(wire, params, headers, query)
        try:
            async with asyncio.timeout(_ROOM_SECONDS):
                await self.sink.room()
        except TimeoutError:
            raise Refusal(
                429, "busy", "more comes in than can be stored: send it again later", headers={"retry-after": "2"}
            ) from None
        length = headers.get("content-length", "")
        small = length.isdigit() and int(length) <= _INLINE
        async with contextlib.nullcontext() if small else self._large:
            request = Request(
                path=scope["path"],
                params=params,
                query=query,
                headers=headers,
                peer=(scope.get("client") or ("",))[0],
                grant=grant,
                user=user,
                received=0,
                body=await self._body(length, receive),
                seen=self.seen,
            )
            batch, durable = await self._append(wire, request)
        try:
            await durable
        except (Unavailable, OSError) as error:
            raise unavailable(error) from None
        answer = wire.answer(batch)
        if HEADER_SEGMENT.lower() in headers:  # from Tellback's own client, which obeys
            self._add_order(answer, grant.project, token)
        return answer

    def _add_order(self, answer: Answer, project: str, token: str) -> None:
        try:
            order = self.control(project, token) if self.control is not None else None
        except Exception:  # the batch is durable, and its sender must hear that whatever else fails
            log.exception("the order about what clients may record could not be read")
            return
        if order is not None:
            answer.headers[HEADER] = order

    def _who(
        self, wire: Wire, params: Mapping[str, str], headers: Mapping[str, str], query: Mapping[str, str]
    ) -> tuple[Grant, str | None, str]:
        """The grant, the user beside the token, and the token."""
        given = wire.credentials(params, headers, query)
        challenge = {"www-authenticate": 'Bearer realm="tellback"'}
        if given is None:
            raise Refusal(
                401, "no_token", "a write token is needed: send Authorization: Bearer TOKEN", "Authorization", challenge
            )
        grant = self.authenticate(*given)
        if grant is None:
            raise Refusal(
                401, "bad_token", "this token is not known, or was revoked: make one with `tellback token new --write`",
                "Authorization", challenge,
            )  # fmt: skip
        if not grant.may(WRITE):
            raise Refusal(403, "not_a_write_token", "this token may not write: make one with --write", "Authorization")
        return grant, given[1], given[0]

    async def _body(self, length: str, receive: Receive) -> bytes:
        """As it came, still encoded."""
        if length.isdigit() and int(length) > self.limit:
            raise too_large(self.limit)
        body = bytearray()
        try:
            async with asyncio.timeout(_BODY_SECONDS):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise _Gone
                    body += message.get("body", b"")
                    if len(body) > self.limit:
                        raise too_large(self.limit)
                    if not message.get("more_body"):
                        return bytes(body)
        except TimeoutError:
            raise Refusal(408, "slow_body", f"the body did not come within {_BODY_SECONDS:.0f} s", "body") from None

    async def _append(self, wire: Wire, request: Request) -> tuple[Batch, Awaitable[None]]:
        encoding = request.headers.get("content-encoding", "")
        async with self._turn:
            request.body = await _run(request.body, decompressed, request.body, encoding, self.limit)
            request.received = time.time_ns()
            while True:
                epoch = self.seen.epoch
                batch = await _run(request.body, wire.decode, request)
                # A failed sync while the thread was at it took back what this batch may count on.
                if self.seen.epoch == epoch:
                    break
            if batch.nothing:
                return batch, _nothing()
            try:
                durable = self.sink.append(batch)
            except (Unavailable, OSError) as error:
                raise unavailable(error) from None
            self.seen.claim(batch)
            self.seen.sweep(request.received)
            return batch, durable


def unavailable(error: Exception) -> Refusal:
    """Nothing was kept; the sender is to come again."""
    return Refusal(
        503, "not_durable", f"the server cannot write to its disk: {error}; nothing was kept, send it again",
        headers={"retry-after": "5"},
    )  # fmt: skip


class _Gone(Exception):  # noqa: N818 - the sender went away before its request was whole
    pass


async def _run(body: bytes, work: Callable[..., _T], *arguments: object) -> _T:
    """In the event loop where `body` is small, in a thread where it is not."""
    if len(body) <= _INLINE:
        return work(*arguments)
    return await asyncio.to_thread(work, *arguments)


async def _nothing() -> None:
    """What has nothing to keep need not wait for a disk."""


async def _send(answer: Answer, send: Send) -> None:
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers.items()]
    headers.append((b"content-length", str(len(answer.body)).encode()))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})
