"""A WSGI service without a framework: /frames?seconds=4 says how many frames that is.

    python examples/service.py 8000

The middleware records each request as a span. What fails becomes an error whose id the person sees and can quote; what
a person did is an event, and belongs to its request.
"""

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING
from urllib.parse import parse_qs
from wsgiref.simple_server import make_server

import tellback
from tellback.adapters.wsgi import Middleware

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

FPS = 24


def frames(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    seconds = float(parse_qs(environ["QUERY_STRING"])["seconds"][0])
    tellback.event("frames_asked", seconds=seconds)
    start_response("200 OK", [("Content-Type", "text/plain; charset=utf-8")])
    return [f"{seconds * FPS:.0f} frames\n".encode()]


def main() -> None:
    tellback.init(service="framerate", release="1.0")
    application = Middleware(frames, user=lambda environ: environ.get("HTTP_X_USER", "nobody"))
    with make_server("127.0.0.1", int(sys.argv[1]), application) as server:
        print(f"http://127.0.0.1:{server.server_port}/frames?seconds=4", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()
