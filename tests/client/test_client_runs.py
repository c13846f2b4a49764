"""Runs, parts and spans: what they tell, how they hang together, and how their context travels within a process."""

import asyncio
import concurrent.futures
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from test_client_encode import Hostile

import tellback
from tellback.client import errors, ids, live, runs, spans

Recorded = Callable[[], list[dict[str, Any]]]


def by_name(records: list[dict[str, Any]], name: str, *, phase: str | None = None) -> dict[str, Any]:
    (one,) = [r for r in records if r["name"] == name and r.get("attrs", {}).get("tellback.phase") == phase]
    return one


def test_a_run_is_told_from_its_start_to_its_end(recorded: Recorded) -> None:
    with tellback.run("MATCHMAKER", customer="acme") as run:
        assert [r["attrs"]["tellback.phase"] for r in recorded()] == ["start"]  # seen even if it is killed now
        run.export({"confidence": 0.93}, time=5)
        assert recorded()[-1]["attrs"] == {"confidence": 0.93, "tellback.phase": "export"}
        with run.part("SCORING") as part:
            part.export({"score": 7})
            tellback.event("scored")
    records = recorded()
    assert {r["run"] for r in records} == {run.id}
    assert {r["trace"] for r in records} == {run.id}  # it began the trace, so it gave it its id
    end = by_name(records, "MATCHMAKER")
    assert (end["kind"], end["attrs"]) == ("span", {"customer": "acme", "status": "ok"})
    assert "parent" not in end
    assert by_name(records, "MATCHMAKER", phase="export")["time"] == 5
    scoring = by_name(records, "SCORING")
    assert scoring["parent"] == end["span"]
    assert 0 <= scoring["duration"] <= end["duration"]
    assert end["time"] <= scoring["time"]
    event = by_name(records, "scored")
    assert (event["span"], event.get("parent")) == (scoring["span"], None)


def test_what_fails_says_so_with_its_error(recorded: Recorded) -> None:
    with pytest.raises(KeyError), tellback.run("R"), tellback.span("inner"):
        raise KeyError("sq20")
    records = recorded()
    (error,) = [r for r in records if r["kind"] == "error"]  # once, though it passed through two
    inner, outer = by_name(records, "inner"), by_name(records, "R")
    for span in (inner, outer):
        assert span["attrs"] == {"status": "error", "error": error["attrs"]["id"]}
        assert (span["level"], span["message"]) == ("error", "KeyError: 'sq20'")
    assert (error["span"], error["run"]) == (inner["span"], outer["run"])


@pytest.mark.parametrize("stop", [SystemExit, KeyboardInterrupt, GeneratorExit, asyncio.CancelledError])
def test_what_stops_is_no_failure(recorded: Recorded, stop: type[BaseException]) -> None:
    with pytest.raises(stop), tellback.span("s"):
        raise stop
    (record,) = recorded()
    assert record["attrs"] == {"status": "stopped"}
    assert "level" not in record


def test_runs_nest_and_can_have_an_id_of_their_own(recorded: Recorded) -> None:
    with tellback.run("OUTER") as outer, tellback.run("INNER", id="job-7") as inner:
        tellback.event("e")
    assert inner.id == "job-7"
    records = recorded()
    assert by_name(records, "e")["run"] == "job-7"
    assert by_name(records, "INNER")["parent"] == by_name(records, "OUTER")["span"]
    assert by_name(records, "INNER")["trace"] == outer.id
    with tellback.run("NUMBERED", id=7) as numbered:
        pass
    assert numbered.id == "7"


def test_a_batch_is_as_many_exports(recorded: Recorded) -> None:
    def messages() -> Iterator[Any]:
        yield {"n": 0}
        yield {"n": 1}, 7
        yield {"n": 2}, "no time at all"
        raise OSError("the host's generator broke")

    with tellback.run("R") as run:
        run.export_batch(messages(), time=3)
    told = [r for r in recorded() if r.get("attrs", {}).get("tellback.phase") == "export"]
    assert [r["attrs"]["n"] for r in told] == [0, 1, 2]
    assert [r["time"] for r in told[:2]] == [3, 7]
    assert told[2]["attrs"]["tellback.altered"] == ["time"]  # a time that is none becomes now, and says so
    assert told[2]["time"] > 10**18
    assert live.spool is not None
    assert live.spool.lost.total() == {"error": 1}


def test_nothing_that_is_exported_raises_or_runs_the_hosts_code(recorded: Recorded) -> None:
    with tellback.run("R") as run:
        for given in (
            Hostile(),
            {Hostile(): Hostile()},
            {1: 2, "a": float("nan")},
            None,
            "text",
            {"tellback.phase": 1},
        ):
            run.export(given)  # type: ignore[arg-type]
        run.export_batch(None)  # type: ignore[arg-type]
        with run.part(Hostile()):  # type: ignore[arg-type]
            pass
    assert sum(r.get("attrs", {}).get("tellback.phase") == "export" for r in recorded()) == 6


def test_a_part_belongs_to_its_run_wherever_it_is_opened(recorded: Recorded) -> None:
    with tellback.run("R") as run:
        thread = threading.Thread(target=lambda: run.part("IN_A_THREAD").__enter__().__exit__(None, None, None))
        thread.start()
        thread.join()
        with tellback.span("between"), run.part("BESIDE"):
            pass
    records = recorded()
    for name in ("IN_A_THREAD", "BESIDE"):
        part = by_name(records, name)
        assert (part["run"], part["parent"]) == (run.id, by_name(records, "R")["span"])


def test_each_call_of_a_decorated_function_is_a_span(recorded: Recorded) -> None:
    @tellback.span
    def work(n: int) -> int:
        tellback.event("e", n=n)
        return n + 1

    @tellback.span("named", solver="fast")
    async def later(n: int) -> int:
        await asyncio.sleep(0)
        return work(n)

    @tellback.run("DECORATED")
    def whole() -> int:
        return asyncio.run(later(1))

    assert (work(1), whole()) == (2, 2)
    records = recorded()
    works = [r for r in records if r["name"].endswith("work")]
    assert works[0]["name"].startswith("test_client_runs.")
    assert works[0]["trace"] != works[1]["trace"]
    named = by_name(records, "named")
    assert works[1]["parent"] == named["span"]
    assert named["attrs"] == {"solver": "fast", "status": "ok"}
    assert named["run"] == by_name(records, "DECORATED")["run"]
    assert work.__name__ == "work"


def test_generators_keep_what_they_do(recorded: Recorded) -> None:
    @tellback.span
    def steps() -> Iterator[int]:
        sent = yield 1
        assert sent == "sent"
        tellback.event("inside")
        try:
            yield 2
        except ValueError:
            yield 3
        return 4  # type: ignore[return-value]

    def outer() -> Iterator[int]:
        assert (yield from steps()) == 4

    walk = outer()
    assert next(walk) == 1
    assert walk.send("sent") == 2  # type: ignore[attr-defined]
    assert walk.throw(ValueError()) == 3  # type: ignore[attr-defined]
    assert list(walk) == []
    half = steps()
    next(half)
    half.close()  # type: ignore[attr-defined]
    records = recorded()
    assert [r["attrs"]["status"] for r in records if r["kind"] == "span"] == ["ok", "stopped"]
    assert "span" not in by_name(records, "inside")


def test_an_async_generator_is_left_alone(recorded: Recorded, caplog: pytest.LogCaptureFixture) -> None:
    async def steps() -> Any:
        yield 1

    assert tellback.span(steps) is steps
    assert "async generator" in caplog.text


def test_tasks_keep_apart(recorded: Recorded) -> None:
    async def one(n: int) -> None:
        with tellback.run("R", id=str(n)):
            for _ in range(3):
                await asyncio.sleep(0)
                tellback.event("e", n=n)

    async def all_of_them() -> None:
        await asyncio.gather(*(one(n) for n in range(20)))

    asyncio.run(all_of_them())
    events = [r for r in recorded() if r["name"] == "e"]
    assert len(events) == 60
    assert all(r["run"] == str(r["attrs"]["n"]) for r in events)


def test_context_goes_into_threads_and_executors(recorded: Recorded) -> None:
    def tell(where: str) -> None:
        tellback.event(where)

    async def tell_later() -> None:
        tellback.event("async")

    with tellback.bound(shot="sq10"), tellback.run("R") as run:
        thread = tellback.thread(target=tell, args=("thread",), name="t", daemon=True)
        assert (thread.name, thread.daemon) == ("t", True)
        thread.start()
        thread.join()
        carried, carried_async = tellback.wrap(tell), tellback.wrap(tell_later)
        plain = threading.Thread(target=tell, args=("plain",))
        plain.start()
        plain.join()
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(carried, ["pool"] * 50))
    asyncio.run(carried_async())
    tell("outside")
    records = [r for r in recorded() if r["kind"] == "event"]
    for record in records:
        inside = record["name"] not in ("plain", "outside")
        assert (record.get("run") == run.id) == inside, record
        assert (record.get("attrs") == {"shot": "sq10"}) == inside
    assert sum(r["name"] == "pool" for r in records) == 50


def test_a_wrapped_function_fails_as_it_would(recorded: Recorded) -> None:
    def fails() -> None:
        raise OSError

    with pytest.raises(OSError):
        tellback.wrap(fails)()
    tellback.thread().start()


def test_before_init_it_is_nothing(tmp_path: Path) -> None:
    with tellback.run("R") as run, run.part("P") as part, tellback.span("s") as span:
        run.export({"a": 1})
        part.export_batch([{"a": 1}])
        span.set(b=2)
    assert list(tmp_path.iterdir()) == []


def test_a_clock_that_is_set_back_makes_no_negative_duration(
    recorded: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The clock of a machine cannot be set back for one test; this is what the client reads it by.
    times = iter([1_795_000_000_000_000_000, 1_000])
    monkeypatch.setattr(spans, "time_ns", lambda: next(times))
    with tellback.span("s"):
        pass
    assert recorded()[0]["duration"] >= 0


def test_ids_are_unique_across_threads_and_forks() -> None:
    drawn: list[str] = []
    threads = [threading.Thread(target=lambda: drawn.extend(ids.span_id() for _ in range(5_000))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(drawn)) == 20_000
    assert all(len(id_) == 16 and id_ == f"{int(id_, 16):016x}" for id_ in drawn)
    assert len({ids.trace_id()[:16] for _ in range(1_000)} | {ids.trace_id()[16:] for _ in range(1_000)}) == 2_000


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # since 3.12 os.fork warns beside threads
def test_a_fork_does_not_draw_its_parents_ids() -> None:
    ids.span_id()
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.write(write, (ids.span_id() + ids.trace_id()).encode())
        os._exit(0)
    os.waitpid(pid, 0)
    os.close(write)
    theirs = os.read(read, 100).decode()
    os.close(read)
    assert theirs != ids.span_id() + ids.trace_id()
    assert len(theirs) == 48


def test_a_fault_of_our_own_is_counted_and_kept_from_the_host(
    recorded: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> Any:
        raise RuntimeError("a slip")

    monkeypatch.setattr(runs, "emit", broken)
    monkeypatch.setattr(errors, "message_of", broken)
    with pytest.raises(OSError), tellback.run("R") as run, tellback.span("s"):
        run.export({"a": 1})
        raise OSError
    assert live.spool is not None
    assert live.spool.lost.total()["error"] >= 2
