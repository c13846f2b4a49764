"""The whole server in this process, without a socket: for tests that post thousands of bodies."""

import asyncio
import contextlib
import json
import urllib.parse
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tellback.server.app import Server, Settings
from tellback.server.grant import WRITE
from tests.server.running import Reply, until


class House:
    def __init__(self, data: Path, zone: str = "UTC") -> None:
        self.loop = asyncio.new_event_loop()
        self.server = Server(Settings(data, zone=zone))
        self.loop.run_until_complete(self.server.open())
        self.token = self.server.access.new_token([WRITE]).token

    def post(
        self, body: bytes, path: str = "/v1/records", token: str | None = None, method: str = "POST", **headers: str
    ) -> Reply:
        return self.loop.run_until_complete(self.apost(body, path, token, method, **headers))

    async def apost(
        self, body: bytes, path: str = "/v1/records", token: str | None = None, method: str = "POST", **headers: str
    ) -> Reply:
        sent: list[Any] = []
        chunks = [body[n : n + 65536] for n in range(0, len(body), 65536)] or [b""]
        given = {"authorization": f"Bearer {token or self.token}"} | {
            k.lower().replace("_", "-"): v for k, v in headers.items()
        }
        scope = {
            "type": "http",
            "method": method,
            "path": urllib.parse.unquote(path.partition("?")[0]),
            "query_string": path.partition("?")[2].encode(),
            "headers": [(k.encode(), v.encode("latin-1")) for k, v in given.items()],
            "client": ("127.0.0.1", 1),
        }

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": chunks.pop(0), "more_body": bool(chunks)}

        async def send(message: Any) -> None:
            sent.append(message)

        await self.server(scope, receive, send)
        headers_out: Mapping[str, str] = {k.decode(): v.decode() for k, v in sent[0]["headers"]}
        return Reply(sent[0]["status"], headers_out, b"".join(m.get("body", b"") for m in sent[1:]))

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        """Once all that was acknowledged is visible."""
        until(lambda: self.server.journal.oldest() is None)
        return self.server.store.query(sql).rows

    def close(self) -> None:
        self.loop.run_until_complete(self.server.close())
        self.loop.run_until_complete(self.loop.shutdown_default_executor())
        self.loop.close()


@contextlib.contextmanager
def house(data: Path, zone: str = "UTC") -> Iterator[House]:
    made = House(data, zone)
    try:
        yield made
    finally:
        made.close()


def attrs(text: str | None) -> Any:
    return json.loads(text or "{}")
