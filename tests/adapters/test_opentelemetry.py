"""OpenTelemetry's real SDK, with Tellback's exporters in it."""

import logging
import math
import os
import signal
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import LogRecordExportResult, SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.metrics.view import ExplicitBucketHistogramAggregation, View
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExportResult
from tests.survival.hosts import end, environment, kept, numbers, start

import tellback
from tellback.adapters import opentelemetry as adapter


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Path]:
    tellback.init("otel", spool=tmp_path / "spool")
    yield tmp_path / "spool"
    tellback.close(0)


@pytest.fixture
def tracer() -> Iterator[trace.Tracer]:
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(adapter.SpanExporter()))
    yield provider.get_tracer("rig.solver", "2.0")
    provider.shutdown()


@pytest.fixture
def logger() -> Iterator[Any]:
    provider = LoggerProvider(shutdown_on_exit=False)
    provider.add_log_record_processor(SimpleLogRecordProcessor(adapter.LogRecordExporter()))
    yield provider.get_logger("rig.log")
    provider.shutdown()


def named(spool: Path, name: str) -> dict[str, Any]:
    (one,) = [record for record in kept(spool) if record["name"] == name]
    return one


def test_spans_hang_together(spool: Path, tracer: trace.Tracer) -> None:
    with tellback.bound(user="guido"), tracer.start_as_current_span("outer", kind=trace.SpanKind.SERVER) as outer:
        link = trace.Link(outer.get_span_context(), {"why": "test"})
        with tracer.start_as_current_span("inner", attributes={"rows": 3, "names": ["a", "b"]}, links=[link]) as inner:
            inner.add_event("cache miss", {"key": "sq10"})
    one, two = named(spool, "outer"), named(spool, "inner")
    assert two["trace"] == one["trace"] == f"{outer.get_span_context().trace_id:032x}"
    assert two["parent"] == one["span"]
    assert "parent" not in one
    assert one["user"] == two["user"] == "guido"
    assert 0 <= two["duration"] <= one["duration"]
    assert one["time"] <= two["time"]
    assert one["attrs"] == {
        "otel.scope.name": "rig.solver", "otel.scope.version": "2.0", "span.kind": "server", "status": "ok"
    }  # fmt: skip
    assert two["attrs"]["rows"] == 3
    assert two["attrs"]["names"] == ["a", "b"]
    assert two["attrs"]["links"] == [{"trace": one["trace"], "span": one["span"], "attributes": {"why": "test"}}]
    event = named(spool, "cache miss")
    assert (event["kind"], event["span"], event["attrs"]) == ("log", two["span"], {"key": "sq10"})


def test_an_exception_in_a_span_is_an_error(spool: Path, tracer: trace.Tracer) -> None:
    with pytest.raises(KeyError), tracer.start_as_current_span("fails"):
        raise KeyError("sq20")
    span, error = named(spool, "fails"), named(spool, "KeyError")
    assert (span["attrs"]["status"], span["level"]) == ("error", "error")
    assert span["attrs"]["error"] == error["attrs"]["id"]
    assert (error["kind"], error["message"], error["span"]) == ("error", "'sq20'", span["span"])
    assert "Traceback" in error["attrs"]["exception.stacktrace"]


def test_logs(spool: Path, tracer: trace.Tracer, logger: Any) -> None:
    with tracer.start_as_current_span("s"):
        logger.emit(
            LogRecord(timestamp=7, severity_number=SeverityNumber.WARN2, body="slow", attributes={"seconds": 9})
        )
    logger.emit(LogRecord(body={"structured": [1, None]}, event_name="opened", severity_text="Odd"))
    slow, opened = named(spool, "rig.log"), named(spool, "opened")
    assert (slow["kind"], slow["level"], slow["message"], slow["time"]) == ("log", "warn", "slow", 7)
    assert slow["span"] == named(spool, "s")["span"]
    assert slow["attrs"] == {"seconds": 9}
    assert (opened["level"], opened["attrs"]) == ("odd", {"body": {"structured": [1, None]}})
    logger.emit(LogRecord(body="omg", attributes={"exception.type": "OSError", "exception.message": "full"}))
    error = named(spool, "OSError")
    assert [r["attrs"]["error"] for r in kept(spool) if r.get("message") == "omg"] == [error["attrs"]["id"]]


def told(spool: Path, name: str) -> list[dict[str, Any]]:
    return [record for record in kept(spool) if record["name"] == name]


def test_metrics_are_differences_that_merge(spool: Path) -> None:
    reader = PeriodicExportingMetricReader(adapter.MetricExporter(), export_interval_millis=math.inf)
    provider = MeterProvider([reader], shutdown_on_exit=False)
    meter = provider.get_meter("m")
    counter, updown = meter.create_counter("reqs", "1"), meter.create_up_down_counter("open")
    histogram = meter.create_histogram("took", "ms")
    meter.create_observable_gauge("queue", [lambda _: [__import__("opentelemetry.metrics").metrics.Observation(4)]])
    values = [0.0, 0.5, 1.0, 3.0, 1000.0, 123456.0]
    for round_ in range(2):
        counter.add(5, {"route": "/a"})
        updown.add(2)
        for value in values[round_::2]:
            histogram.record(value)
        provider.force_flush()
    provider.shutdown()
    assert [r["value"] for r in told(spool, "reqs")] == [5, 5]
    assert told(spool, "reqs")[0]["attrs"] == {"route": "/a", "tellback.unit": "1", "tellback.metric": "counter"}
    assert [r["value"] for r in told(spool, "open")] == [2, 4]
    assert {r["attrs"]["tellback.metric"] for r in told(spool, "open") + told(spool, "queue")} == {"gauge"}
    buckets: dict[int, int] = {}
    for record in told(spool, "took"):
        assert record["attrs"]["tellback.metric"] == "histogram"
        for index, count in record["attrs"]["tellback.buckets"]:
            buckets[index] = buckets.get(index, 0) + count
    assert sum(r["value"] for r in told(spool, "took")) == sum(values)
    assert sum(r["attrs"]["tellback.count"] for r in told(spool, "took")) == 6
    assert sum(r["attrs"].get("tellback.zero", 0) for r in told(spool, "took")) == 1
    stands = sorted(2 ** (index / 64) * 1.00541 for index in buckets)
    assert stands == pytest.approx(values[1:], rel=0.0055)


def test_a_histogram_with_bounds_of_its_own_says_what_it_is(spool: Path) -> None:
    reader = PeriodicExportingMetricReader(adapter.MetricExporter(), export_interval_millis=math.inf)
    view = View(instrument_name="took", aggregation=ExplicitBucketHistogramAggregation([10, 100]))
    provider = MeterProvider([reader], views=[view], shutdown_on_exit=False)
    histogram = provider.get_meter("m").create_histogram("took")
    for value in (4, 6, 50, 900):
        histogram.record(value)
    provider.force_flush()
    provider.shutdown()
    (record,) = told(spool, "took")
    assert record["attrs"]["tellback.count"] == sum(count for _, count in record["attrs"]["tellback.buckets"]) == 4
    assert "middles" in record["attrs"]["tellback.caveat"]


def test_nothing_it_is_given_raises(spool: Path) -> None:
    assert adapter.SpanExporter().export([None]) is SpanExportResult.SUCCESS  # type: ignore[list-item]
    assert adapter.LogRecordExporter().export([object()]) is LogRecordExportResult.SUCCESS  # type: ignore[list-item]
    assert adapter.SpanExporter().force_flush()


def test_before_init_it_says_that_nothing_was_exported(tracer: trace.Tracer) -> None:
    with tracer.start_as_current_span("s") as span:
        pass
    assert adapter.SpanExporter().export([span]) is SpanExportResult.FAILURE  # type: ignore[list-item]


@pytest.mark.skipif(os.name == "nt", reason="needs SIGKILL")
def test_an_opentelemetry_program_survives_sigkill(tmp_path: Path) -> None:
    """31,300 ns and 60 % lost is what the SDK's own batches give."""
    code = """
        import os, signal
        import tellback
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import SimpleSpanProcessor
        from tellback.adapters.opentelemetry import SpanExporter

        tellback.init(service="host")
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(SpanExporter()))
        tracer = provider.get_tracer("t")
        for n in range(2000):
            with tracer.start_as_current_span("e", attributes={"n": n}):
                pass
        os.kill(os.getpid(), signal.SIGKILL)
    """
    assert end(start(code, environment(tmp_path / "spool")))[0] == -signal.SIGKILL
    assert numbers(kept(tmp_path / "spool")) == list(range(2000))


def test_the_standard_librarys_logging_by_way_of_opentelemetry(spool: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its own handler is deprecated for a package of its own
        from opentelemetry.sdk._logs import LoggingHandler

        provider = LoggerProvider(shutdown_on_exit=False)
        provider.add_log_record_processor(SimpleLogRecordProcessor(adapter.LogRecordExporter()))
        handler = LoggingHandler(logger_provider=provider)
    log = logging.getLogger("by.otel")
    log.propagate = False
    log.addHandler(handler)
    try:
        log.error("omg %s", 1, exc_info=KeyError("a"))
    finally:
        log.removeHandler(handler)
        provider.shutdown()
    record, error = named(spool, "by.otel"), named(spool, "KeyError")
    assert (record["message"], record["level"], record["attrs"]["error"]) == ("omg 1", "error", error["attrs"]["id"])
