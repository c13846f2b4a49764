"""The questions about metrics: examples to count by hand, and a model over the values themselves."""

import math
from collections import defaultdict
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from memory_store import MemoryStore, ns

from tellback.metric import bucket, middle
from tellback.server import times
from tellback.server.questions.asking import ask

NOW = ns("2026-11-25T12:00:00")
NOVEMBER = {"from": ["2026-11-01"], "to": ["2026-12-01"]}


def rows(store: MemoryStore, name: str, /, **given: str) -> list[dict[str, Any]]:
    return ask(store, name, {**NOVEMBER, **{key: [value] for key, value in given.items()}}, now=NOW).rows


def metric(time: str | int, name: str, value: float, type_: str | None = None, /, **more: Any) -> dict[str, Any]:
    attrs = {**({"tellback.metric": type_} if type_ else {}), **more.pop("attrs", {})}
    return {"time": time, "kind": "metric", "name": name, "value": value, "attrs": attrs or None, **more}


def histogram(time: str | int, name: str, values: list[float], **more: Any) -> dict[str, Any]:
    """As the client tells it."""
    buckets: dict[int, int] = defaultdict(int)
    for value in values:
        if value:
            buckets[bucket(value)] += 1
    attrs = {"tellback.count": len(values), "tellback.buckets": [*buckets.items()], **more.pop("attrs", {})}
    if 0 in values:
        attrs["tellback.zero"] = values.count(0)
    return metric(time, name, math.fsum(values), "histogram", attrs=attrs, **more)


def test_counters_add_up_over_processes_and_time(store: MemoryStore) -> None:
    store.add(
        metric("2026-11-02T09:00:05", "reqs", 3, "counter", service="a"),
        metric("2026-11-02T09:59:59", "reqs", 4, "counter", service="b"),
        metric("2026-11-02T10:00:00", "reqs", 5, "counter", service="a"),
        metric("2026-10-31T10:00:00", "reqs", 9, "counter", service="a"),
        {"time": "2026-11-02T09:00:00", "kind": "event", "name": "reqs", "value": 100.0},
    )
    hours = rows(store, "metrics.series")
    assert [(row["bucket"], row["sum"], row["count"], row["p50"]) for row in hours] == [
        ("2026-11-02T09:00:00Z", 7.0, None, None), ("2026-11-02T10:00:00Z", 5.0, None, None),
    ]  # fmt: skip
    parts = rows(store, "metrics.series", step="day", by="service")
    assert [(row["bucket"], row["part"], row["sum"]) for row in parts] == [
        ("2026-11-02", "a", 8.0), ("2026-11-02", "b", 4.0),
    ]  # fmt: skip
    assert [row["sum"] for row in rows(store, "metrics.series", step="10s")] == [3.0, 4.0, 5.0]


def test_a_label_parts_a_metric(store: MemoryStore) -> None:
    store.add(
        metric("2026-11-02", "reqs", 3, "counter", attrs={"route/name": "/a"}),
        metric("2026-11-02", "reqs", 4, "counter", attrs={"route/name": "/b"}),
        metric("2026-11-02", "reqs", 5, "counter"),
    )
    found = rows(store, "metrics.series", label="route/name")
    assert [(row["part"], row["sum"]) for row in found] == [("/a", 3.0), ("/b", 4.0), (None, 5.0)]


def test_gauges_and_samples_have_a_mean_and_quantiles(store: MemoryStore) -> None:
    store.add(*(metric(f"2026-11-02T09:00:{n:02d}", "queue", n - 3, "gauge") for n in range(10)))
    store.add(metric("2026-11-02T09:00:00", "queue", 50.0))
    gauge, sample = rows(store, "metrics.series")
    assert gauge == {
        "bucket": "2026-11-02T09:00:00Z", "name": "queue", "type": "gauge", "part": None, "count": 10, "sum": 15.0,
        "min": -3.0, "max": 6.0, "p50": 1.0, "p95": 6.0, "p99": 6.0,
    }  # fmt: skip
    assert (sample["type"], sample["count"], sample["p50"]) == ("sample", 1, 50.0)


def test_histograms_of_many_processes_merge(store: MemoryStore) -> None:
    store.add(
        histogram("2026-11-02T09:00:00", "took", [10.0] * 90 + [0, 0], host="a"),
        histogram("2026-11-02T09:10:00", "took", [1000.0] * 8, host="b"),
    )
    (row,) = rows(store, "metrics.series")
    assert (row["count"], row["sum"], row["min"]) == (100, 8900.0, 0.0)
    assert row["p50"] == pytest.approx(10, rel=0.0055)
    assert row["p95"] == row["p99"] == row["max"] == pytest.approx(1000, rel=0.0055)


def test_what_others_spelled_wrong_spoils_nothing(store: MemoryStore) -> None:
    wrong = [
        [[7, "x"]], "text", [1], {"7": 1}, [[99999999, 5]], [[7, -2]], None, [], [[7, [8]]], [[7]], [[]], [None],
        [[None, 3]],
    ]  # fmt: skip
    store.add(
        *(metric("2026-11-02", "took", 1, "histogram", attrs={"tellback.buckets": value}) for value in wrong),
        metric("2026-11-02", "took", 1, "histogram", attrs={"tellback.zero": "many"}),
        metric("2026-11-02", "took", 2.0, "no such type"),
        metric("2026-11-02", "took", 2.0, attrs={"tellback.metric": {"a": 1}}),
        {"time": "2026-11-02", "kind": "metric", "name": "took", "value": None},
        {"time": "2026-11-02", "kind": "metric", "name": None, "value": 1.0},
        histogram("2026-11-02", "took", [8.0]),
    )
    found = {(row["name"], row["type"]): row for row in rows(store, "metrics.series")}
    assert set(found) == {("took", "histogram"), ("took", "sample"), (None, "sample")}
    assert found["took", "histogram"]["sum"] == 22.0
    assert found["took", "histogram"]["p99"] == pytest.approx(8, rel=0.0055)
    assert found["took", "sample"]["count"] == 2


def test_names_say_what_they_are_good_for(store: MemoryStore) -> None:
    idle = {"tellback.unit": "ns", "tellback.caveat": "Counts coffee too."}
    store.add(
        metric("2026-11-02", "idle", 3, "gauge", service="a", attrs=idle),
        metric("2026-11-03", "idle", 4, "gauge", service="b", attrs={"tellback.unit": "ns"}),
        metric("2026-11-04", "reqs", 4, "counter", service="b"),
        metric("2026-11-05", "x", 4.0),
    )
    assert [tuple(row.values()) for row in rows(store, "metrics.names")] == [
        ("idle", "gauge", "ns", "intermediate", "Counts coffee too.", 2, 2, "2026-11-02T00:00:00Z",
         "2026-11-03T00:00:00Z"),
        ("reqs", "counter", None, "leaf", None, 1, 1, "2026-11-04T00:00:00Z", "2026-11-04T00:00:00Z"),
        ("x", "sample", None, "leaf", None, 0, 1, "2026-11-05T00:00:00Z", "2026-11-05T00:00:00Z"),
    ]  # fmt: skip


HOUR = 3600 * 10**9
START = ns("2026-11-02")
VALUES = st.lists(st.sampled_from([0, 1, 2.5]) | st.floats(1e-9, 1e12), min_size=1, max_size=12)
RECORDS = st.lists(
    st.tuples(
        st.integers(0, 3).flatmap(lambda hour: st.sampled_from([hour * HOUR, hour * HOUR - 1, hour * HOUR + 1])),
        st.sampled_from(["histogram", "gauge", "counter", None]),
        st.sampled_from(["a", "b"]),
        st.sampled_from(["s1", None]),
        VALUES,
    ),
    max_size=12,
)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(RECORDS, st.booleans())
def test_series_against_the_values_themselves(
    store: MemoryStore, records: list[tuple[int, str | None, str, str | None, list[float]]], parted: bool
) -> None:
    store.clear()
    model: dict[tuple[Any, ...], list[float]] = defaultdict(list)
    sums: dict[tuple[Any, ...], list[float]] = defaultdict(list)
    for offset, type_, name, service, values in records:
        time = START + HOUR + offset
        part = service if parted else None
        key = (times.text(time - time % HOUR), name, type_ or "sample", part)
        if type_ == "histogram":
            store.add(histogram(time, name, values, service=service))
        else:
            values = values[:1]
            store.add(metric(time, name, values[0], type_, service=service))
        sums[key] += values
        model[key] += values if type_ != "counter" else []
    found = rows(store, "metrics.series", by="service" if parted else "none")
    assert [(r["bucket"], r["name"], r["type"], r["part"]) for r in found] == sorted(
        sums, key=lambda key: (*key[:3], key[3] is None, key[3] or "")
    )
    for row in found:
        key = (row["bucket"], row["name"], row["type"], row["part"])
        values = sorted(model[key])
        assert row["sum"] == pytest.approx(math.fsum(sums[key]), rel=1e-12)
        assert row["count"] == (len(values) or None)
        for column, rank in (
            ("min", 1), ("max", len(values)), ("p50", -(-len(values) // 2)), ("p95", -(-len(values) * 95 // 100)),
            ("p99", -(-len(values) * 99 // 100)),
        ):  # fmt: skip
            if values:
                exact = values[rank - 1]
                if row["type"] == "histogram":
                    assert row[column] == pytest.approx(middle(bucket(exact)) if exact else 0, rel=1e-12)
                    assert row[column] == pytest.approx(exact, rel=0.01, abs=0)
                else:
                    assert row[column] == exact
            else:
                assert row[column] is None
