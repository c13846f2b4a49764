"""What a call costs the host: thread CPU per call, beside structlog's fastest configuration, in one run.

    python benchmarks/client.py [ROUNDS]

Each line is the median of interleaved rounds, so that what else the machine does falls on all alike. Needs structlog.
"""

import logging
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import structlog

import tellback

BOUND: dict[str, Any] = {"session": "s1", "shot": "sq10", "show": "abc", "task": "rig"}
CALLS = 2_000


def structlog_logger(path: Path) -> Any:
    """As its documentation on performance says: cached, filtered, bytes, a fast JSON, no stdlib."""
    encode = msgspec.json.Encoder().encode
    structlog.configure(
        cache_logger_on_first_use=True,
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(serializer=lambda data, **_: encode(data)),
        ],
        logger_factory=structlog.BytesLoggerFactory(file=path.open("wb")),
    )
    return structlog.get_logger().bind(user="guido", **BOUND)


def failures(count: int) -> list[Exception]:
    def inner(shot: str, frame: int) -> None:
        raise ValueError(f"no {shot} at {frame}")

    def outer(n: int) -> None:
        inner("sq10", n)

    out: list[Exception] = []
    for n in range(count):
        try:
            outer(n)
        except ValueError as error:
            out.append(error)
    return out


def per_call(work: Callable[[int], object], calls: int) -> float:
    begin = time.thread_time_ns()
    for n in range(calls):
        work(n)
    return (time.thread_time_ns() - begin) / calls


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    with tempfile.TemporaryDirectory() as folder:
        log = structlog_logger(Path(folder) / "structlog.ndjson")
        off = per_call(lambda n: tellback.event("export_to_file_edit", rows=n, path="/out/a.ma", ok=True), CALLS)
        tellback.init("bench", spool=Path(folder) / "spool")
        std = logging.getLogger("bench")
        std.propagate = False
        std.addHandler(tellback.LogHandler())
        tellback.event("first")
        pool: list[Exception] = []
        cases: dict[str, Callable[[int], object]] = {
            "empty call (control)": lambda n: None,
            "tellback.event, 5 bound values": lambda n: tellback.event(
                "export_to_file_edit", rows=n, path="/out/a.ma", ok=True
            ),
            "structlog, its fastest, 5 bound values": lambda n: log.info(
                "export_to_file_edit", rows=n, path="/out/a.ma", ok=True
            ),
            "logging + LogHandler": lambda n: std.warning("wrote %d files", n),
            "tellback.capture, 3 frames with locals": lambda n: tellback.capture(pool[n]),
        }
        times: dict[str, list[float]] = {name: [] for name in cases}
        with tellback.bound(user="guido", **BOUND):
            for _ in range(rounds):
                pool[:] = failures(CALLS // 10)
                for name, work in cases.items():
                    times[name].append(per_call(work, CALLS // 10 if "capture" in name else CALLS))
        print(f"{'before init, or disabled':42} {off:10,.0f} ns")
        for name, values in times.items():
            print(f"{name:42} {statistics.median(values):10,.0f} ns")
        tellback.close(0)


if __name__ == "__main__":
    main()
