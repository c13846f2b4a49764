"""The store: each file once, whole or not at all, and what one bad line costs is that line."""

import asyncio
import datetime
import threading
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tellback.server.intake.contract import Reject
from tellback.server.journal.disk import Disk
from tellback.server.store import QueryTimeout, Store, engine, tables
from tellback.server.store.load import Unloadable
from tellback.server.store.zone import is_zone, machine_zone
from tests.server.files import batch, closed, ledger, line, loader, run_loader
from tests.server.running import until

HOUR = 3600 * 10**9


def test_a_load_brings_rows_counts_ranges_and_rejects_together(folder: Path, store: Store) -> None:
    one = batch([line(name="a"), line(name="b")], segment="s", offset=0, size=10, duplicates=3, dropped={"budget": 4})
    one.reject(7, "why", b"wh\xff")
    two = batch([line(name="c")], segment="s", offset=20, size=5)
    store.load([closed(folder, 1, one, two), closed(folder, 2, batch([line(name="d")]))])
    assert [name for (name,) in store.query("SELECT name FROM records ORDER BY name").rows] == ["a", "b", "c", "d"]
    assert ledger(store) == {"accepted": 4, "duplicate": 3, "quarantined": 1, "dropped:budget": 4}
    assert store.query("FROM quarantine").rows == [(5, "1", "records", 7, "why", "wh\ufffd")]
    assert sorted(store.ranges()) == [("1", "s", 0, 10), ("1", "s", 20, 25)]
    assert (store.missing(), store.missing("1"), store.missing("2")) == (1, 1, 0)
    assert store.loaded() == {"000000000001.ndjson", "000000000002.ndjson"}


def test_names_are_forgotten_only_when_their_files_cannot_come_back(
    folder: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server was killed after it unlinked a loaded file and before it synced the folder. A power cut after the next
    start brought the file back, and it was loaded twice."""
    file = closed(folder, 1, batch([line(name="a")]))
    store.load([file])
    file.path.unlink()
    store.close()
    calls: list[str] = []
    forget = Store.forget

    def forgetting(self: Store, names: list[str]) -> None:
        calls.append(f"forget {len(names)}")
        forget(self, names)

    monkeypatch.setattr(Store, "forget", forgetting)
    monkeypatch.setattr(Disk, "sync_folder", lambda self, path: calls.append(f"sync {path.relative_to(folder)}"))
    again = Store(folder / "store.duckdb")
    again.close()
    # The store's own file must have its name before files go for its sake.
    assert calls == ["sync .", "sync journal", "forget 1"]


def test_gaps_are_counted_anew_after_each_load(folder: Path, store: Store) -> None:
    assert store.missing("1") == 0
    store.load([closed(folder, 1, batch([line()], segment="s", offset=20, size=5))])
    assert (store.missing("1"), store.missing(), store.missing("2")) == (1, 1, 0)
    store.load([closed(folder, 2, batch([line()], segment="s", offset=0, size=20))])
    assert (store.missing("1"), store.missing(), store.missing("2")) == (0, 0, 0)


def test_days_are_of_the_reporting_zone(folder: Path, store: Store) -> None:
    # Midnight in Berlin, in winter, in summer and before 1970.
    midnights = {
        "2026-01-10": "2026-01-09T23:00:00Z",
        "2026-07-10": "2026-07-09T22:00:00Z",
        "1965-02-03": "1965-02-02T23:00:00Z",
    }
    lines = []
    for day, text in midnights.items():
        time = int(datetime.datetime.fromisoformat(text).timestamp()) * 10**9
        lines += [line(time=time, name=day), line(time=time - 1000, name=f"before {day}")]
    store.load(
        [closed(folder, 1, batch([*lines, line(time=-(2**63), name="first"), line(time=2**63 - 1, name="last")]))]
    )
    days = {name: str(day) for name, day in store.query("SELECT name, day FROM records").rows}
    assert days.pop("first") < "1678" < "2262" < days.pop("last")
    for day in midnights:
        assert days[day] == day
        assert days[f"before {day}"] == str(datetime.date.fromisoformat(day) - datetime.timedelta(1))


def test_what_fails_leaves_no_trace(folder: Path, store: Store) -> None:
    file = closed(folder, 1, batch([line(name="a")], segment="s", size=9))
    file.marks[0][0].records = 2
    with pytest.raises(Unloadable, match="1 of 2"):
        store.load([file])
    assert store.query("SELECT (SELECT count(*) FROM records), (SELECT count(*) FROM segments)").rows == [(0, 0)]
    assert (store.loaded(), ledger(store)) == (set(), {})
    file.marks[0][0].records = 1
    store.load([file])
    assert ledger(store) == {"accepted": 1}


# Exactly once over restarts


def test_what_is_in_loaded_is_not_loaded_again(folder: Path) -> None:
    file = closed(folder, 1, batch([line(name="a")]))
    first = Store(folder / "store.duckdb", zone="UTC")
    first.load([file])
    first.close()  # dies before the checkpoint: the journal file is still there
    second = Store(folder / "store.duckdb")
    asyncio.run(run_loader(folder, second))
    assert ledger(second) == {"accepted": 1}
    assert second.query("SELECT count(*) FROM records").rows == [(1,)]
    assert (second.loaded(), list((folder / "journal").iterdir())) == (set(), [])
    second.close()


def test_a_name_may_come_again_once_its_file_is_gone(folder: Path) -> None:
    first = Store(folder / "store.duckdb", zone="UTC")
    file = closed(folder, 1, batch([line(name="a")]))
    first.load([file])
    first.close()
    file.path.unlink()  # dies after unlinking, before its name is forgotten
    second = Store(folder / "store.duckdb")
    assert second.loaded() == set()
    closed(folder, 1, batch([line(name="b")]))
    asyncio.run(run_loader(folder, second))
    assert second.query("SELECT name FROM records ORDER BY name").rows == [("a",), ("b",)]
    second.close()


@settings(deadline=None, max_examples=30)
@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 12), st.integers(1, 6)), max_size=12))
def test_segments_are_merged_and_gaps_counted(spans: list[tuple[str, int, int]]) -> None:
    connection = duckdb.connect()
    connection.execute(tables.TABLES)
    want, gaps = set(), 0
    for segment, first, size in spans:
        connection.execute(
            "INSERT INTO segments VALUES ('1', $s, $f, $l)", {"s": segment, "f": first, "l": first + size}
        )
    for segment in "ab":
        seen = {byte for s, first, size in spans if s == segment for byte in range(first, first + size)}
        starts = sorted(byte for byte in seen if byte - 1 not in seen)
        want |= {("1", segment, byte, next(e for e in range(byte, 99) if e not in seen)) for byte in starts}
        gaps += sum(byte > 0 for byte in starts)
    for _ in range(2):
        assert connection.execute(tables.MISSING, {"project": None}).fetchone() == (gaps,)
        connection.execute(tables.MERGE_SEGMENTS)
        assert set(connection.execute("FROM segments").fetchall()) == want
        assert len(connection.execute("FROM segments").fetchall()) == len(want)
    connection.close()


# Questions

ENDLESS = "SELECT count(*) FROM range(100000000) a, range(100000000) b WHERE (a.range * b.range) % 7 = 3"


def test_a_query_that_takes_too_long_is_stopped(store: Store) -> None:
    with pytest.raises(QueryTimeout, match="stopped after"):
        store.query(ENDLESS, timeout=0.1)
    assert store.query("SELECT $x AS x", {"x": 1}) == (["x"], [(1,)])


def test_a_cancelled_question_stops_its_query(store: Store) -> None:
    async def main() -> None:
        with pytest.raises(QueryTimeout):
            await store.ask(ENDLESS, timeout=0.1)
        tasks = [asyncio.create_task(store.ask(ENDLESS)) for _ in range(6)]  # more than there are threads
        await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(result, asyncio.CancelledError) for result in results)
        assert (await store.ask("SELECT 1 AS one")).rows == [(1,)]

    asyncio.run(main())


def test_no_question_sees_half_a_load(folder: Path, store: Store) -> None:
    size, stop, seen = 500, threading.Event(), set()

    def look() -> None:
        while not stop.is_set():
            seen.add(store.query("SELECT count(*), (SELECT sum(records) FROM ledger) FROM records").rows[0])

    thread = threading.Thread(target=look)
    thread.start()
    try:
        for n in range(1, 11):
            store.load([closed(folder, n, batch([line(offset=m) for m in range(size)]))])
    finally:
        stop.set()
        thread.join()
    assert all(visible == (accepted or 0) and visible % size == 0 for visible, accepted in seen)


def test_through_is_now_when_nothing_waits_and_the_oldest_that_waits_else(folder: Path, store: Store) -> None:
    before = store.through()
    assert store.through() >= before

    async def main() -> None:
        made, journal = loader(folder, store)
        await journal.append(batch([line()]))
        oldest = journal.oldest()
        assert oldest
        assert before < store.through() == oldest - 1
        made.start()
        await asyncio.to_thread(until, lambda: store.through() > oldest)
        assert store.query("SELECT count(*) FROM records").rows == [(1,)]
        await asyncio.to_thread(journal.close)
        await asyncio.to_thread(made.stop)

    asyncio.run(main())


def test_people_are_replaced_as_a_whole(store: Store) -> None:
    store.replace_people([("a", "rig", "Ada", {"x": 1}), ("b", None, None, None)])
    assert store.query('SELECT "user", team, name, extra FROM people ORDER BY "user"').rows == [
        ("a", "rig", "Ada", '{"x": 1}'),
        ("b", None, None, None),
    ]
    with pytest.raises(duckdb.Error):
        store.replace_people([("c", None, None, "{broken")])
    assert store.query("SELECT count(*) FROM people").rows == [(2,)]
    store.replace_people([])
    assert store.query("SELECT count(*) FROM people").rows == [(0,)]


@given(st.dates())
def test_weeks_are_iso_and_months_begin_at_one(day: datetime.date) -> None:
    [(week, month)] = MACROS.execute("SELECT week_of($d::DATE), month_of($d::DATE)", {"d": day}).fetchall()
    if day.toordinal() > 7:
        assert week == day - datetime.timedelta(day.weekday())
    assert month == day.replace(day=1)


@given(st.integers(-(2**63), 2**63 - 1))
def test_hours_are_whole_and_never_overflow(time: int) -> None:
    [(hour,)] = MACROS.execute("SELECT hour_of($t::BIGINT)", {"t": time}).fetchall()
    assert hour == max(time // HOUR * HOUR, -(2**63))


def _macros() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute(tables.MACROS)
    return connection


MACROS = _macros()


# The zone


def test_the_zone_is_fixed_by_the_first_start(tmp_path: Path) -> None:
    path = tmp_path / "store.duckdb"
    Store(path, zone="Asia/Kolkata").close()
    again = Store(path)
    assert again.zone == "Asia/Kolkata"
    again.close()
    with pytest.raises(ValueError, match="reports in Asia/Kolkata"):
        Store(path, zone="UTC")
    with pytest.raises(ValueError, match="no time zone"):
        Store(path, zone="Mars/Base")


def test_the_machines_zone_is_a_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    assert machine_zone() == "Europe/Berlin"
    monkeypatch.setenv("TZ", "nonsense")
    assert machine_zone() == "UTC"
    monkeypatch.delenv("TZ")
    assert is_zone(machine_zone())


def test_rejects_of_a_file_left_behind_are_read_back(folder: Path) -> None:
    one = batch([line()])
    one.reject(3, "why", b"what")
    [(mark, rejects)] = closed(folder, 1, one).marks
    assert (mark.rejected, rejects) == (1, [Reject(3, "why", "what")])


def test_a_checkpoint_goes_beside_a_reader(folder: Path, store: Store) -> None:
    store.load([closed(folder, 1, batch([line()]))])
    reading = threading.Thread(target=lambda: _interrupted(store))
    reading.start()
    try:
        assert store.checkpoint() in (True, False)
    finally:
        reading.join()
    assert store.checkpoint()


def _interrupted(store: Store) -> None:
    with pytest.raises(QueryTimeout):
        store.query(
            "SELECT count(*) FROM records, range(1000000000) a, range(1000000000) b WHERE a.range % 7 = b.range",
            timeout=0.3,
        )


def test_giving_up_a_query_that_has_just_ended_is_no_fault(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between its thread closing the cursor and the loop seeing it done an interrupt finds nothing to interrupt."""
    begun, go = threading.Event(), threading.Event()

    def run(cursor: duckdb.DuckDBPyConnection, sql: str, params: object) -> engine.Result:
        cursor.close()
        begun.set()
        go.wait(10)
        return engine.Result([], [])

    async def give_up() -> None:
        asking = asyncio.create_task(store.ask("SELECT 1"))
        await asyncio.to_thread(begun.wait, 10)
        asking.cancel()
        asyncio.get_running_loop().call_later(0.05, go.set)
        with pytest.raises(asyncio.CancelledError):
            await asking

    monkeypatch.setattr(engine, "_run", run)
    asyncio.run(give_up())
