"""Questions against models in plain Python, over made-up records at the edges of days, weeks, months and ranges."""

import string
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from memory_store import MemoryStore, ns

from tellback.server import times
from tellback.server.questions.asking import ask

ZONE = "America/New_York"
START, END = ns("2026-10-25"), ns("2026-11-20")
NOW = ns("2026-11-18T12:00:00")
HOUR = 3600 * 10**9

# Whole hours make records meet each other and the ends of ranges; a nanosecond beside them tests which side they fall.
TIMES = st.builds(
    lambda hour, off: START + hour * HOUR + off,
    st.integers(0, (END - START) // HOUR),
    st.sampled_from([0, 0, 0, -1, 1]),
)
RECORDS = st.lists(
    st.fixed_dictionaries(
        {
            "time": TIMES,
            "kind": st.sampled_from(["event", "event", "event", "error", "log"]),
            "name": st.sampled_from(["a", "b", "ü", "", None]),
            "message": st.sampled_from(["m", "", None, "a: m"]),
            "user": st.sampled_from(["ann", "bob", "cid", "", None]),
            "service": st.sampled_from(["s1", "s2", None]),
            "level": st.sampled_from(["info", None]),
        }
    ),
    max_size=25,
)
PEOPLE = st.dictionaries(st.sampled_from(["ann", "bob", "dot"]), st.sampled_from(["rig", "fx", None]))
RANGES = st.tuples(TIMES, TIMES).map(sorted)
MODEL = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def new_york() -> Iterator[MemoryStore]:
    store = MemoryStore(ZONE)
    yield store
    store.connection.close()


def fill(store: MemoryStore, records: list[dict[str, Any]], people: dict[str, str | None]) -> None:
    store.clear()
    store.people(people.items())
    store.add(*records)


def rows(store: MemoryStore, name: str, span: list[int], **given: str) -> list[tuple[Any, ...]]:
    params = {"from": [times.text(span[0])], "to": [times.text(span[1])], **{key: [v] for key, v in given.items()}}
    return [tuple(row.values()) for row in ask(store, name, params, now=NOW).rows]


def day(ns_: int) -> date:
    return datetime.fromtimestamp(ns_ // 10**9, ZoneInfo(ZONE)).date()


def start(day_: date, period: str) -> date:
    return {"day": day_, "week": day_ - timedelta(days=day_.weekday()), "month": day_.replace(day=1)}[period]


def events(records: list[dict[str, Any]], span: list[int]) -> list[dict[str, Any]]:
    return [r for r in records if r["kind"] == "event" and span[0] <= r["time"] < span[1]]


@MODEL
@given(RECORDS, RANGES, st.sampled_from(["day", "week", "month"]))
def test_active_users(new_york: MemoryStore, records: list[dict[str, Any]], span: list[int], period: str) -> None:
    fill(new_york, records, {})
    users = defaultdict(set)
    for record in events(records, span):
        if record["user"]:
            users[start(day(record["time"]), period).isoformat()].add(record["user"])
    wanted = sorted((first, len(who)) for first, who in users.items())
    assert rows(new_york, "adoption.active_users", span, period=period) == wanted


@MODEL
@given(RECORDS, PEOPLE, RANGES)
def test_top_users(
    new_york: MemoryStore, records: list[dict[str, Any]], people: dict[str, str | None], span: list[int]
) -> None:
    fill(new_york, records, people)
    mine = defaultdict(list)
    for record in events(records, span):
        if record["user"]:
            mine[record["user"]].append(record["time"])
    order = sorted(mine.items(), key=lambda item: (-len(item[1]), item[0]))
    assert rows(new_york, "adoption.top_users", span) == [
        (rank, user, people.get(user), len(when), len({day(t) for t in when}), times.text(max(when)))
        for rank, (user, when) in enumerate(order, 1)
    ]


@MODEL
@given(RECORDS, PEOPLE, RANGES)
def test_teams(
    new_york: MemoryStore, records: list[dict[str, Any]], people: dict[str, str | None], span: list[int]
) -> None:
    fill(new_york, records, people)
    last: dict[str, int] = {}
    for record in events(records, span):
        if record["user"]:
            last[record["user"]] = max(record["time"], last.get(record["user"], record["time"]))
    wanted = []
    for team in {people.get(user) for user in {*people, *last}}:
        members = [user for user in people if people[user] == team]
        active = [last[user] for user in {*people, *last} if people.get(user) == team and user in last]
        share = len(active) / len(members) if team else None
        wanted.append((team, len(members), len(active), share, times.text(max(active)) if active else None))
    wanted.sort(key=lambda row: (row[0] is None, row[3] or 0, row[0] or ""))
    assert rows(new_york, "adoption.teams", span) == wanted


@MODEL
@given(RECORDS, RANGES)
def test_features(new_york: MemoryStore, records: list[dict[str, Any]], span: list[int]) -> None:
    fill(new_york, records, {})
    chosen = events(records, span)
    everybody = {r["user"] for r in chosen if r["user"]}
    wanted = []
    for name in {r["name"] for r in chosen}:
        users = {r["user"] for r in chosen if r["name"] == name and r["user"]}
        count = sum(r["name"] == name for r in chosen)
        wanted.append((name, count, len(users), len(users) / len(everybody) if everybody else 0.0))
    wanted.sort(key=lambda row: (-row[2], -row[1], row[0] is None, (row[0] or "").encode()))
    assert rows(new_york, "adoption.features", span) == wanted


@MODEL
@given(RECORDS, RANGES, st.sampled_from(["day", "week", "month"]))
def test_retention(new_york: MemoryStore, records: list[dict[str, Any]], span: list[int], period: str) -> None:
    fill(new_york, records, {})
    ever = [r for r in records if r["kind"] == "event" and r["user"]]
    first = {user: min(r["time"] for r in ever if r["user"] == user) for user in {r["user"] for r in ever}}
    cohort = {user: start(day(t), period) for user, t in first.items() if span[0] <= t < span[1]}
    seen = {(r["user"], start(day(r["time"]), period)) for r in events(records, span) if r["user"]}
    grid: list[date] = []
    if span[0] < span[1] and span[0] <= NOW:
        at = day(span[0])
        while at <= day(min(span[1] - 1, NOW)):
            if start(at, period) not in grid:
                grid.append(start(at, period))
            at += timedelta(days=1)
    wanted = []
    for begin in sorted(set(cohort.values()) & set(grid)):
        members = {user for user, c in cohort.items() if c == begin}
        for number, at in enumerate(grid[grid.index(begin) :]):
            users = sum((user, at) in seen for user in members)
            wanted.append((begin.isoformat(), number, users, users / len(members)))
    found = rows(new_york, "adoption.retention", span, period=period)
    assert found == wanted
    assert all(share == 1.0 for _, number, _, share in found if number == 0)


@MODEL
@given(RECORDS, RANGES)
def test_errors(new_york: MemoryStore, records: list[dict[str, Any]], span: list[int]) -> None:
    fill(new_york, records, {})
    groups = defaultdict(list)
    for record in records:
        if record["kind"] == "error" and span[0] <= record["time"] < span[1]:
            name, message = record["name"] or "", record["message"] or ""
            whole = (
                message if not name or message.startswith(f"{name}: ") else f"{name}: {message}" if message else name
            )
            groups[whole].append(record)
    wanted = []
    for title, group in groups.items():
        when = [r["time"] for r in group]
        users = {r["user"] for r in group if r["user"]}
        wanted.append((title, len(group), len(users), times.text(min(when)), times.text(max(when))))
    wanted.sort(key=lambda row: (-row[1], -row[2], row[0].encode()))
    assert rows(new_york, "errors.top", span) == wanted


@MODEL
@given(RECORDS, RANGES, st.integers(1, 7), st.sampled_from(["", "m", "ü", "ann"]))
def test_search(new_york: MemoryStore, records: list[dict[str, Any]], span: list[int], limit: int, q: str) -> None:
    fill(new_york, [{**record, "segment": "x", "offset": n} for n, record in enumerate(records)], {})
    wanted = sorted(
        (
            (record["time"], n)
            for n, record in enumerate(records)
            if span[0] <= record["time"] < span[1]
            and q in " ".join(record[key] or "" for key in ("name", "message", "user", "service"))
        ),
        reverse=True,
    )
    found: list[int] = []
    params = {"from": [times.text(span[0])], "to": [times.text(span[1])], "limit": [str(limit)], "q": [q]}
    cursor: str | None = ""
    while cursor is not None:
        page = ask(new_york, "records.search", {**params, "cursor": [cursor]}, now=NOW)
        found += [row["offset"] for row in page.rows]
        cursor = page.next
    assert found == [offset for _, offset in wanted]


@MODEL
@given(RECORDS, RANGES)
def test_histogram_and_facets(new_york: MemoryStore, records: list[dict[str, Any]], span: list[int]) -> None:
    fill(new_york, records, {})
    chosen = [r for r in records if span[0] <= r["time"] < span[1]]
    by_hour = Counter((times.text(r["time"] - r["time"] % HOUR), r["kind"], r["level"]) for r in chosen)
    by_day = Counter((day(r["time"]).isoformat(), r["kind"], r["level"]) for r in chosen)
    assert {row[:3]: row[3] for row in rows(new_york, "records.histogram", span, step="hour")} == by_hour
    assert {row[:3]: row[3] for row in rows(new_york, "records.histogram", span, step="day")} == by_day
    facets = {row[0]: row[1:] for row in rows(new_york, "records.facets", span, column="service")}
    assert facets == {
        service: (
            sum(r["service"] == service for r in chosen),
            len({r["user"] for r in chosen if r["service"] == service and r["user"]}),
        )
        for service in {r["service"] for r in chosen}
    }


@given(st.integers(-(2**63), 2**63 - 1))
def test_a_time_survives_its_text(ns_: int) -> None:
    assert times.parse(times.text(ns_), ZoneInfo("UTC")) == ns_


@given(st.integers(ns("1700-01-01") // 1000, ns("2200-01-01") // 1000), st.integers(-14 * 60, 14 * 60))
def test_offsets_are_read(microseconds: int, minutes: int) -> None:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)
    shifted = moment.astimezone(timezone(timedelta(minutes=minutes)))
    for text in (shifted.isoformat(), shifted.isoformat(" "), shifted.isoformat().replace("+", " ")):
        assert times.parse(text, ZoneInfo("UTC")) == microseconds * 1000


@given(st.text(alphabet=string.printable + "²٣", max_size=30))
def test_what_is_no_time_is_a_value_error(text: str) -> None:
    try:
        times.parse(text, ZoneInfo("UTC"))
    except ValueError:
        return
    assert text[:4].isdigit()
