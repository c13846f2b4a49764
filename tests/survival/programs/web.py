"""A service as people write them: Tellback begins when it is imported, under preload before the fork."""

import asyncio
import os
import signal
import time
from typing import Any

import tellback

tellback.init(service="web")
tellback.event("loaded")
requests = tellback.counter("requests")


def answer(n: str) -> bytes:
    requests.add()
    with tellback.span("request"):
        tellback.event("e", n=int(n))
    if n == "13":
        os.kill(os.getpid(), signal.SIGKILL)
    return str(os.getpid()).encode()


def wsgi(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    body = answer(environ["PATH_INFO"].strip("/"))
    time.sleep(0.001)  # under gevent another request goes on meanwhile
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]


async def asgi(scope: dict[str, Any], receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        while (message := await receive())["type"] == "lifespan.startup":
            await send({"type": "lifespan.startup.complete"})
        await send({"type": message["type"] + ".complete"})
        return
    body = answer(scope["path"].strip("/"))
    await asyncio.sleep(0.001)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})
