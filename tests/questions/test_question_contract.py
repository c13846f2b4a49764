"""Holds for every question there is, also for those that are not written yet."""

import asyncio
import csv
import io
import re
import threading
from collections.abc import Mapping
from pathlib import Path

import msgspec
import pytest
from memory_store import MemoryStore, Rows, ns

from tellback.server.questions import filters, forms
from tellback.server.questions.asking import ask, ask_async, plan
from tellback.server.questions.catalogue import catalogue, find
from tellback.server.questions.contract import Question, QuestionError

NOW = ns("2026-11-25T12:00:00")
QUESTIONS = list(catalogue().values())
EACH = pytest.mark.parametrize("question", QUESTIONS, ids=list(catalogue()))
RANGED = pytest.mark.parametrize(
    "question", [q for q in QUESTIONS if issubclass(q.params, filters.Ranged)], ids=lambda q: q.name
)
FILTERED = pytest.mark.parametrize(
    "question", [q for q in QUESTIONS if issubclass(q.params, filters.Filters)], ids=lambda q: q.name
)


def names(question: Question) -> list[str]:
    return [field.encode_name for field in msgspec.structs.fields(question.params)]


def fill(store: MemoryStore) -> None:
    store.people([("ann", "rig"), ("bob", "rig"), ("cid", "fx"), ("dot", "idle"), ("eve", None)])
    for index in range(24):
        store.add({
            "time": ns(f"2026-11-{index % 8 + 3:02d}T0{index % 4}:00:00"),
            "kind": ("event", "event", "error", "log")[index % 4] if index % 5 else "error",
            "name": ("export", "import", None)[index % 3],
            "level": ("info", "error", None)[index % 3],
            "message": ("boom", None, "Größe 5")[index % 3],
            "user": ("ann", "bob", "cid", "eve", "zed", None)[index % 6],
            "service": ("rigtools", "pub")[index % 2],
            "release": "1", "environment": "production", "host": "h1", "attrs": {"rows": index},
        })  # fmt: skip
    store.add({"time": "2026-11-04", "kind": "lost", "name": "full", "value": 3.0})
    store.connection.execute("INSERT INTO ledger VALUES ('1', 'accepted', 25), ('1', 'dropped:full', 3)")
    store.connection.execute(
        f"INSERT INTO quarantine VALUES ({ns('2026-11-05')}, '1', 'records', 3, 'bad', '{{'),"
        f" ({ns('2026-11-06')}, '1', 'mito', 4, 'worse', NULL)"
    )


def test_those_of_the_issue_are_there() -> None:
    assert set(catalogue()) >= {
        "adoption.active_users", "adoption.top_users", "adoption.teams", "adoption.features", "adoption.retention",
        "errors.top", "records.search", "records.histogram", "records.facets", "store.ledger", "store.quarantine",
    }  # fmt: skip


@EACH
def test_is_declared_in_full(question: Question) -> None:
    assert re.fullmatch(r"[a-z]+\.[a-z_]+", question.name)
    assert question.title[0].isupper()
    assert not question.title.endswith(".")
    assert question.doc.endswith(".")
    for field in msgspec.structs.fields(question.params):
        assert "description" in str(field.type), f"{field.encode_name} does not say what it is"


@EACH
def test_is_in_the_docs(question: Question) -> None:
    docs = Path(__file__).parents[2] / "docs/questions.md"
    assert forms.markdown(question) in docs.read_text(encoding="utf-8"), (
        "docs/questions.md is out of date: python -m tellback.server.questions.forms > docs/questions.md"
    )


@EACH
def test_sql_stays_in_the_subset_of_both_engines(question: Question) -> None:
    sql = question.sql
    for word in (r"//", r"\bhash\(", r"\bmd5\(", r"\blower\(", r"\bSEMI\b", r"\bquantile", r"\bLIMIT\b", r"--", r";"):
        assert not re.search(word, sql, re.IGNORECASE), word
    assert not re.search(r'(?<!")\buser\b(?!")', sql), 'quote "user"'
    assert not re.search(r"\bsum\((?!.*AS BIGINT)", sql), "cast sums"
    assert sql.rindex("ORDER BY") > sql.rindex("FROM")


@EACH
def test_an_empty_store_gives_no_rows_or_zeros(question: Question, store: MemoryStore) -> None:
    rows = ask(store, question.name, {}, now=NOW).rows
    assert all(row["records"] == 0 for row in rows) if question.name == "store.ledger" else rows == []


@EACH
def test_rows_are_what_it_says(question: Question, store: MemoryStore) -> None:
    fill(store)
    answer = ask(store, question.name, {}, now=NOW)
    assert answer.rows
    msgspec.convert(answer.rows, list[question.row])  # type: ignore[name-defined]
    assert answer.question == question.name
    assert answer.range.zone == "UTC"
    assert answer.complete.dropped == 3
    assert answer.complete.through == "2026-12-01T00:00:00Z"
    for row in answer.rows:
        assert list(row) == [field.encode_name for field in msgspec.structs.fields(question.row)]


@EACH
def test_an_unknown_parameter_is_refused_with_those_there_are(question: Question, store: MemoryStore) -> None:
    with pytest.raises(QuestionError) as caught:
        ask(store, question.name, {"servise": ["x"]}, now=NOW)
    assert (caught.value.status, caught.value.code, caught.value.where) == (400, "unknown_parameter", "servise")
    assert all(name in caught.value.message for name in names(question))


@EACH
@pytest.mark.parametrize("limit", ["-1", "x", "10001", "1.5", "99999999999999999999"])
def test_a_bad_limit_is_refused(question: Question, limit: str, store: MemoryStore) -> None:
    with pytest.raises(QuestionError, match="limit") as caught:
        ask(store, question.name, {"limit": [limit]}, now=NOW)
    assert caught.value.where == "limit"


@EACH
@pytest.mark.parametrize("limit", [1, 2, 7])
def test_pages_join_to_the_whole(question: Question, limit: int, store: MemoryStore) -> None:
    fill(store)
    whole = ask(store, question.name, {"limit": ["1000"]}, now=NOW)
    assert whole.next is None
    rows, cursor = [], ""
    for _ in range(len(whole.rows) + 2):
        # Pages asked over midnight belong together.
        later = NOW + 86_400 * 10**9 if cursor else NOW
        moved = {"from": ["2026-11-24"]} if cursor and issubclass(question.params, filters.Ranged) else {}
        page = ask(store, question.name, {"limit": [str(limit)], "cursor": [cursor], **moved}, now=later)
        assert len(page.rows) <= limit
        assert page.range == whole.range
        rows += page.rows
        if page.next is None:
            break
        cursor = page.next
    assert rows == whole.rows


@EACH
def test_a_foreign_cursor_is_refused(question: Question, store: MemoryStore) -> None:
    fill(store)
    other = next(q for q in QUESTIONS if q is not question and q.name != "store.ledger")
    foreign = ask(store, other.name, {"limit": ["1"]}, now=NOW).next or "x"
    for cursor in (foreign, "!", "W10", "AAAA", "W1tdXQ"):
        with pytest.raises(QuestionError) as caught:
            ask(store, question.name, {"cursor": [cursor]}, now=NOW)
        assert caught.value.where == "cursor"


@EACH
def test_the_order_does_not_hang_on_that_of_the_rows(question: Question, store: MemoryStore) -> None:
    fill(store)
    once = ask(store, question.name, {}, now=NOW).rows
    for table in ("records", "people", "quarantine", "ledger"):
        store.connection.execute(f"CREATE TABLE turned AS SELECT * FROM {table} ORDER BY rowid DESC")
        store.connection.execute(f"DROP TABLE {table}")
        store.connection.execute(f"ALTER TABLE turned RENAME TO {table}")
    assert ask(store, question.name, {}, now=NOW).rows == once


@EACH
def test_csv_and_json_say_the_same(question: Question, store: MemoryStore) -> None:
    fill(store)
    answer = ask(store, question.name, {}, now=NOW)
    header, *lines = csv.reader(io.StringIO(forms.csv_text(question, answer)))
    assert header == [field.encode_name for field in msgspec.structs.fields(question.row)]
    as_text = [
        [forms.cell(value) for value in row.values()] for row in msgspec.json.decode(forms.json_text(answer))["rows"]
    ]
    assert lines == as_text


@EACH
def test_a_project_it_may_not_read_is_refused_and_never_counted(question: Question, store: MemoryStore) -> None:
    fill(store)
    own = ask(store, question.name, {}, reads="other", now=NOW)
    assert own.complete.dropped == 0
    for row in own.rows:  # the directory of people and the ledger's own lines belong to every project
        assert not row.get("records")
        assert not row.get("active")
    with pytest.raises(QuestionError) as caught:
        ask(store, question.name, {"project": ["1", "other"]}, reads="other", now=NOW)
    assert (caught.value.status, caught.value.where) == (403, "project")
    assert (
        ask(store, question.name, {"project": ["1"]}, reads="1", now=NOW).rows
        == ask(store, question.name, {}, now=NOW).rows
    )


@RANGED
def test_from_is_inclusive_and_to_exclusive(question: Question, store: MemoryStore) -> None:
    at = "2026-11-05T10:00:00"
    store.add({"time": at, "kind": "event", "name": "x", "user": "ann"}, {"time": at, "kind": "error", "name": "x"})
    store.connection.execute(f"INSERT INTO quarantine VALUES ({ns(at)}, '1', 'records', 3, 'bad', '{{')")
    hit = ask(store, question.name, {"from": [f"{at}Z"], "to": ["2026-11-05T10:00:00.000000001Z"]}, now=NOW)
    before = ask(store, question.name, {"from": ["2026-11-05"], "to": [f"{at}Z"]}, now=NOW)
    after = ask(store, question.name, {"from": ["2026-11-05T10:00:00.000000001Z"], "to": ["2026-11-06"]}, now=NOW)
    assert hit.rows
    assert (before.rows, after.rows) == ([], [])


@RANGED
def test_bad_times_are_refused(question: Question, store: MemoryStore) -> None:
    for value in ("yesterday", "2026-13-01", "2026-11-01T10:00:00", "1500-01-01", "9999-12-31", "0001-01-01"):
        with pytest.raises(QuestionError) as caught:
            ask(store, question.name, {"from": [value]}, now=NOW)
        assert caught.value.where == "from"
    with pytest.raises(QuestionError, match="later than to"):
        ask(store, question.name, {"from": ["2026-11-02"], "to": ["2026-11-01"]}, now=NOW)


@FILTERED
@pytest.mark.parametrize(
    "name", ["service", "release", "environment", "user", "team", "name", "kind", "level", "host", "project"]
)
def test_a_filter_given_twice_means_either(question: Question, name: str, store: MemoryStore) -> None:
    fill(store)
    everything = ask(store, question.name, {}, now=NOW).rows
    column = "p.team" if name == "team" else f'r."{name}"'
    sql = f'SELECT DISTINCT {column} FROM records AS r LEFT JOIN people AS p ON p."user" = r."user"'
    values = [value or "" for (value,) in store.query(sql, {}).rows]
    all_of_them = ask(store, question.name, {name: values}, now=NOW).rows
    if name == "team" and question.name == "adoption.teams":
        everything = [row for row in everything if row["team"] != "idle"]
    if not (name in ("name", "level") and question.name == "adoption.features"):
        assert all_of_them == everything
    nothing = ask(store, question.name, {name: ["no such"]}, now=NOW).rows
    assert all(row.get("active") == 0 for row in nothing)


@EACH
def test_what_a_caller_says_is_bound_and_never_text(question: Question) -> None:
    evil = "x'; DROP TABLE records; --"
    for field in msgspec.structs.fields(question.params):
        if "str" not in str(field.type) or field.encode_name in (
            "from",
            "to",
            "cursor",
            "day",
            "time",
            "start",
            "received",
        ):
            continue
        given = {field.encode_name: [f"a={evil}" if field.encode_name == "attrs" else evil]}
        if "Literal" in str(field.type):
            with pytest.raises(QuestionError, match="expected one of"):
                plan(question, given, zone="UTC", reads=None, now=NOW)
            continue
        planned = plan(question, given, zone="UTC", reads=None, now=NOW)
        assert "DROP" not in planned.sql
        assert "{" not in planned.sql


def test_an_unknown_question_names_those_there_are() -> None:
    with pytest.raises(QuestionError, match=r"adoption\.features") as caught:
        find("adoption.feature")
    assert caught.value.status == 404


def test_asking_leaves_the_event_loop_free() -> None:
    """Gaps were counted in it, once for each project that one request names, while no record was taken."""

    class Watching(MemoryStore):
        def missing(self, project: str | None = None) -> int:
            counted.append((project, threading.get_ident()))
            return 0

    async def run(sql: str, values: Mapping[str, object]) -> Rows:
        return store.query(sql, values)

    counted: list[tuple[str | None, int]] = []
    store = Watching()
    given = {"project": ["1", "2"] * 500}
    assert asyncio.run(ask_async(store, run, "store.ledger", given)).rows
    assert sorted(project or "" for project, _ in counted) == ["1", "2"]
    assert threading.get_ident() not in {thread for _, thread in counted}
    with pytest.raises(QuestionError, match="at most"):
        ask(store, "store.ledger", {"project": [str(number) for number in range(200)]})


def test_there_is_an_end_to_the_words_of_a_search(store: MemoryStore) -> None:
    """Fifteen thousand different ones, which fit an address, kept a search for half a minute."""
    assert ask(store, "records.search", {"q": ["a " * 1000]}).rows == []
    with pytest.raises(QuestionError, match="at most 32") as caught:
        ask(store, "records.search", {"q": [" ".join(map(str, range(100)))]})
    assert (caught.value.status, caught.value.where) == (400, "q")
