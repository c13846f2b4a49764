"""The status as an ASGI application (asgi.readthedocs.io, HTTP 2.x): mount it."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from tellback.client.status.respond import respond

Message = MutableMapping[str, Any]


async def asgi(
    scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
) -> None:
    """Answers HTTP; lets a lifespan pass; closes a websocket."""
    if scope["type"] == "lifespan":
        while (await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        await send({"type": "lifespan.shutdown.complete"})
        return
    if scope["type"] != "http":
        await send({"type": "websocket.close", "code": 1003})
        return
    path, root = scope["path"], scope.get("root_path", "")
    # Servers differ in whether the path holds that of the mount; ours is what comes after it.
    path = path[len(root) :] if root and path.startswith(root) else path
    accept = next((value.decode("latin-1") for name, value in scope["headers"] if name.lower() == b"accept"), "")
    answer = respond(scope["method"], path, scope.get("query_string", b"").decode("latin-1"), accept)
    headers = [(name.lower().encode(), value.encode()) for name, value in answer.headers]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else answer.body})
