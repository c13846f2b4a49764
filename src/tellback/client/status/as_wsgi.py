"""The status as a WSGI application (PEP 3333): mount it."""

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

from tellback.client.status.respond import respond


def wsgi(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answers a request."""
    method = environ.get("REQUEST_METHOD", "GET")
    answer = respond(
        method, environ.get("PATH_INFO", ""), environ.get("QUERY_STRING", ""), environ.get("HTTP_ACCEPT", "")
    )
    start_response(f"{answer.status} {HTTPStatus(answer.status).phrase}", answer.headers)
    return [b"" if method == "HEAD" else answer.body]
