"""A small real HTTP server that keeps the contract of `POST /v1/records`, and can be told to misbehave."""

import base64
import gzip
import http.server
import json
import threading
import time
from typing import Any

import msgspec

from tellback.record import HEADER_OFFSET, HEADER_PROCESS, HEADER_SEGMENT, Line


class Server:
    """Keeps accepted lines by (segment, offset). `script` holds (status, headers, body) to answer instead, first to last;
    `None` in it is a normal answer, "stall" accepts and never answers."""

    def __init__(self, *, token: str | None = None) -> None:
        self.token = token
        self.script: list[Any] = []
        self.largest: int | None = None
        self.lines: dict[tuple[str, int], bytes] = {}
        self.duplicates = 0
        self.requests: list[dict[str, str]] = []
        self.processes: dict[str, dict[str, Any]] = {}
        self.changed = threading.Condition()
        self.released = threading.Event()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:  # noqa: N802 -- the name http.server wants
                outer.answer(self)

            def log_message(self, *_: object) -> None:
                pass

        self.httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.httpd.daemon_threads = True
        self.httpd.block_on_close = False
        self.url = f"http://127.0.0.1:{self.httpd.server_address[1]}"
        self.thread = threading.Thread(target=self.httpd.serve_forever, args=(0.01,), daemon=True)
        self.thread.start()

    def close(self) -> None:
        self.released.set()
        self.httpd.shutdown()
        self.httpd.server_close()
        self.thread.join()

    def answer(self, request: http.server.BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers["Content-Length"]))
        with self.changed:
            self.requests.append(dict(request.headers))
            step = self.script.pop(0) if self.script else None
            self.changed.notify_all()
        if step == "stall":
            self.released.wait(60)
            request.close_connection = True
            return
        status, headers, answer = step if step is not None else self.take(request.headers, body, request.path)
        out = json.dumps(answer).encode()
        request.send_response(status)
        for name, value in headers.items():
            request.send_header(name, value)
        request.send_header("Content-Length", str(len(out)))
        request.end_headers()
        request.wfile.write(out)

    def take(self, headers: Any, body: bytes, path: str) -> tuple[int, dict[str, str], Any]:
        if path != "/v1/records":
            return 404, {}, {}
        if self.token is not None and headers.get("Authorization") != f"Bearer {self.token}":
            return 401, {}, {"error": {"code": "unauthorized"}}
        data = decoded(headers.get("Content-Encoding", "identity"), body)
        if self.largest is not None and len(data) > self.largest:
            return 413, {}, {"error": {"code": "too_large"}}
        segment, offset = headers[HEADER_SEGMENT], int(headers[HEADER_OFFSET])
        assert data.endswith(b"\n")
        accepted = duplicates = 0
        with self.changed:
            if HEADER_PROCESS in headers:
                self.processes[segment] = json.loads(base64.urlsafe_b64decode(headers[HEADER_PROCESS]))
            for line in data.splitlines(keepends=True):
                if not line.startswith(b'{"kind":"process"'):
                    if (segment, offset) in self.lines:
                        assert self.lines[segment, offset] == line
                        duplicates += 1
                    else:
                        msgspec.json.decode(line, type=Line)
                        self.lines[segment, offset] = line
                        accepted += 1
                offset += len(line)
            self.duplicates += duplicates
            self.changed.notify_all()
        return 202, {}, {"accepted": accepted, "rejected": 0, "duplicates": duplicates, "errors": []}

    def records(self) -> list[dict[str, Any]]:
        with self.changed:
            return [json.loads(line) for _, line in sorted(self.lines.items())]

    def wait(self, test: Any, timeout: float = 10.0) -> None:
        """Until `test(self)` holds; AssertionError after `timeout` seconds."""
        deadline = time.monotonic() + timeout
        with self.changed:
            while not test(self):
                left = deadline - time.monotonic()
                assert left > 0, f"nothing came: {len(self.lines)} lines, {len(self.requests)} requests"
                self.changed.wait(left)


def decoded(encoding: str, body: bytes) -> bytes:
    if encoding == "gzip":
        return gzip.decompress(body)
    if encoding == "zstd":
        import zstandard

        return zstandard.ZstdDecompressor().decompress(body, max_output_size=64 << 20)
    assert encoding == "identity"
    return body
