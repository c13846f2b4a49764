"""Templates to responses: the functions that templates may use, and the headers that every page carries."""

import gzip
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import Response

from tellback.server.web import assets, filters, words

THEMES = ("light", "dark")
SECURITY = {
    # Nothing inline and nothing from elsewhere: a record's text can never become a script or a style here.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    # What a page shows is private, and htmx asks the same address for parts of it.
    "Cache-Control": "no-store",
    "Vary": "Cookie, HX-Request, Accept-Encoding",
}
SMALL = 1024  # bytes below which packing gains nothing


def environment() -> Environment:
    found = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters |= {
        name: getattr(words, name) for name in ("number", "short", "share", "duration", "day", "plural", "time_tag")
    }
    found.globals |= {
        "asset": assets.address,
        "COLUMNS": filters.COLUMNS,
        "RANGES": filters.RANGES,
        "SHOWN": filters.SHOWN,
        "exact": words.exact,
        "stamp": words.stamp,
    }
    return found


TEMPLATES = environment()


def html(template: str, values: Mapping[str, Any]) -> str:
    return TEMPLATES.get_template(template).render(values)


def respond(request: Request, text: str, status: int = 200) -> Response:
    """A page or a part of one, packed if the browser takes it."""
    body, headers = text.encode(), dict(SECURITY)
    if len(body) > SMALL and "gzip" in request.headers.get("accept-encoding", ""):
        body = gzip.compress(body, 5, mtime=0)
        headers["Content-Encoding"] = "gzip"
    return Response(body, status, headers, "text/html; charset=utf-8")


def theme(request: Request) -> str:
    """The theme that this browser chose, or "" for the system's. A cookie, so that nothing flashes."""
    chosen = request.cookies.get("theme", "")
    return chosen if chosen in THEMES else ""
