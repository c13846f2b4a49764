"""Runs on examples small enough to count by hand, and beside a plain model."""

from collections import defaultdict
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from memory_store import MemoryStore, ns

from tellback.server.questions.asking import ask

NOW = ns("2026-11-25T12:00:00")
AT = ns("2026-11-05")


def rows(store: MemoryStore, name: str, /, **given: str) -> list[dict[str, Any]]:
    params = {"from": ["2026-11-01"], "to": ["2026-12-01"], **{key: [value] for key, value in given.items()}}
    return ask(store, name, params, now=NOW).rows


def tell(store: MemoryStore, run: str, name: str, at: int, duration: int | None, status: str | None = "ok") -> None:
    own = {"kind": "span", "run": run, "span": "s" + run, "name": name, "service": "farm", "user": "ann"}
    store.add({**own, "time": at, "attrs": {"tellback.phase": "start"}})
    if duration is not None:
        store.add({**own, "time": at, "duration": duration, "attrs": {"status": status} if status else {}})


@pytest.fixture
def told(store: MemoryStore) -> MemoryStore:
    tell(store, "a", "MATCHMAKER", AT, 100)
    part = {"kind": "span", "run": "a", "span": "p", "name": "SCORING", "time": AT + 1}
    store.add({**part, "attrs": {"tellback.phase": "export", "score": 7}}, {**part, "duration": 5, "attrs": {}})
    store.add({"kind": "span", "run": "a", "span": "sa", "name": "MATCHMAKER", "time": AT + 2,
               "attrs": {"tellback.phase": "export", "confidence": 0.93}})  # fmt: skip
    tell(store, "b", "MATCHMAKER", AT + 10, 300, "error")
    store.add({"kind": "error", "run": "b", "name": "KeyError", "time": AT + 11})
    tell(store, "c", "MATCHMAKER", AT + 20, None)
    tell(store, "d", "PACKER", ns("2026-11-30T23:59:59"), 10**12)  # ends after the range
    tell(store, "e", "PACKER", ns("2026-12-01"), 1)
    store.add({"kind": "span", "span": "x", "name": "a span of no run", "time": AT, "duration": 1, "attrs": {}})
    store.add({"kind": "event", "run": "f", "name": "of a run that nobody began", "time": AT})
    return store


def test_each_run(told: MemoryStore) -> None:
    found = [(r["run"], r["name"], r["outcome"], r["duration"], r["exports"], r["errors"], r["records"])
             for r in rows(told, "runs.list")]  # fmt: skip
    assert found == [
        ("d", "PACKER", "ok", 10**12, 0, 0, 2),
        ("c", "MATCHMAKER", "unfinished", None, 0, 0, 1),
        ("b", "MATCHMAKER", "error", 300, 0, 1, 3),
        ("a", "MATCHMAKER", "ok", 100, 2, 0, 5),
    ]
    assert [r["run"] for r in rows(told, "runs.list", run="b")] == ["b"]
    assert [r["run"] for r in rows(told, "runs.list", name="PACKER")] == ["d"]


def test_a_run_that_was_tried_twice_under_one_id(store: MemoryStore) -> None:
    tell(store, "job-7", "PACKER", AT, 1, "error")
    own = {"kind": "span", "run": "job-7", "span": "again", "name": "PACKER", "time": AT + 5}
    store.add({**own, "attrs": {"tellback.phase": "start"}}, {**own, "duration": 2, "attrs": {"status": "ok"}})
    assert [(r["outcome"], r["duration"]) for r in rows(store, "runs.list")] == [("ok", 2), ("error", 1)]


def test_each_class(told: MemoryStore) -> None:
    found = [tuple(row.values()) for row in rows(told, "runs.classes")]
    assert found == [
        ("MATCHMAKER", 3, 1, 1, 0, 1, 100, 300, "2026-11-05T00:00:00.000000020Z"),
        ("PACKER", 1, 1, 0, 0, 0, 10**12, 10**12, "2026-11-30T23:59:59Z"),
    ]


ENDS = st.one_of(st.none(), st.tuples(st.integers(0, 50), st.sampled_from(["ok", "error", "stopped"])))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("ABC"), ENDS), max_size=30))
def test_classes_beside_a_model(runs: list[tuple[str, tuple[int, str] | None]]) -> None:
    store = MemoryStore()
    model: dict[str, list[tuple[int, str] | None]] = defaultdict(list)
    for number, (name, end) in enumerate(runs):
        tell(store, str(number), name, AT + number, *(end or (None,)))
        model[name].append(end)
    found = {row["name"]: row for row in rows(store, "runs.classes")}
    assert found.keys() == model.keys()
    for name, ends in model.items():
        row = found[name]
        durations = sorted(end[0] for end in ends if end)
        assert row["records"] == len(ends)
        assert row["unfinished"] == ends.count(None)
        assert [row[word] for word in ("ok", "error", "stopped")] == [
            sum(end is not None and end[1] == word for end in ends) for word in ("ok", "error", "stopped")
        ]
        for word, share in (("median", 50), ("p95", 95)):
            least = durations[-(-len(durations) * share // 100) - 1] if durations else None
            assert row[word] == least
    store.connection.close()
