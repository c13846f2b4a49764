"""A WSGI service without a framework: /frames?seconds=4 says how many frames that is.

    python examples/service.py 8000

Each request is an event with its duration. What fails becomes an error whose id the person sees and can quote; timing
lies in the middleware, outside of what it times.
"""

import sys
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING
from urllib.parse import parse_qs
from wsgiref.simple_server import make_server

import tellback

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

FPS = 24


def frames(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    seconds = float(parse_qs(environ["QUERY_STRING"])["seconds"][0])
    start_response("200 OK", [("Content-Type", "text/plain; charset=utf-8")])
    return [f"{seconds * FPS:.0f} frames\n".encode()]


def told(application: "WSGIApplication") -> Callable[["WSGIEnvironment", "StartResponse"], Iterable[bytes]]:
    """The application, with an event for each request and an error for each failure."""

    def middleware(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        begun = time.perf_counter_ns()
        with tellback.bound(user=environ.get("HTTP_X_USER", "nobody"), path=environ["PATH_INFO"]):
            try:
                return application(environ, start_response)
            except Exception as error:
                reference = tellback.capture(error)
                start_response("500 Internal Server Error", [("Content-Type", "text/plain; charset=utf-8")])
                return [f"This did not work. Our number for it: {reference}\n".encode()]
            finally:
                tellback.event("request", duration=time.perf_counter_ns() - begun)

    return middleware


def main() -> None:
    tellback.init(service="framerate", release="1.0")
    with make_server("127.0.0.1", int(sys.argv[1]), told(frames)) as server:
        print(f"http://127.0.0.1:{server.server_port}/frames?seconds=4", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()
