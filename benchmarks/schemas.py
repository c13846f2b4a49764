"""What an event with a schema costs the host: thread CPU per call, beside its peers, in one run.

    python benchmarks/schemas.py [ROUNDS]

Peers: structlog in its fastest configuration with the same values, unchecked; jupyter_events with the same schema and
one handler that drops the line. Each line is the median of interleaved rounds, so that what else the machine does falls
on all alike. jupyter_events lives in an environment of its own, in which this program starts itself again
(scripts/foreign-environment makes it).
"""

import io
import logging
import os
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
BOUND: dict[str, Any] = {"user": "guido", "session": "s1", "shot": "sq10", "show": "abc", "task": "rig"}
CALLS = 2_000
SCHEMA: dict[str, Any] = {
    "$id": "https://example.org/export_to_file_edit",
    "version": "1",
    "title": "A person exported a table.",
    "type": "object",
    "properties": {
        "rows": {"type": "integer", "minimum": 0},
        "path": {"type": "string", "maxLength": 500},
        "ok": {"type": "boolean"},
    },
    "required": ["rows", "path", "ok"],
    "additionalProperties": False,
}


class Dropped(io.TextIOBase):
    """Takes lines as a file does, and keeps none: the disk shall not weigh on anybody."""

    def write(self, text: str) -> int:
        return len(text)


def per_call(work: Callable[[int], object], calls: int) -> float:
    begin = time.thread_time_ns()
    for n in range(calls):
        work(n)
    return (time.thread_time_ns() - begin) / calls


def structlog_logger(path: Path) -> Any:
    """As its documentation on performance says: cached, filtered, bytes, a fast JSON, no stdlib."""
    import msgspec
    import structlog

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
    return structlog.get_logger().bind(**BOUND)


def structlog_into_tellback() -> Any:
    """The same chain with Tellback's sink at its end; the five values are bound by `tellback.bound`."""
    import structlog

    from tellback.adapters.structlog import Sink

    return structlog.wrap_logger(
        structlog.ReturnLogger(),
        processors=[structlog.contextvars.merge_contextvars, Sink()],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        cache_logger_on_first_use=True,
    ).bind()


def main() -> None:
    import tellback

    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    with tempfile.TemporaryDirectory() as folder:
        log = structlog_logger(Path(folder) / "structlog.ndjson")
        into = structlog_into_tellback()
        emit = tellback.schema(SCHEMA)
        partly = tellback.schema({**SCHEMA, "version": "2", "required": ["rows"]})
        tellback.init("bench", spool=Path(folder) / "spool")
        tellback.event("first")
        cases: dict[str, tuple[Callable[[int], object], int]] = {
            "empty call (control)": (lambda n: None, CALLS),
            "registered event, by name": (lambda n: emit(rows=n, path="/out/a.ma", ok=True), CALLS),
            "registered event, by position": (lambda n: emit(n, "/out/a.ma", True), CALLS),
            "registered event, one property left out": (lambda n: partly(rows=n, ok=True), CALLS),
            "registered event, a dict at hand": (
                lambda n: emit.record({"rows": n, "path": "/out/a.ma", "ok": True}), CALLS,
            ),
            "invalid event, counted": (lambda n: emit(rows="x", path="/out/a.ma", ok=True), CALLS),
            "tellback.event": (lambda n: tellback.event("export", rows=n, path="/out/a.ma", ok=True), CALLS),
            "structlog, its fastest": (lambda n: log.info("export", rows=n, path="/out/a.ma", ok=True), CALLS),
            "structlog into tellback's sink": (
                lambda n: into.info("export", rows=n, path="/out/a.ma", ok=True), CALLS,
            ),
            **jupyter(),
        }  # fmt: skip
        times: dict[str, list[float]] = {name: [] for name in cases}
        logging.getLogger("tellback").setLevel(logging.ERROR)
        with tellback.bound(**BOUND):
            for _ in range(rounds):
                for name, (work, calls) in cases.items():
                    times[name].append(per_call(work, calls))
        tellback.close(0)
    told({name: statistics.median(values) for name, values in times.items()})


def jupyter() -> dict[str, tuple[Callable[[int], object], int]]:
    try:
        from jupyter_events import EventLogger
    except ModuleNotFoundError:
        print("jupyter_events is not here: scripts/foreign-environment jupyter", file=sys.stderr)
        return {}
    warnings.simplefilter("ignore")
    logger = EventLogger(handlers=[logging.StreamHandler(Dropped())])
    logger.register_event_schema(SCHEMA)
    id_ = SCHEMA["$id"]
    return {
        "jupyter_events": (
            lambda n: logger.emit(schema_id=id_, data={"rows": n, "path": "/out/a.ma", "ok": True}), CALLS // 20,
        )
    }  # fmt: skip


def told(median: dict[str, float]) -> None:
    own = median["registered event, by name"]
    print(f"{'with 5 bound values':42} {'ns':>10}   registered event is")
    for name, value in median.items():
        print(f"{name:42} {value:10,.0f}   1/{value / own:.1f}")


if __name__ == "__main__":
    check = [str(ROOT / "scripts" / "foreign-environment"), "--check", "jupyter"]
    found = subprocess.run(check, capture_output=True, text=True, check=False).stdout.strip()
    if found and "TELLBACK_BENCH" not in os.environ:
        environment = {**os.environ, "TELLBACK_BENCH": "1", "PYTHONPATH": str(ROOT / "src")}
        sys.exit(subprocess.run([found, __file__, *sys.argv[1:]], env=environment, check=False).returncode)
    main()
