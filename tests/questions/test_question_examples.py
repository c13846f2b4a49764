"""Each question on an example that is small enough to count by hand."""

from typing import Any

import pytest
from memory_store import MemoryStore, ns

from tellback.server.questions.asking import ask
from tellback.server.questions.contract import QuestionError

NOW = ns("2026-11-25T12:00:00")
NOVEMBER = {"from": ["2026-11-01"], "to": ["2026-12-01"]}


def rows(store: MemoryStore, name: str, /, **given: Any) -> list[dict[str, Any]]:
    params = {key: value if isinstance(value, list) else [value] for key, value in given.items()}
    return ask(store, name, {**NOVEMBER, **params}, now=NOW).rows


@pytest.fixture
def usage(store: MemoryStore) -> MemoryStore:
    """ann comes Mon 2, Tue 3 and Mon 9; bob Sun 8; cid Mon 30 October and Mon 16; eve is in no team, zed is unknown."""
    store.people([("ann", "rig"), ("bob", "rig"), ("cid", "fx"), ("dot", "idle"), ("eve", None)])
    store.add(
        {"time": "2026-11-02T09:00:00", "user": "ann", "name": "export"},
        {"time": "2026-11-02T10:00:00", "user": "ann", "name": "export"},
        {"time": "2026-11-03T09:00:00", "user": "ann", "name": "import"},
        {"time": "2026-11-09T09:00:00", "user": "ann", "name": "export"},
        {"time": "2026-11-08T23:59:59", "user": "bob", "name": "export", "service": "pub"},
        {"time": "2026-10-30T09:00:00", "user": "cid", "name": "export"},
        {"time": "2026-11-16T09:00:00", "user": "cid", "name": "sort"},
        {"time": "2026-11-16T09:00:00", "user": "zed", "name": "sort"},
        {"time": "2026-11-16T09:00:00", "user": "eve", "name": "sort"},
        {"time": "2026-11-16T09:00:00", "user": None, "name": "sort"},
        {"time": "2026-11-16T09:00:00", "user": "", "name": "sort"},
        {"time": "2026-11-17T09:00:00", "user": "dot", "name": "sort", "kind": "log"},
        {"time": "2026-12-01T00:00:00", "user": "ann", "name": "export"},
    )
    return store


def test_active_users(usage: MemoryStore) -> None:
    assert rows(usage, "adoption.active_users") == [{"period": "2026-11-01", "users": 5}]
    assert rows(usage, "adoption.active_users", period="week") == [
        {"period": "2026-11-02", "users": 2},
        {"period": "2026-11-09", "users": 1},
        {"period": "2026-11-16", "users": 3},
    ]
    # A period that the range covers in part: only what lies in the range, under the period's first day.
    assert rows(usage, "adoption.active_users", period="week", **{"from": "2026-11-04", "to": "2026-11-09"}) == [
        {"period": "2026-11-02", "users": 1}
    ]
    assert rows(usage, "adoption.active_users", period="day", user=["ann", "bob"]) == [
        {"period": "2026-11-02", "users": 1},
        {"period": "2026-11-03", "users": 1},
        {"period": "2026-11-08", "users": 1},
        {"period": "2026-11-09", "users": 1},
    ]


def test_top_users(usage: MemoryStore) -> None:
    found = [tuple(row.values()) for row in rows(usage, "adoption.top_users")]
    assert found == [
        (1, "ann", "rig", 4, 3, "2026-11-09T09:00:00Z"),
        (2, "bob", "rig", 1, 1, "2026-11-08T23:59:59Z"),
        (3, "cid", "fx", 1, 1, "2026-11-16T09:00:00Z"),
        (4, "eve", None, 1, 1, "2026-11-16T09:00:00Z"),
        (5, "zed", None, 1, 1, "2026-11-16T09:00:00Z"),
    ]


def test_teams(usage: MemoryStore) -> None:
    found = [tuple(row.values()) for row in rows(usage, "adoption.teams")]
    assert found == [
        ("idle", 1, 0, 0.0, None),
        ("fx", 1, 1, 1.0, "2026-11-16T09:00:00Z"),
        ("rig", 2, 2, 1.0, "2026-11-09T09:00:00Z"),
        (None, 1, 2, None, "2026-11-16T09:00:00Z"),
    ]
    assert [tuple(row.values())[:4] for row in rows(usage, "adoption.teams", team=["rig", "idle"], service="pub")] == [
        ("idle", 1, 0, 0.0),
        ("rig", 2, 1, 0.5),
    ]
    assert [row["team"] for row in rows(usage, "adoption.teams", team="")] == [None]


def test_features(usage: MemoryStore) -> None:
    whole = [tuple(row.values()) for row in rows(usage, "adoption.features")]
    assert whole == [("sort", 5, 3, 0.6), ("export", 4, 2, 0.4), ("import", 1, 1, 0.2)]
    # A feature that is asked for alone keeps its share of all who were active.
    assert [tuple(row.values()) for row in rows(usage, "adoption.features", name="import")] == [("import", 1, 1, 0.2)]
    assert [tuple(row.values()) for row in rows(usage, "adoption.features", team="rig")] == [
        ("export", 4, 2, 1.0),
        ("import", 1, 1, 0.5),
    ]


def test_features_without_users_have_a_share_of_nothing(store: MemoryStore) -> None:
    store.add({"time": "2026-11-02", "name": None})
    assert rows(store, "adoption.features") == [{"name": None, "records": 1, "users": 0, "share": 0.0}]


def test_retention(usage: MemoryStore) -> None:
    found = [tuple(row.values()) for row in rows(usage, "adoption.retention", to="2026-11-23")]
    # cid came first in October and belongs to no cohort of the range, though it was there on the 16th.
    assert found == [
        ("2026-11-02", 0, 2, 1.0),
        ("2026-11-02", 1, 1, 0.5),
        ("2026-11-02", 2, 0, 0.0),
        ("2026-11-16", 0, 2, 1.0),
    ]
    assert [tuple(row.values()) for row in rows(usage, "adoption.retention", period="month")] == [
        ("2026-11-01", 0, 4, 1.0)
    ]
    # Nobody can have come back in a week that has not begun: the grid ends with today, 25 November.
    weeks = [
        row["period"] for row in rows(usage, "adoption.retention", to="2027-02-01") if row["cohort"] == "2026-11-02"
    ]
    assert weeks == [0, 1, 2, 3]


def test_retention_of_too_many_periods_is_refused(usage: MemoryStore) -> None:
    with pytest.raises(QuestionError, match="shorter range") as caught:
        rows(usage, "adoption.retention", period="day", **{"from": "2020-01-01"})
    assert caught.value.where == "period"


def test_errors_top(store: MemoryStore) -> None:
    error = {"kind": "error", "name": "KeyError", "message": "'x'"}
    store.add(
        {"time": "2026-11-02T09:00:00", "user": "ann", **error},
        {"time": "2026-11-04T09:00:00.5", "user": "bob", **error},
        {"time": "2026-11-03T09:00:00", "user": None, **error},
        {"time": "2026-11-03T09:00:00", "kind": "error", "name": "OSError", "message": None},
        {"time": "2026-11-03T09:00:00", "kind": "error", "name": None, "message": "it broke"},
        {"time": "2026-11-03T09:00:00", "kind": "error", "name": "E", "message": "E: already"},
        {"time": "2026-11-03T09:00:00", "kind": "log", "level": "error", "message": "no error"},
        {"time": "2026-12-03T09:00:00", "user": "ann", **error},
    )
    found = rows(store, "errors.top")
    assert tuple(found[0].values()) == ("KeyError: 'x'", 3, 2, "2026-11-02T09:00:00Z", "2026-11-04T09:00:00Z")
    assert [row["title"] for row in found[1:]] == ["E: already", "OSError", "it broke"]


def test_search_finds_words_and_every_column(store: MemoryStore) -> None:
    full = {
        "time": ns("2026-11-02T09:00:00") + 7, "kind": "span", "name": "render", "level": "warn",
        "message": "Größe 5 % zu GROSS", "user": "ann",
        "session": "s", "run": "r", "trace": "t", "span": "p", "parent": "q", "duration": 5, "value": 0.5,
        "attrs": {"rows": 12, "a/b~c": "x y", "deep": {"k": [1]}}, "service": "rigtools", "release": "1.4",
        "environment": "production", "host": "h", "os": "linux", "python": "3.11", "pid": 1, "start": 10**18,
        "segment": "b" * 32, "offset": 2**62, "received": 10**18 + 5, "project": "rigs",
    }  # fmt: skip
    store.people([("ann", "rig")])
    store.add(full, {"time": "2026-11-01T08:00:00", "name": "other", "message": "groß und klein"})
    wanted = {key: str(value) for key, value in full.items() if key not in ("attrs", "kind")}
    for key, value in [
        *wanted.items(), ("kind", "span"), ("team", "rig"), ("day", "2026-11-02"), ("attrs", "rows=12"),
        ("attrs", "a/b~c=x y"),
        ("time", "2026-11-02T09:00:00.000000007Z"), ("q", "größe GROSS"), ("q", '"5 % zu"'), ("q", "rigtools RENDER"),
    ]:  # fmt: skip
        assert [row["name"] for row in rows(store, "records.search", **{key: value})] == ["render"], (key, value)
    for key, value in [("q", "5 _ zu"), ("q", '"zu 5"'), ("attrs", "rows=1"), ("message", "Größe"), ("offset", "1")]:
        assert rows(store, "records.search", **{key: value}) == [], (key, value)
    row = rows(store, "records.search", kind="span")[0]
    assert row["attrs"] == full["attrs"]
    assert (row["time"], row["start"]) == ("2026-11-02T09:00:00.000000007Z", "2001-09-09T01:46:40Z")
    assert {key: row[key] for key in full if key not in ("time", "start", "received", "attrs")} == {
        key: value for key, value in full.items() if key not in ("time", "start", "received", "attrs")
    }


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("day", "x"),
        ("time", "x"),
        ("attrs", "rows"),
        ("pid", "x"),
        ("pid", str(2**63)),
        ("value", "x"),
        ("time", str(2**70)),
    ],
)
def test_search_names_a_bad_value(store: MemoryStore, name: str, value: str) -> None:
    with pytest.raises(QuestionError) as caught:
        rows(store, "records.search", **{name: value})
    assert caught.value.where == name


def test_search_is_newest_first_and_its_pages_do_not_shift(store: MemoryStore) -> None:
    same = "2026-11-02T09:00:00"
    store.add(*({"time": same, "name": str(n)} for n in range(5)), {"time": "2026-11-03", "name": "new"})
    first = ask(store, "records.search", {**NOVEMBER, "limit": ["2"]}, now=NOW)
    store.add({"time": "2026-11-04", "name": "newer"})
    second = ask(store, "records.search", {**NOVEMBER, "limit": ["9"], "cursor": [first.next or ""]}, now=NOW)
    assert [row["name"] for row in first.rows + second.rows] == ["new", "4", "3", "2", "1", "0"]
    assert second.next is None


def test_histogram(store: MemoryStore) -> None:
    store.add(
        {"time": "2026-11-02T09:59:59", "kind": "log", "level": "info"},
        {"time": "2026-11-02T09:00:00", "kind": "log", "level": "info"},
        {"time": "2026-11-02T10:00:00", "kind": "log", "level": "info"},
        {"time": "2026-11-02T09:20:00", "kind": "log", "level": None},
        {"time": "2026-11-02T09:30:00"},
    )
    assert [tuple(row.values()) for row in rows(store, "records.histogram", step="hour")] == [
        ("2026-11-02T09:00:00Z", "event", None, 1), ("2026-11-02T09:00:00Z", "log", "info", 2),
        ("2026-11-02T09:00:00Z", "log", None, 1), ("2026-11-02T10:00:00Z", "log", "info", 1),
    ]  # fmt: skip
    assert [tuple(row.values()) for row in rows(store, "records.histogram")] == [
        ("2026-11-02", "event", None, 1), ("2026-11-02", "log", "info", 3), ("2026-11-02", "log", None, 1),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "narrow",
    [
        {"trace": "t1"}, {"session": "s1"}, {"run": "r1"}, {"duration": "7"}, {"attrs": "rows=4"}, {"pid": "12"},
        {"start": "2026-11-01"}, {"day": "2026-11-02"}, {"message": "said"}, {"segment": "b" * 32},
    ],
    ids=str,
)  # fmt: skip
def test_what_the_search_finds_is_what_the_others_count(store: MemoryStore, narrow: dict[str, str]) -> None:
    one = {
        "trace": "t1", "session": "s1", "run": "r1", "duration": 7, "attrs": {"rows": 4}, "pid": 12,
        "start": ns("2026-11-01"), "message": "said", "segment": "b" * 32, "service": "pub",
    }  # fmt: skip
    store.add({"time": "2026-11-02", **one}, {"time": "2026-11-03", "service": "rig", "attrs": {"rows": 40}})
    assert [row["service"] for row in rows(store, "records.search", **narrow)] == ["pub"]
    assert [row["records"] for row in rows(store, "records.histogram", **narrow)] == [1]
    assert [row["value"] for row in rows(store, "records.facets", **narrow)] == ["pub"]


def test_dropped_counts_what_was_said_in_the_range_and_by_the_project(store: MemoryStore) -> None:
    lost = {"kind": "lost", "name": "budget"}
    store.add(
        {"time": "2026-10-31T23:59:59", "value": 100.0, **lost},
        {"time": "2026-11-01", "value": 2.0, **lost},
        {"time": "2026-11-29T23:59:59", "value": 3.0, **lost},
        {"time": "2026-11-05", "value": 40.0, "project": "2", **lost},
        {"time": "2026-11-06", "value": -5.0, **lost},
        {"time": "2026-11-06", "value": 1e300, **lost},
        {"time": "2026-11-06", **lost},
        {"time": "2026-11-30", "value": 1000.0, **lost},
        {"time": "2026-11-05", "kind": "metric", "name": "budget", "value": 7.0},
    )

    def dropped(**given: str) -> int:
        params = {"from": ["2026-11-01"], "to": ["2026-11-30"], **{key: [value] for key, value in given.items()}}
        return ask(store, "records.search", params, now=NOW).complete.dropped

    assert dropped() == 0, "the ledger knows of no drop, so no record is looked at"
    store.connection.execute("INSERT INTO ledger VALUES ('1', 'dropped:budget', 1105), ('2', 'dropped:budget', 40)")
    assert dropped() == 45
    assert dropped(project="1") == 5
    assert dropped(project="2") == 40
    assert ask(store, "store.ledger", {"project": ["1"]}, now=NOW).complete.dropped == 1105


def test_facets(usage: MemoryStore) -> None:
    assert [tuple(row.values()) for row in rows(usage, "records.facets", column="team")] == [
        ("rig", 5, 2), (None, 4, 2), ("fx", 1, 1), ("idle", 1, 1),
    ]  # fmt: skip
    assert [tuple(row.values()) for row in rows(usage, "records.facets", column="service")] == [
        (None, 10, 5), ("pub", 1, 1),
    ]  # fmt: skip


def test_ledger_reconciles(store: MemoryStore) -> None:
    store.connection.execute(
        "INSERT INTO ledger VALUES ('1', 'accepted', 2), ('2', 'accepted', 1), ('1', 'duplicate', 5),"
        " ('1', 'quarantined', 1), ('1', 'dropped:spool_full', 4), ('2', 'dropped:spool_full', 1),"
        " ('1', 'dropped:late', 2)"
    )
    store.add({"time": "2020-01-01"}, {"time": "2026-11-02"})
    found = ask(store, "store.ledger", {}, now=NOW)
    assert [tuple(row.values()) for row in found.rows] == [
        ("received", 9), ("accepted", 3), ("duplicate", 5), ("quarantined", 1), ("dropped:late", 2),
        ("dropped:spool_full", 5), ("visible", 2), ("difference", 1),
    ]  # fmt: skip
    assert (found.range.from_, found.complete.dropped) == (None, 7)
    assert ask(store, "store.ledger", {"project": ["1"]}, now=NOW).rows[-1] == {"reason": "difference", "records": 0}


def test_quarantine(store: MemoryStore) -> None:
    store.connection.execute(
        f"INSERT INTO quarantine VALUES ({ns('2026-11-02')}, '1', 'records', 3, 'bad', 'x'),"
        f" ({ns('2026-11-03')}, '1', 'mito', 1, 'worse', NULL), ({ns('2026-10-03')}, '1', 'mito', 1, 'old', NULL)"
    )
    assert [tuple(row.values()) for row in rows(store, "store.quarantine")] == [
        ("2026-11-03T00:00:00Z", "mito", 1, "worse", None), ("2026-11-02T00:00:00Z", "records", 3, "bad", "x"),
    ]  # fmt: skip
    assert [row["reason"] for row in rows(store, "store.quarantine", wire="records")] == ["bad"]


def test_days_are_those_of_the_reporting_zone() -> None:
    store = MemoryStore("Europe/Berlin")
    store.add({"time": "2026-10-31T23:30:00", "user": "ann"}, {"time": "2026-11-30T22:30:00", "user": "bob"})
    answer = ask(store, "adoption.active_users", {**NOVEMBER, "period": ["month"]}, now=NOW)
    store.connection.close()
    assert answer.range.zone == "Europe/Berlin"
    assert (answer.range.from_, answer.range.to) == ("2026-10-31T23:00:00Z", "2026-11-30T23:00:00Z")
    assert answer.rows == [{"period": "2026-11-01", "users": 2}]


def test_the_default_range_is_thirty_days_and_today(store: MemoryStore) -> None:
    answer = ask(store, "errors.top", {}, now=NOW)
    assert (answer.range.from_, answer.range.to) == ("2026-10-26T00:00:00Z", "2026-11-26T00:00:00Z")
    until = ask(store, "errors.top", {"to": ["2026-11-10T05:00:00Z"]}, now=NOW)
    assert until.range.from_ == "2026-10-11T00:00:00Z"
