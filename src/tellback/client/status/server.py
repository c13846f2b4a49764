"""The status on a port of its own, for programs that serve nothing themselves. On this machine only."""

import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import urlsplit

from tellback.client import notice
from tellback.client.status.respond import respond

_LOCAL: Final = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:\d+)?", re.IGNORECASE)


class Server:
    """A server that was started, or could not be (`url` is then empty)."""

    def __init__(self, port: int) -> None:
        self.url = ""
        self._httpd: ThreadingHTTPServer | None = None
        try:
            self._httpd = ThreadingHTTPServer(("127.0.0.1", port), _Handler)
        except (OSError, OverflowError, TypeError) as error:
            notice.say(f"The status is not served: port {port!r} of 127.0.0.1 cannot be had ({error}). Try another.")
            return
        self._httpd.daemon_threads = True
        self._httpd.block_on_close = False
        self.url = f"http://127.0.0.1:{self._httpd.server_address[1]}/"
        thread = threading.Thread(target=self._httpd.serve_forever, args=(0.2,), name="tellback-status", daemon=True)
        thread.start()

    def close(self) -> None:
        """Stop serving. May be called again."""
        httpd, self._httpd, self.url = self._httpd, None, ""
        if httpd is not None:
            httpd.shutdown()
            httpd.server_close()


def serve(port: int = 0) -> Server:
    """Serve the status on 127.0.0.1, on a port of the system's choice if none is given. Never raises."""
    return Server(port)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "tellback"
    sys_version = ""
    timeout = 30

    def _respond(self) -> None:
        parts = urlsplit(self.path)
        # A page of somebody else's can make a browser ask us under its own name (DNS rebinding); then Host tells.
        if not _LOCAL.fullmatch(self.headers.get("Host", "localhost")):
            self.send_error(403, explain="Ask for 127.0.0.1.")
            return
        answer = respond(self.command, parts.path, parts.query, self.headers.get("Accept", ""))
        self.send_response(answer.status)
        for name, value in answer.headers:
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    do_GET = do_HEAD = _respond  # noqa: N815 -- the names are the base's

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- the name is the base's
        """Nobody asked for a log."""
