"""From a request to its answer, whatever carries it."""

from typing import NamedTuple
from urllib.parse import parse_qs

import msgspec

from tellback.client.metrics.reading import read
from tellback.client.status import html, prometheus
from tellback.client.status.tree import asked, tree


class Answer(NamedTuple):
    status: int
    headers: list[tuple[str, str]]
    body: bytes


def respond(method: str, path: str, query: str, accept: str = "") -> Answer:
    """`path` is what follows where the status is mounted. Never raises."""
    try:
        return _respond(method, path, query, accept)
    except Exception as error:  # the host's server shall not fail for a look at its numbers
        return _answer(500, "text/plain; charset=utf-8", f"The status cannot be shown: {type(error).__name__}.\n")


def _respond(method: str, path: str, query: str, accept: str) -> Answer:
    if method not in ("GET", "HEAD"):
        answer = _answer(405, "text/plain; charset=utf-8", "Only GET and HEAD are answered.\n")
        answer.headers.append(("Allow", "GET, HEAD"))
        return answer
    path = path.strip("/")
    if path not in ("", "metrics", "status"):
        return _answer(404, "text/plain; charset=utf-8", "There is / and /metrics.\n")
    given = parse_qs(query[:4096])
    format_ = given.get("format", ["prometheus" if path == "metrics" else _preferred(accept)])[-1]
    if format_ == "prometheus":
        return _answer(200, prometheus.CONTENT_TYPE, prometheus.text(read()))
    if format_ not in ("html", "json"):
        return _answer(400, "text/plain; charset=utf-8", "format: expected html, json or prometheus.\n")
    wanted = given.get("query", [""])[-1]
    shown = tree()
    if wanted:
        try:
            shown = asked(shown, wanted)
        except ValueError as error:
            return _answer(400, "text/plain; charset=utf-8", f"{error}.\n")
    if format_ == "json":
        return _answer(200, "application/json", msgspec.json.encode(shown).decode())
    return _answer(200, "text/html; charset=utf-8", html.page(shown, wanted))


def _preferred(accept: str) -> str:
    return "json" if "application/json" in accept and "text/html" not in accept else "html"


def _answer(status: int, type_: str, text: str) -> Answer:
    headers = [
        ("Content-Type", type_),
        ("Cache-Control", "no-store"),
        ("X-Content-Type-Options", "nosniff"),
        ("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'"),
    ]
    body = text.encode("utf-8", "replace")
    return Answer(status, [*headers, ("Content-Length", str(len(body)))], body)
