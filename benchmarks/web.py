"""What a request pays for events, errors and logs: CPU of the whole server process per request, beside the same with
sentry-sdk and with OpenTelemetry, in one run.

    python benchmarks/web.py [ROUNDS] [REQUESTS]

Each variant is a FastAPI "hello" under uvicorn in a process of its own that logs one line and tells one event for each
request, records the request as a span, and fails on every fiftieth. What it records is shipped to a server here that
takes everything, and shipping is waited for within the measured time. Each line is the median of interleaved rounds,
beside the bare application. Needs fastapi and requirements/bench.txt.
"""

import http.client
import logging
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

VARIANTS = ("bare", "tellback", "sentry-sdk", "OpenTelemetry")
FAILS = 50

Flush = Callable[[], object]


class Sink(BaseHTTPRequestHandler):
    """Takes whatever it is sent."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        size = int(self.headers.get("Content-Length") or 0)
        self.rfile.read(size)
        if self.headers.get("Transfer-Encoding") == "chunked":
            while length := int(self.rfile.readline(), 16):
                self.rfile.read(length + 2)
            self.rfile.readline()
        tellback = self.path.startswith("/v1/records")
        body = b'{"accepted":1,"rejected":0,"duplicates":0,"errors":[]}' if tellback else b""
        self.send_response(202 if tellback else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """No access log."""


def instrument_bare(app: Any, sink: str) -> tuple[Callable[[str], object], Flush]:
    return (lambda name: None), (lambda: None)


def instrument_tellback(app: Any, sink: str) -> tuple[Callable[[str], object], Flush]:
    import tellback
    from tellback.adapters.asgi import Middleware

    tellback.init("bench", url=sink, token="t", spool=tempfile.mkdtemp())
    logging.getLogger().addHandler(tellback.LogHandler())
    app.add_middleware(Middleware)
    return (lambda name: tellback.event(name, shot="sq10", rows=3)), (lambda: tellback.flush(30))


def instrument_sentry(app: Any, sink: str) -> tuple[Callable[[str], object], Flush]:
    import sentry_sdk

    dsn = f"http://0123456789abcdef@{urlsplit(sink).netloc}/1"
    sentry_sdk.init(dsn=dsn, traces_sample_rate=1.0, enable_logs=True)
    return (
        (lambda name: sentry_sdk.logger.info(name, attributes={"shot": "sq10", "rows": 3})),
        (lambda: sentry_sdk.flush(30)),
    )


def instrument_opentelemetry(app: Any, sink: str) -> tuple[Callable[[str], object], Flush]:
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
    from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
    from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    spans, logs = TracerProvider(), LoggerProvider()
    spans.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(f"{sink}/v1/traces")))
    logs.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter(f"{sink}/v1/logs")))
    logging.getLogger().addHandler(LoggingHandler(logger_provider=logs))
    FastAPIInstrumentor.instrument_app(app, tracer_provider=spans)
    events = logs.get_logger("bench")

    def event(name: str) -> None:
        events.emit(event_name=name, timestamp=time.time_ns(), attributes={"shot": "sq10", "rows": 3})

    return event, (lambda: (spans.force_flush(30_000), logs.force_flush(30_000)))


INSTRUMENT = dict(
    zip(
        VARIANTS,
        (instrument_bare, instrument_tellback, instrument_sentry, instrument_opentelemetry),
        strict=True,
    )
)


def serve(variant: str, sink: str) -> None:
    """The server process: prints its port, then serves until it is killed."""
    import fastapi
    import uvicorn

    log = logging.getLogger("hello")
    logging.getLogger().setLevel(logging.INFO)
    # Its traceback of each failure is no variant's doing.
    logging.getLogger("uvicorn.error").propagate = False
    logging.getLogger("uvicorn.error").addHandler(logging.NullHandler())
    flush: Flush
    if variant == "sentry-sdk":  # before the application is made, as its documentation says
        event, flush = INSTRUMENT[variant](None, sink)
        app = fastapi.FastAPI()
    else:
        app = fastapi.FastAPI()
        event, flush = INSTRUMENT[variant](app, sink)

    @app.get("/hello/{name}")
    async def hello(name: str) -> dict[str, str]:
        log.info("hello %s", name)
        event("hello_said")
        return {"hello": name}

    @app.get("/fail/{name}")
    async def fail(name: str) -> dict[str, str]:
        log.info("hello %s", name)
        raise ValueError(f"no {name}")

    @app.get("/spent")
    def spent() -> int:
        flush()
        return time.process_time_ns()

    # With its protocol named, for asyncio turns Nagle's algorithm off for such sockets alone.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False)).run(sockets=[listener])


class Server:
    def __init__(self, variant: str, sink: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, __file__, "serve", variant, sink], stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        self.connection = http.client.HTTPConnection("127.0.0.1", int(self.process.stdout.readline()), timeout=60)

    def get(self, path: str) -> bytes:
        try:
            self.connection.request("GET", path)
            return self.connection.getresponse().read()
        except ConnectionError:  # uvicorn hangs up after a failure
            self.connection.close()
            return self.get(path)

    def per_request(self, requests: int) -> float:
        """CPU of the process per request, ns."""
        before = int(self.get("/spent"))
        for n in range(requests):
            self.get("/fail/sq10" if n % FAILS == FAILS - 1 else "/hello/sq10")
        return (int(self.get("/spent")) - before) / requests

    def end(self) -> None:
        self.connection.close()
        self.process.terminate()
        self.process.wait(30)


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    requests = int(sys.argv[2]) if len(sys.argv) > 2 else 500
    os.environ["NO_PROXY"] = "127.0.0.1"
    sink = ThreadingHTTPServer(("127.0.0.1", 0), Sink)
    threading.Thread(target=sink.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{sink.server_port}"
    servers = {variant: Server(variant, address) for variant in VARIANTS}
    times: dict[str, list[float]] = {variant: [] for variant in VARIANTS}
    try:
        for server in servers.values():
            server.per_request(200)
        for _ in range(rounds):
            for variant, server in servers.items():
                times[variant].append(server.per_request(requests))
    finally:
        for server in servers.values():
            server.end()
        sink.shutdown()
    medians = {variant: statistics.median(values) for variant, values in times.items()}
    extra = {variant: medians[variant] - medians["bare"] for variant in VARIANTS}
    print(f"{'':16}{'us per request':>16}{'extra':>10}{'of it tellback pays':>22}")
    for variant in VARIANTS:
        share = f"1/{extra[variant] / extra['tellback']:.1f}" if variant in VARIANTS[2:] else ""
        print(f"{variant:16}{medians[variant] / 1000:16,.0f}{extra[variant] / 1000:10,.0f}{share:>22}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        serve(*sys.argv[2:])
    else:
        main()
