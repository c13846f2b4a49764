"""Counters, gauges, histograms and timers: what they are given is what the records say."""

import asyncio
import dis
import json
import math
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from metric_lines import buckets, labels, totals
from spool_files import lines

import tellback
from tellback.client import live
from tellback.client.metrics import book as books
from tellback.client.metrics import current, slots
from tellback.client.metrics.naming import Gauge
from tellback.client.metrics.rates import Rates
from tellback.metric import ERROR, bucket, middle

Recorded = Callable[[], list[dict[str, Any]]]


def told(recorded: Recorded) -> list[dict[str, Any]]:
    tellback.flush(0.01)
    return [record for record in recorded() if record["kind"] == "metric"]


def test_what_was_counted_is_told_once(recorded: Recorded) -> None:
    reqs = tellback.counter("reqs", unit="{request}")
    reqs.add()
    reqs.add(4, route="/a", method="GET")
    reqs.add(n=2, method="GET", route="/a")
    reqs.add(0.5)
    assert totals(told(recorded)) == {("reqs", ()): 1.5, ("reqs", (("method", "GET"), ("route", "/a"))): 6.0}
    assert len(told(recorded)) == 2  # nothing new
    reqs.add()
    last = told(recorded)[-1]
    assert (last["value"], last["attrs"]["tellback.metric"], last["attrs"]["tellback.unit"]) == (
        1.0, "counter", "{request}",
    )  # fmt: skip


def test_a_gauge_says_what_held(recorded: Recorded) -> None:
    queue = tellback.gauge("queue", caveat="Waits for a person count, too.")
    queue.set(0)
    assert [r["value"] for r in told(recorded)] == [0.0]
    queue.set(9)
    queue.set(-4.5)
    found = told(recorded)
    assert [r["value"] for r in found] == [0.0, -4.5]
    assert found[0]["attrs"]["tellback.caveat"] == "Waits for a person count, too."
    assert len(told(recorded)) == 2  # nothing new


def test_a_quiet_gauge_is_told_again_after_a_while(recorded: Recorded, monkeypatch: pytest.MonkeyPatch) -> None:
    tellback.gauge("queue").set(7)
    told(recorded)
    monkeypatch.setattr(books, "HEARTBEAT", 0.0)
    found = told(recorded)
    assert len(found) >= 2  # the keeper may report meanwhile
    assert {r["value"] for r in found} == {7.0}


def test_a_gauge_may_be_asked(spool: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(books, "INTERVAL", 0.0)
    asked: list[int] = []
    tellback.gauge("length", lambda: asked.append(1) or len(asked))  # type: ignore[func-returns-value]
    tellback.gauge("broken", lambda: 1 / 0)
    tellback.init("s", spool=spool)  # gauges may be named before
    deadline = time.monotonic() + 10
    while not any(r["name"] == "length" for r in lines(spool)):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert all(r["name"] == "length" for r in lines(spool))


def test_a_histogram_has_count_sum_zeros_and_buckets(recorded: Recorded) -> None:
    size = tellback.histogram("size", unit="By")
    for value in (0, 1, 2, 2.0, 1000):
        size.record(value)
    (record,) = told(recorded)
    assert record["value"] == 1005.0
    assert record["attrs"] | {"tellback.report": ""} == {
        "tellback.metric": "histogram", "tellback.unit": "By", "tellback.report": "", "tellback.count": 5,
        "tellback.zero": 1, "tellback.buckets": [[-1, 1], [63, 2], [bucket(1000), 1]],
    }  # fmt: skip


@given(st.floats(5e-324, 1e300))
def test_a_bucket_holds_its_values(value: float) -> None:
    index = bucket(value)
    # The bounds as exact logarithms; a value within a float's rounding of a bound may be on either side of it.
    assert index - 1e-9 * abs(index) - 1e-9 <= math.log2(value) * 64 <= index + 1 + 1e-9 * abs(index) + 1e-9
    if value > 1e-300:
        assert abs(middle(index) - value) <= 1.001 * ERROR * value
    assert ERROR < 0.01


@settings(deadline=None, max_examples=50)
@given(
    st.lists(st.floats(1e-12, 1e12) | st.integers(1, 10**15), min_size=1, max_size=60),
    st.floats(0, 1, exclude_min=True),
    st.integers(1, 4),
)
def test_any_quantile_of_merged_histograms_is_right_to_one_percent(values: list[float], q: float, parts: int) -> None:
    merged: dict[int, int] = {}
    for part in range(parts):
        for value in values[part::parts]:
            merged[bucket(value)] = merged.get(bucket(value), 0) + 1
    rank, seen = math.ceil(q * len(values)), 0
    for index in sorted(merged):
        seen += merged[index]
        if seen >= rank:
            break
    exact = sorted(values)[rank - 1]
    assert abs(middle(index) - exact) <= 0.01 * exact


def test_a_timer_is_a_block_a_function_and_a_coroutine(recorded: Recorded) -> None:
    with tellback.timer("t", route="/a") as timing, timing:
        pass

    @tellback.timer("t", route="/f")
    def double(n: int) -> int:
        """Twice."""
        return 2 * n

    @tellback.timer("t", route="/c")
    async def later() -> int:
        await asyncio.sleep(0.002)
        return 3

    assert (double(4), double.__doc__, asyncio.run(later())) == (8, "Twice.", 3)
    with pytest.raises(ZeroDivisionError), tellback.timer("t", route="/e"):
        _ = 1 / 0
    found = {dict(labels(r))["route"]: r for r in told(recorded)}
    assert {route: r["attrs"]["tellback.count"] for route, r in found.items()} == {"/a": 2, "/f": 1, "/c": 1, "/e": 1}
    assert found["/c"]["value"] >= 2e6
    assert found["/c"]["attrs"]["tellback.unit"] == "ns"


class Rude:
    """An object of the host's that must not be asked anything."""

    def __hash__(self) -> int:
        raise RuntimeError

    __eq__ = __repr__ = __str__ = __float__ = __ge__ = __lt__ = __radd__ = __hash__  # type: ignore[assignment]


ANY = st.one_of(
    st.integers(), st.floats(), st.text(max_size=5), st.booleans(), st.none(), st.binary(max_size=3), st.just(10**400),
    st.builds(Rude), st.lists(st.integers(), max_size=2), st.just("\ud800"),
)  # fmt: skip


@settings(deadline=None, max_examples=60)
@given(ANY, ANY, st.dictionaries(st.text(max_size=4), ANY, max_size=3))
def test_nothing_ever_raises_and_every_line_is_a_record(
    tmp_path_factory: Any, name: Any, value: Any, more: Any
) -> None:
    spool = tmp_path_factory.mktemp("spool")
    for state in ("before", "on"):
        if state == "on":
            tellback.init("s", spool=spool)
        for _ in range(2):
            tellback.counter(name).add(value)
            tellback.counter(name).add(value, **{k: v for k, v in more.items() if k != "n"})
            tellback.gauge(name).set(value, **more)
            tellback.histogram(name).record(value, **more)
    tellback.flush(0.01)
    found = [record for record in lines(spool) if record["kind"] == "metric"]
    lost = live.spool.lost.total().get("metric", 0) if live.spool else 0
    good = type(value) in (int, float) and math.isfinite(value if abs(value) < 1e300 else math.inf)
    assert lost == (0 if good and value >= 0 else 6 if good else 8)
    assert bool(found) == good
    tellback.close(0)
    current.made.clear()


def test_a_wrong_value_is_said_and_counted(recorded: Recorded, caplog: pytest.LogCaptureFixture) -> None:
    tellback.counter("reqs").add(-1)
    tellback.counter("reqs").add(-1)
    assert live.spool is not None
    assert live.spool.lost.total() == {"metric": 2}
    assert [r.getMessage() for r in caplog.records] == [
        "The counter 'reqs' was given -1, which it cannot take; it is counted as lost. It takes a number from 0 on."
    ]


def test_labels_are_bounded(recorded: Recorded, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tellback.client.metrics.instruments.LABEL_SETS", 3)
    reqs = tellback.counter("reqs")
    for n in range(10):
        reqs.add(user=f"u{n}")
        reqs.add(user=f"u{n}")
    found = {labels(r): r["value"] for r in told(recorded)}
    assert found.pop((("otel.metric.overflow", "true"),)) == 14.0
    assert sorted(found.values()) == [2.0, 2.0, 2.0]


def test_names_are_bounded(recorded: Recorded, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tellback.client.metrics.naming.NAMES", 2)
    for n in range(5):
        tellback.counter(f"c{n}").add()
    assert {name: value for (name, _), value in totals(told(recorded)).items()} == {
        "c0": 1.0, "c1": 1.0, "tellback.metrics.overflow": 3.0,
    }  # fmt: skip


def test_pages_grow_to_a_bound_and_what_has_no_room_is_counted(
    recorded: Recorded, monkeypatch: pytest.MonkeyPatch, spool: Path
) -> None:
    monkeypatch.setattr(books, "FIRST", 64)
    monkeypatch.setattr(books, "MOST", 64 + 256)
    wide = tellback.histogram("wide")
    for n in range(1000):
        wide.record(1.1**n)
    assert live.spool is not None
    dropped = live.spool.lost.total()["disk"]
    assert len(list(spool.glob("*/*.metrics"))) == 2
    assert sum(buckets(told(recorded), "wide").values()) == 1000 - dropped
    assert dropped > 0


def test_no_thread_loses_an_add(recorded: Recorded) -> None:
    reqs, size = tellback.counter("reqs"), tellback.histogram("size")
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)

    def work() -> None:
        for n in range(20_000):
            reqs.add()
            size.record(1 + n % 3)

    try:
        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for _ in range(20):
            tellback.flush(0.001)
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(before)
    found = told(recorded)
    assert totals(found)["reqs", ()] == 80_000
    assert sum(buckets(found, "size").values()) == 80_000
    assert totals(found)["size", ()] == 4 * sum(1 + n % 3 for n in range(20_000))


# Where CPython may let another thread or a signal handler in (ceval's "eval breaker"), by the beginning of its name.
_LETS_IN = ("CALL", "PRECALL", "RESUME", "JUMP_BACKWARD", "SEND", "YIELD", "FOR_ITER", "IMPORT", "RAISE", "WITH")


@pytest.mark.parametrize("make", [slots.adder, slots.recorder])
def test_nothing_can_come_between_reading_a_total_and_storing_it(make: Any) -> None:
    """Each run of bytecode from a read of `total` or `count[0]` to the store into a slot holds no such place."""
    checked = 0
    for code in (c for c in make.__code__.co_consts if hasattr(c, "co_code")):
        found = list(dis.get_instructions(code))
        stores = [at for at, step in enumerate(found) if step.opname == "STORE_SUBSCR"]
        for store in stores:
            added = [at for at in range(store) if found[at].opname == "BINARY_OP" and found[at].argrepr == "+="]
            if not added:  # a gauge's store reads nothing
                continue
            between = [step.opname for step in found[added[-1] - 2 : store + 1]]
            assert not [name for name in between if name.startswith(_LETS_IN)], between
            checked += 1
    assert checked >= 3


def test_before_init_and_after_close_nothing_is_counted(spool: Path) -> None:
    reqs = tellback.counter("reqs")
    add = reqs.add  # got hold of early, as `inc = counter.add` in a module
    add()
    tellback.init("s", spool=spool)
    add()
    reqs.add()
    quick = reqs.add
    quick()
    tellback.close(0)
    quick()
    add()
    assert totals(lines(spool)) == {("reqs", ()): 3.0}
    tellback.init("s", spool=spool)
    quick()
    add()
    tellback.close(0)
    assert totals(lines(spool)) == {("reqs", ()): 5.0}


def test_the_red_button_silences_counts_too(tmp_path: Path) -> None:
    config = tmp_path / "button.json"
    tellback.init("s", spool=tmp_path / "spool", config=config)
    reqs = tellback.counter("reqs")
    reqs.add()
    spool = live.spool
    assert spool is not None
    assert spool.book is not None

    def until(wanted: int) -> None:
        deadline = time.monotonic() + 10
        while spool.book.gate[0] != wanted:  # type: ignore[union-attr]
            assert time.monotonic() < deadline
            time.sleep(0.01)

    config.write_text('{"disable_all": true}')
    until(0)
    reqs.add(100)
    config.write_text('{"disable_all": false}')
    until(1)
    reqs.add()
    tellback.close(0)
    assert totals(lines(tmp_path / "spool")) == {("reqs", ()): 2.0}


def test_a_spool_deleted_under_our_feet(spool: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import shutil

    monkeypatch.setattr(books, "INTERVAL", 0.0)
    tellback.init("s", spool=spool)
    reqs = tellback.counter("reqs")
    reqs.add()
    assert live.spool is not None
    first = live.spool.book
    shutil.rmtree(live.spool.folder.path)
    reqs.add()
    live.spool.moved()
    deadline = time.monotonic() + 10
    while live.spool.book is first:  # the keeper sees it at its next turn
        assert time.monotonic() < deadline
        time.sleep(0.01)
    reqs.add(4)
    tellback.close(0)
    # What was told before the folder went, went with it.
    assert totals(lines(spool))["reqs", ()] in (5.0, 6.0)


def test_the_user_of_the_process_is_told_and_no_context(spool: Path) -> None:
    tellback.init("s", user="guido", spool=spool)
    with tellback.bound(shot="sq10", user="someone"):
        tellback.counter("reqs").add()
    tellback.close(0)
    (record,) = lines(spool)
    assert record["user"] == "guido"
    assert labels(record) == ()


def test_a_closed_spool_leaves_no_page(spool: Path) -> None:
    tellback.init("s", spool=spool)
    tellback.gauge("queue").set(1)
    assert isinstance(tellback.gauge("queue"), Gauge)
    assert list(spool.glob("*/*.metrics"))
    tellback.close(0)
    assert not list(spool.glob("*/*.metrics"))
    (path,) = [p for p in spool.glob("*/*.ndjson") if b'"metric"' in p.read_bytes()]
    assert json.loads(path.read_bytes().splitlines()[0])["kind"] == "process"


def test_a_meter_has_rates_and_a_count(recorded: Recorded, monkeypatch: pytest.MonkeyPatch) -> None:
    frames = tellback.meter("frames")
    for _ in range(10):
        frames.mark()
    frames.mark(40)
    assert live.spool is not None
    assert live.spool.book is not None
    (rates,) = live.spool.book.rates.values()
    rates.tick(time.monotonic() + 5)
    (record,) = told(recorded)
    assert record["value"] == 50.0
    assert [record["attrs"][f"tellback.m{m}"] for m in (1, 5, 15)] == [10.0, 10.0, 10.0]


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(1, 40), st.integers(0, 1000)), min_size=1, max_size=20))
def test_rates_are_those_of_ticks_of_five_seconds(steps: list[tuple[int, int]]) -> None:
    """Against scales' definition: alpha = 1 - exp(-5 / 60 / minutes), a tick every 5 s."""
    total = 0.0
    rates = Rates(lambda: total, 100.0)
    model: list[float] | None = None
    now = 100.0
    for ticks, marks in steps:
        now += 5 * ticks
        total += marks
        rates.tick(now + 1.0)
        rate = marks / (5 * ticks)
        if model is None:
            model = [rate] * 3
            continue
        for _ in range(ticks):
            model = [
                value + (1 - math.exp(-5 / 60 / minutes)) * (rate - value)
                for value, minutes in zip(model, (1, 5, 15), strict=True)
            ]
    assert rates.values == pytest.approx(model, rel=1e-9, abs=1e-12)


def test_what_the_host_kept_hold_of_stays_quick(spool: Path) -> None:
    """Over an `init` (and a fork, which is the same to it) an old `add` finds the new one."""
    tellback.init("s", spool=spool)
    reqs = tellback.counter("reqs")
    reqs.add()
    reqs.add(route="/a")
    kept, labelled = reqs.add, next(iter(reqs._known.values()))
    tellback.init("s", spool=spool)
    kept()
    labelled(3)
    assert reqs.add is not kept
    assert next(iter(reqs._known.values())) is not labelled
    made = reqs.careful
    reqs.careful = lambda *_: pytest.fail("the careful way, again")  # type: ignore[method-assign]
    kept()
    labelled()
    reqs.careful = made  # type: ignore[method-assign]
    tellback.close(0)
    assert totals(lines(spool)) == {("reqs", ()): 3.0, ("reqs", (("route", "/a"),)): 5.0}


def test_a_rule_leaves_metrics_out_from_the_start(spool: Path) -> None:
    tellback.init("s", spool=spool, disable="kind:metric")
    tellback.counter("reqs").add()
    tellback.gauge("queue").set(3)
    assert not list(spool.glob("*/*.metrics"))
    assert live.spool is not None
    assert live.spool.lost.total() == {"disabled": 2}
    tellback.close(0)
    assert totals(lines(spool)) == {}


def test_a_rule_comes_and_goes_live(tmp_path: Path) -> None:
    config = tmp_path / "rules.json"
    tellback.init("s", spool=tmp_path / "spool", config=config)
    secret, reqs = tellback.counter("secret"), tellback.counter("reqs")
    secret.add()
    reqs.add()

    def until(done: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 10
        while not done():
            assert time.monotonic() < deadline
            time.sleep(0.01)

    before = live.spool.book if live.spool else None
    config.write_text('{"disable": ["secret"]}')
    until(lambda: before is not None and before.closed)
    secret.add(100)
    reqs.add(10)
    config.unlink()
    until(lambda: live.governor is None)
    until(lambda: live.spool is not None and live.spool.book is None)
    secret.add(2)
    reqs.add(2)
    tellback.close(0)
    assert totals(lines(tmp_path / "spool")) == {("secret", ()): 3.0, ("reqs", ()): 13.0}


class Seconds(float):
    """As numpy's float64: a float by birth."""

    __float__ = __ge__ = __lt__ = __add__ = __radd__ = Rude.__hash__  # type: ignore[assignment]


def test_a_number_of_a_class_made_from_one_is_a_number(recorded: Recorded) -> None:
    from enum import StrEnum

    class Route(StrEnum):
        SHOTS = "/shots"

    for _ in range(2):
        tellback.counter(Route.SHOTS).add(Seconds(1.5), route=Route.SHOTS)
        tellback.histogram("took").record(Seconds(8))
    assert totals(told(recorded)) == {("/shots", (("route", "/shots"),)): 3.0, ("took", ()): 16.0}
