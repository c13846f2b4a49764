"""Exporters for OpenTelemetry's SDK that write into the spool: what a program tells OpenTelemetry survives it as well.

    tellback.init(service="rigtools")
    traces.add_span_processor(SimpleSpanProcessor(opentelemetry.SpanExporter()))
    logs.add_log_record_processor(SimpleLogRecordProcessor(opentelemetry.LogRecordExporter()))
    MeterProvider([PeriodicExportingMetricReader(opentelemetry.MetricExporter())])

Use the `Simple...` processors: an export is one append and waits for nothing, while a batch in memory dies with the
process. What is constant (service, release, environment) is what `tellback.init` was told, not the SDK's resource.
Meanings are those of OpenTelemetry's semantic conventions; docs/decisions/0088.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk._logs.export import LogRecordExporter as _LogRecordExporter
from opentelemetry.sdk._logs.export import LogRecordExportResult
from opentelemetry.sdk.metrics import Counter, Histogram, ObservableCounter
from opentelemetry.sdk.metrics import export as metric
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter as _SpanExporter
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.trace import Link, SpanKind, StatusCode

from tellback.client import ids, live
from tellback.client.events import emit

SCALE: Final = 6
"""Of exponential histograms: 64 buckets to an octave."""
_LEVELS: Final = ("trace", "debug", "info", "warn", "error", "fatal")


class SpanExporter(_SpanExporter):
    """Each ended span is a record of kind `span`, its exceptions of kind `error`, its other events of kind `log`."""

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        for span in spans:
            _guarded(_span, span)
        return SpanExportResult.SUCCESS if live.spool is not None else SpanExportResult.FAILURE

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """True: what was exported is safe already. `tellback.flush` waits for the server."""
        return True


class LogRecordExporter(_LogRecordExporter):
    """Each log record is a record of kind `log`; an exception in it is one of kind `error`, too."""

    def export(self, batch: Sequence[ReadableLogRecord]) -> LogRecordExportResult:
        for record in batch:
            _guarded(_log, record)
        return LogRecordExportResult.SUCCESS if live.spool is not None else LogRecordExportResult.FAILURE

    def force_flush(self, timeout_millis: int = 10_000) -> bool:
        """True: what was exported is safe already."""
        return True

    def shutdown(self) -> None:
        """Nothing: the spool is the host's to close."""


class MetricExporter(metric.MetricExporter):
    """Each point is a record of kind `metric`: differences, and histograms of 64 buckets to an octave, which merge over
    hosts and time."""

    def __init__(self) -> None:
        delta = metric.AggregationTemporality.DELTA
        super().__init__(
            preferred_temporality={Counter: delta, ObservableCounter: delta, Histogram: delta},
            # Wide enough that values over 32 octaves keep their precision.
            preferred_aggregation={Histogram: ExponentialBucketHistogramAggregation(2_048, SCALE)},
        )

    def export(
        self, metrics_data: metric.MetricsData, timeout_millis: float = 10_000, **kwargs: Any
    ) -> metric.MetricExportResult:
        for resource in metrics_data.resource_metrics:
            for scope in resource.scope_metrics:
                for one in scope.metrics:
                    for point in one.data.data_points:
                        _guarded(_metric, one, point)
        done = metric.MetricExportResult
        return done.SUCCESS if live.spool is not None else done.FAILURE

    def force_flush(self, timeout_millis: float = 10_000) -> bool:
        """True: what was exported is safe already."""
        return True

    def shutdown(self, timeout_millis: float = 30_000, **kwargs: Any) -> None:
        """Nothing: the spool is the host's to close."""


def _guarded(tell: Any, *given: Any) -> None:
    try:
        tell(*given)
    except Exception:  # Never in the way
        spool = live.spool
        if spool is not None:
            spool.lost.add("error")


def _span(span: ReadableSpan) -> None:
    context = span.get_span_context()
    own: dict[str, Any] = {
        "trace": f"{context.trace_id:032x}" if context else None,
        "span": f"{context.span_id:016x}" if context else None,
        "parent": f"{span.parent.span_id:016x}" if span.parent else None,
    }
    attrs: dict[str, Any] = {**(span.attributes or {}), **_scope(span.instrumentation_scope)}
    if span.kind is not SpanKind.INTERNAL:
        attrs["span.kind"] = span.kind.name.lower()
    if span.links:
        attrs["links"] = [_link(link) for link in span.links]
    for event in span.events:
        error = _event(event, {**own, "parent": None})
        if error:
            attrs["error"] = error
    failed = span.status.status_code is StatusCode.ERROR
    attrs["status"] = "error" if failed else "ok"  # unset is how most spans end well
    start, end = span.start_time, span.end_time
    emit(
        "span",
        span.name,
        {
            **own,
            "time": start,
            "duration": max(0, end - start) if start is not None and end is not None else None,
            "level": "error" if failed else None,
            "message": span.status.description,
        },
        attrs,
    )


def _link(link: Link) -> dict[str, Any]:
    context = link.context
    return {
        "trace": f"{context.trace_id:032x}",
        "span": f"{context.span_id:016x}",
        **({"attributes": dict(link.attributes)} if link.attributes else {}),
    }


def _event(event: Event, own: dict[str, Any]) -> str | None:
    attrs = dict(event.attributes or {})
    own = {**own, "time": event.timestamp}
    if event.name == "exception":
        return _error(attrs, own)
    emit("log", event.name, own, attrs)
    return None


def _error(attrs: Mapping[str, Any], own: dict[str, Any]) -> str | None:
    """A record of the exception that attributes describe; its id, or None if they describe none."""
    kind, message = attrs.get("exception.type"), attrs.get("exception.message")
    if kind is None and message is None:
        return None
    id_ = ids.trace_id()
    rest = {key: value for key, value in attrs.items() if key not in ("exception.type", "exception.message")}
    emit("error", kind or "Exception", {**own, "level": "error", "message": message}, rest, {"id": id_})
    return id_


def _scope(scope: Any) -> dict[str, Any]:
    """By the names that the conventions have for whoever cannot keep a scope apart."""
    if scope is None or not scope.name:
        return {}
    return {"otel.scope.name": scope.name, **({"otel.scope.version": scope.version} if scope.version else {})}


def _log(given: ReadableLogRecord) -> None:
    record = given.log_record
    attrs: dict[str, Any] = dict(record.attributes or {})
    number = record.severity_number.value if record.severity_number is not None else 0
    level = _LEVELS[(number - 1) // 4] if 1 <= number <= 24 else record.severity_text
    own = {
        "trace": f"{record.trace_id:032x}" if record.trace_id else None,
        "span": f"{record.span_id:016x}" if record.span_id else None,
        "parent": None,
        "time": record.timestamp or record.observed_timestamp,
    }
    error = _error(attrs, own)
    if error is not None:
        attrs["error"] = error
    if record.body is not None and not isinstance(record.body, str):
        attrs["body"] = record.body
    scope = given.instrumentation_scope
    name = record.event_name or (scope.name if scope else None) or "opentelemetry"
    message = record.body if isinstance(record.body, str) else None
    emit("log", name, {**own, "level": level, "message": message}, attrs)


def _metric(one: metric.Metric, point: Any) -> None:
    attrs: dict[str, Any] = dict(point.attributes or {})
    if one.unit:
        attrs["tellback.unit"] = one.unit
    value: Any = None
    if isinstance(point, metric.NumberDataPoint):
        added = isinstance(one.data, metric.Sum) and one.data.is_monotonic and _is_delta(one.data)
        attrs["tellback.metric"] = "counter" if added else "gauge"
        value = point.value
    elif not _is_delta(one.data):
        return _undeliverable()
    elif isinstance(point, metric.ExponentialHistogramDataPoint):
        value = point.sum
        attrs |= _exponential(point)
    else:
        value = point.sum
        attrs |= _explicit(point)
    emit("metric", one.name, {"time": point.time_unix_nano, "value": value}, attrs)
    return None


def _is_delta(data: Any) -> bool:
    return bool(data.aggregation_temporality is metric.AggregationTemporality.DELTA)


def _undeliverable() -> None:
    """Cumulative where differences were asked for: a reader of the host's own. Added up it would count twice."""
    spool = live.spool
    if spool is not None:
        spool.lost.add("cumulative")


def _exponential(point: metric.ExponentialHistogramDataPoint) -> dict[str, Any]:
    coarser = SCALE - point.scale
    buckets: dict[int, int] = {}
    for number, count in enumerate(point.positive.bucket_counts):
        if count:
            index = number + point.positive.offset
            # A coarser bucket stands in the middle of what it covers.
            index = (index << coarser) + (1 << coarser >> 1) if coarser >= 0 else index >> -coarser
            buckets[index] = buckets.get(index, 0) + count
    out = {"tellback.metric": "histogram", "tellback.count": point.count, "tellback.buckets": sorted(buckets.items())}
    if point.zero_count:
        out["tellback.zero"] = point.zero_count
    if any(point.negative.bucket_counts):
        out["tellback.caveat"] = "Negative values are in the sum and the count, and in no quantile."
    elif coarser > 0:
        out["tellback.caveat"] = f"Its values range so widely that quantiles are off by up to {_off(point.scale):.0%}."
    return out


def _off(scale: int) -> float:
    return float(2.0 ** (2.0**-scale) - 1)


def _explicit(point: metric.HistogramDataPoint) -> dict[str, Any]:
    from math import ceil, log2

    buckets: dict[int, int] = {}
    zeros = 0
    bounds = list(point.explicit_bounds)
    for number, count in enumerate(point.bucket_counts):
        low = bounds[number - 1] if number else point.min
        high = bounds[number] if number < len(bounds) else point.max
        middle = (low + high) / 2
        if count and middle > 0:
            index = ceil(log2(middle) * (1 << SCALE)) - 1
            buckets[index] = buckets.get(index, 0) + count
        elif count:
            zeros += count
    out = {"tellback.metric": "histogram", "tellback.count": point.count, "tellback.buckets": sorted(buckets.items())}
    if zeros:
        out["tellback.zero"] = zeros
    out["tellback.caveat"] = "Quantiles are those of the middles of wide buckets with bounds of their own."
    return out
